// The time server over real UDP: what it answers and what not, and a device of this process that gets its time there.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { State, Status } from '../../host/node/abi.ts';
import { Client, type ClientEvent } from '../../host/node/client.ts';
import { exchangeWith } from '../../host/node/datagram.ts';
import { generateKey, type SigningKey } from '../../repo/index.ts';
import {
  type RoughtimeOptions,
  type RoughtimeServer,
  serveRoughtime,
} from '../../server/roughtime/server.ts';
import { DAY, HOUR, START, Stage, type StageOptions } from '../tuf/kit.ts';
import { half, message, packet, requestParts, type Tags, uint } from '../uptane/roughtime.ts';

const NOW = START + HOUR;
const servers: RoughtimeServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(keys: readonly SigningKey[], options: Partial<RoughtimeOptions> = {}) {
  const server = await serveRoughtime({
    keys,
    clock: () => NOW,
    radius: 5,
    host: '127.0.0.1',
    port: 0,
    ...options,
  });
  servers.push(server);
  return server;
}

function hex(key: SigningKey): string {
  return key.public.keyval.public;
}

/** A request as long as it is wanted. */
function request(tags: Tags = {}, length = 1024): Buffer {
  const head = { VER: uint(1, 4), NONC: Buffer.alloc(32, 5), TYPE: uint(0, 4), ...tags };
  const bare = packet(message({ ...head, ZZZZ: Buffer.alloc(0) })).length;
  return packet(message({ ...head, ZZZZ: Buffer.alloc(length - bare) }));
}

/** Sends datagrams at once; the answers until a request that is good was answered, by its first byte of nonce. */
async function answers(port: number, datagrams: readonly Uint8Array[]): Promise<Buffer[]> {
  const last = Buffer.alloc(32, 0xee);
  const socket = createSocket('udp4');
  const got: Buffer[] = [];
  for (const datagram of [...datagrams, request({ NONC: last })]) socket.send(datagram, port, '127.0.0.1');
  for (;;) {
    const [answer] = (await once(socket, 'message')) as [Buffer];
    if (requestParts(answer).NONC?.equals(last)) break;
    got.push(answer);
  }
  socket.close();
  return got;
}

/** One check of a device whose host knows no time; what its host heard of time servers. */
async function check(s: Stage, timeServers: readonly string[]) {
  const events: ClientEvent[] = [];
  const client = new Client({
    metadataUrl: 'https://sim/metadata/',
    targetsUrl: 'https://sim/targets/',
    fetch: s.network.fetch,
    timeServers,
    onEvent: (event) => events.push(event),
  });
  const core = s.powerOn();
  const outcome = await client.check(core);
  const heard = events.flatMap((event) => (event.type === 'time' ? [event.status] : []));
  return { core, status: 'status' in outcome ? outcome.status : undefined, heard };
}

function device(keys: readonly SigningKey[], options: StageOptions = {}): Stage {
  return new Stage({ ...options, configuration: { timeKeys: keys.map(hex), needsTime: true } });
}

describe('[TUF-7] [UPT-1] a device over UDP', () => {
  test('gets the time of a server, which signs with a key of the day', async () => {
    const key = generateKey();
    const { port } = await serve([key]);
    const { core, status, heard } = await check(device([key]), [`127.0.0.1:${port}`]);
    expect([status, heard]).toEqual([Status.UP_TO_DATE, [Status.OK]]);
    expect(core.stateRead(State.LATEST_TIME)).toBe(NOW - 5);
  });

  test('gets it from the one of several servers that is there and has the key', async () => {
    const [key, other] = [generateKey(), generateKey()];
    const liar = await serve([other]);
    const right = await serve([key]);
    const gone = await serve([key]);
    await servers.splice(servers.indexOf(gone), 1)[0]?.close();
    const at = [gone, liar, right].map(({ port }) => `127.0.0.1:${port}`);
    expect(await check(device([key]), at)).toMatchObject({ status: Status.UP_TO_DATE, heard: [Status.OK] });
    expect(await check(device([generateKey(), key]), ['localhost:1', ...at])).toMatchObject({
      status: Status.UP_TO_DATE,
    });
  });

  test('is told by a server that has an old key and a new one by the key that it asks for', async () => {
    const [old, young] = [generateKey(), generateKey()];
    const { port } = await serve([old, young]);
    for (const key of [old, young])
      expect(await check(device([key]), [`127.0.0.1:${port}`])).toMatchObject({ heard: [Status.OK] });
  });

  test('without a server ends with that, and so it does where another answers in its name', async () => {
    const key = generateKey();
    expect(await check(device([key]), [])).toMatchObject({
      status: Status.TIME_MISSING,
      heard: [Status.TIME_MISSING],
    });
    const [replayed] = await answers((await serve([key])).port, [request()]);
    const liar = createSocket('udp4');
    liar.on('message', (_, { port, address }) => liar.send(replayed as Buffer, port, address));
    await new Promise<void>((done) => liar.bind(0, '127.0.0.1', done));
    const { port } = liar.address();
    expect(await check(device([key]), [`127.0.0.1:${port}`])).toMatchObject({
      status: Status.TIME_REPLAYED,
      heard: [Status.TIME_REPLAYED],
    });
    liar.close();
  }, 20_000);

  test('goes on where the day of a delegated key ends', async () => {
    const key = generateKey();
    let now = NOW;
    const { port } = await serve([key], { clock: () => now });
    const s = device([key]);
    for (; now < NOW + 3 * DAY; now += DAY / 2) {
      s.clock.set(now);
      s.publish('timestamp');
      expect(await check(s, [`127.0.0.1:${port}`])).toMatchObject({ heard: [Status.OK] });
    }
  });
});

test.each(['', 'host', 'host:0', 'host:65536', 'host:x', 'a@b:1', '::1:2002', 'http://host:1'])(
  '"%s" is no address of a time server',
  (text) => {
    expect(() => exchangeWith([text])).toThrow(expect.objectContaining({ code: 'address-invalid' }));
  },
);

describe('[CERT-C-6] the server', () => {
  test('answers many requests with one signature, each with its own way to the root, and never with more bytes', async () => {
    const key = generateKey();
    const batches: number[] = [];
    const { port } = await serve([key], {
      rate: { burst: 100, perSecond: 0 },
      onEvent: (event) => event.type === 'answered' && batches.push(event.requests),
    });
    const asked = Array.from({ length: 60 }, (_, i) => request({ NONC: Buffer.alloc(32, i + 1) }));
    const got = await answers(port, asked);
    expect(got).toHaveLength(60);
    expect(Math.max(...batches)).toBeGreaterThan(1);
    for (const answer of got) {
      const { NONC = Buffer.alloc(0), PATH = Buffer.alloc(0), INDX, SREP } = requestParts(answer);
      expect(answer.length).toBeLessThanOrEqual(1024);
      let node = half(Buffer.of(0), asked[(NONC[0] ?? 0) - 1] as Buffer);
      let index = INDX?.readUInt32LE(0) ?? 0;
      for (let from = 0; from < PATH.length; from += 32, index >>= 1) {
        const sibling = PATH.subarray(from, from + 32);
        node = half(Buffer.of(1), ...(index & 1 ? [sibling, node] : [node, sibling]));
      }
      expect(index).toBe(0);
      expect(SREP?.subarray(-32)).toEqual(node);
    }
  });

  test('says nothing to what is no request of 1,024 bytes or more', async () => {
    const key = generateKey();
    const { port } = await serve([key], { rate: { burst: 10_000, perSecond: 0 } });
    const good = request();
    const changed = (at: number, value: number) => {
      const bad = Buffer.from(good);
      bad.writeUInt32LE(value, at);
      return bad;
    };
    const hostile = [
      Buffer.alloc(0),
      Buffer.alloc(1024),
      Buffer.alloc(1024, 0xff),
      good.subarray(0, 1023),
      request({}, 1020),
      request({ TYPE: uint(1, 4) }),
      request({ NONC: Buffer.alloc(28) }),
      request({ NONC: Buffer.alloc(64) }),
      request({ VER: uint(2, 4) }),
      request({ VER: Buffer.alloc(0) }),
      request({ SRV: Buffer.alloc(32) }),
      ...['VER', 'NONC', 'TYPE'].map((tag) => {
        const tags: Tags = {
          VER: uint(1, 4),
          NONC: Buffer.alloc(32),
          TYPE: uint(0, 4),
          ZZZZ: Buffer.alloc(1000),
        };
        delete tags[tag];
        return packet(message(tags));
      }),
      ...[8, 12, 16, 20, 24].flatMap((at) =>
        [0, 1, 3, 33, 0x7fff_ffff, 0x8000_0000, 0xffff_fffc, 0xffff_ffff].map((value) => changed(at, value)),
      ),
    ];
    expect(await answers(port, hostile)).toEqual([]);
    expect(
      await answers(port, [request({ SRV: half(Buffer.of(0xff), Buffer.from(hex(key), 'hex')) })]),
    ).toHaveLength(1);
    expect(await answers(port, [request({ AAAA: Buffer.alloc(4) }, 1400)])).toHaveLength(1);
  });

  test('says nothing to more requests of one address than its share', async () => {
    const ignored: string[] = [];
    const { port } = await serve([generateKey()], {
      rate: { burst: 4, perSecond: 0 },
      onEvent: (event) => event.type === 'ignored' && ignored.push(event.reason),
    });
    const got = await answers(port, [request(), request(), request()]);
    expect(got).toHaveLength(3);
    const socket = createSocket('udp4');
    socket.send(request(), port, '127.0.0.1');
    while (ignored.length === 0) await new Promise((done) => setTimeout(done, 10));
    socket.close();
    expect(ignored).toEqual(['rate']);
  });

  test('that has two keys does not guess which one is meant', async () => {
    const [one, two] = [generateKey(), generateKey()];
    const server = await serve([one, two]);
    const socket = createSocket('udp4');
    const named = request({
      NONC: Buffer.alloc(32, 9),
      SRV: half(Buffer.of(0xff), Buffer.from(hex(two), 'hex')),
    });
    for (const datagram of [request(), named]) socket.send(datagram, server.port, '127.0.0.1');
    const [answer] = (await once(socket, 'message')) as [Buffer];
    expect(requestParts(answer).NONC).toEqual(Buffer.alloc(32, 9));
    socket.close();
  });

  test('on a port that is taken says so', async () => {
    const { port } = await serve([generateKey()]);
    await expect(serve([generateKey()], { port })).rejects.toMatchObject({ code: 'port-busy' });
    await expect(serve([generateKey()], { host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'bad-argument',
    });
  });
});
