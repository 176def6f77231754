// The gateway with real servers behind it: what it asks, what it keeps, and what it makes of whatever comes on the line
// or from the server.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../host/node/clock.ts';
import { Gateway, type GatewayEvent, type GatewayOptions, serveLink } from '../../host/node/gateway.ts';
import { type Fetch, systemFetch } from '../../host/node/http.ts';
import { encodeFrame, type Frame, FrameDecoder, LAST, LinkKind } from '../../host/node/link.ts';
import { Random } from '../../sim/random.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const open: (() => void)[] = [];

afterEach(() => {
  for (const close of open.splice(0)) close();
});

const FILE = new Random(7).bytes(5000);
const DATA = LinkKind.READ | LinkKind.ANSWER;

/** Serves FILE with ranges, under any name. */
const serveFile: Handler = (request, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from >= FILE.length) response.writeHead(416).end();
  else if (from === 0) response.end(FILE);
  else
    response
      .writeHead(206, { 'content-range': `bytes ${from}-${FILE.length - 1}/${FILE.length}` })
      .end(FILE.subarray(from));
};

interface Upstream {
  readonly url: string;
  /** Of each request: path and range. */
  readonly asked: string[];
  readonly server: Server;
  connections: number;
}

async function upstream(handler: Handler): Promise<Upstream> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.range ?? ''}`.trim());
    handler(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const found = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    server,
    connections: 0,
  };
  server.on('connection', () => found.connections++);
  return found;
}

/** A device that says exactly what a test wants. */
class Device {
  readonly gateway: Gateway;
  readonly events: GatewayEvent[] = [];
  readonly answers: Frame[] = [];
  session = 1;
  sequence = 0;
  readonly #decoder = new FrameDecoder(70_000);

  constructor(url: string, options: Partial<GatewayOptions> = {}) {
    const onEvent = (event: GatewayEvent) => this.events.push(event);
    const all = { metadataUrl: `${url}/metadata/`, targetsUrl: `${url}/targets`, onEvent, ...options };
    this.gateway = new Gateway(all, (bytes) => this.answers.push(...this.#decoder.push(bytes)));
    open.push(() => this.gateway.close());
  }

  frame(kind: number, payload: Uint8Array = new Uint8Array()): Uint8Array {
    this.sequence++;
    return encodeFrame({ kind, flags: 0, sequence: this.sequence & 0xffff, session: this.session, payload });
  }

  /** The answer to a request, when it is there. */
  async ask(kind: number, payload?: Uint8Array): Promise<Frame | undefined> {
    this.answers.length = 0;
    await this.gateway.receive(this.frame(kind, payload));
    expect(this.answers.length).toBeLessThan(2);
    return this.answers[0];
  }

  async read(
    offset: number,
    wanted = 1000,
    name = 'file',
  ): Promise<{ kind: number; bytes: Buffer; last: boolean }> {
    const answer = await this.ask(LinkKind.READ, read(offset, wanted, name));
    const payload = Buffer.from(answer?.payload ?? []);
    if (answer?.kind === DATA) expect(payload.readUInt32LE(0)).toBe(offset);
    return { kind: answer?.kind ?? 0, bytes: payload.subarray(4), last: (answer?.flags ?? 0) === LAST };
  }

  faults(): string[] {
    return this.events.flatMap((event) => (event.type === 'interrupted' ? [event.fault] : []));
  }
}

function read(offset: number, wanted = 1000, name = 'file', kind = 0): Buffer {
  const fields = Buffer.alloc(7);
  fields.writeUInt8(kind, 0);
  fields.writeUInt32LE(offset, 1);
  fields.writeUInt16LE(wanted, 5);
  return Buffer.concat([fields, Buffer.from(name)]);
}

const piece = (from: number, to: number, last = false) => ({
  kind: DATA,
  bytes: Buffer.from(FILE.subarray(from, to)),
  last,
});

const kindOnly = (kind: number) => expect.objectContaining({ kind });

describe('the gateway', () => {
  test('answers HELLO with its version, TIME with its clock', async () => {
    const device = new Device('http://127.0.0.1:1', {
      clock: { now: () => 1_893_456_000_999, after: () => () => {} },
    });
    expect(await device.ask(LinkKind.HELLO, Uint8Array.of(1))).toMatchObject({
      kind: 0x81,
      payload: Uint8Array.of(1),
    });
    const time = await device.ask(LinkKind.TIME);
    expect([time?.kind, Buffer.from(time?.payload ?? []).readUInt32LE(0)]).toEqual([0x82, 1_893_456_000]);
  });

  test('refuses what it does not understand, and says so', async () => {
    const { url, asked } = await upstream(serveFile);
    const device = new Device(url);
    const odd: readonly [kind: number, payload: Uint8Array][] = [
      [LinkKind.HELLO, Uint8Array.of(2)],
      [LinkKind.HELLO, Uint8Array.of(1, 0)],
      [LinkKind.TIME, Uint8Array.of(0)],
      [0x05, new Uint8Array()],
      [LinkKind.READ, new Uint8Array()],
      [LinkKind.READ, read(0, 1000, '')],
      [LinkKind.READ, read(0, 0)],
      [LinkKind.READ, read(0, 1000, 'x'.repeat(321))],
      [LinkKind.READ, read(0, 1000, 'file', 3)],
      [LinkKind.READ, Buffer.concat([read(0), Uint8Array.of(0xff)])],
      [LinkKind.REPORT, new Uint8Array()],
      [LinkKind.REPORT, REPORT.map((byte, at) => (at === 0 ? 8 : byte))],
      [LinkKind.REPORT, REPORT.subarray(0, -1)],
      [LinkKind.REPORT, Buffer.concat([REPORT, Uint8Array.of(0)])],
      [LinkKind.REPORT, REPORT.map((byte, at) => (at === 5 ? 255 : byte))],
    ];
    for (const [kind, payload] of odd)
      expect([kind, payload, await device.ask(kind, payload)]).toEqual([
        kind,
        payload,
        kindOnly(LinkKind.REFUSED),
      ]);
    expect(device.events).toEqual(odd.map(([kind]) => ({ type: 'refused', kind })));
    expect(asked).toEqual([]);
  });

  test('passes a report on, once, however often it is repeated', async () => {
    const device = new Device('http://127.0.0.1:1');
    const frame = device.frame(LinkKind.REPORT, REPORT);
    for (let times = 0; times < 3; times++) await device.gateway.receive(frame);
    expect(device.answers.map(({ kind }) => kind)).toEqual([0x84, 0x84, 0x84]);
    const report = {
      event: 'checked',
      status: -45,
      state: [1, 0xffff_ffff],
      installedVersion: '1.0',
      candidateVersion: '',
      engine: 'wasm3',
    };
    expect(device.events).toEqual([{ type: 'report', report }]);
  });

  test('is silent to answers: a line that echoes does not start a conversation of one', async () => {
    const device = new Device('http://127.0.0.1:1');
    for (const kind of [0x80, 0x81, 0x83, LinkKind.BUSY, LinkKind.REFUSED, 0xff])
      expect(await device.ask(kind)).toBe(undefined);
  });
});

/** Checked, EXPIRED, two fields, three texts. */
const REPORT = Buffer.concat([
  Uint8Array.of(2, 0xd3, 0xff, 0xff, 0xff, 2, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 3),
  Buffer.from('1.0'),
  Uint8Array.of(0, 5),
  Buffer.from('wasm3'),
]);

describe('reading a file', () => {
  test('takes one transfer and one connection for all of its pieces, and of other files', async () => {
    const up = await upstream(serveFile);
    const device = new Device(up.url);
    for (let offset = 0; offset < 5000; offset += 1000)
      expect(await device.read(offset)).toEqual(piece(offset, offset + 1000, offset === 4000));
    expect(await device.read(0, 65_535, 'other')).toEqual(piece(0, 5000, true));
    expect(up.asked).toEqual(['/metadata/file', '/metadata/other']);
    expect(up.connections).toBe(1);
  });

  test('comes from the base address of its kind, with its name encoded', async () => {
    const { url, asked } = await upstream(serveFile);
    const device = new Device(url);
    await device.ask(LinkKind.READ, read(0, 10, 'a/b c?ä.bin', 1));
    expect(asked).toEqual(['/targets/a/b%20c%3F%C3%A4.bin']);
    const inVehicle = new Device(url, { directorUrl: `${url}/director/metadata` });
    await inVehicle.ask(LinkKind.READ, read(0, 10, '1.root.json', 2));
    await inVehicle.ask(LinkKind.READ, read(0, 10, '1.root.json', 0));
    expect(asked.slice(1)).toEqual(['/director/metadata/1.root.json', '/metadata/1.root.json']);
  });

  test('at offset 0 is a new request each time; a repeated request is none', async () => {
    const { url, asked } = await upstream(serveFile);
    const device = new Device(url);
    await device.read(0);
    await device.read(0);
    expect(asked).toHaveLength(2);
    const again = device.frame(LinkKind.READ, read(0));
    device.answers.length = 0;
    for (let times = 0; times < 3; times++) await device.gateway.receive(again);
    expect(asked).toHaveLength(3);
    expect(device.answers).toHaveLength(3);
    expect(new Set(device.answers.map(({ payload }) => Buffer.from(payload).toString('hex'))).size).toBe(1);
  });

  test('anywhere else asks for a range from there', async () => {
    const { url, asked } = await upstream(serveFile);
    const device = new Device(url);
    expect(await device.read(1234)).toEqual(piece(1234, 2234));
    expect(await device.read(2234, 1000, 'other')).toEqual(piece(2234, 3234));
    expect(await device.ask(LinkKind.READ, read(3234, 1000, 'other', 1))).toEqual(kindOnly(DATA));
    expect(await device.read(4500)).toEqual(piece(4500, 5000, true));
    expect(asked).toEqual([
      '/metadata/file bytes=1234-',
      '/metadata/other bytes=2234-',
      '/targets/other bytes=3234-',
      '/metadata/file bytes=4500-',
    ]);
  });

  test('gives the bytes that were asked for when the server ignores the range', async () => {
    const { url } = await upstream((_, response) => response.end(FILE));
    const device = new Device(url);
    expect(await device.read(3000)).toEqual(piece(3000, 4000));
    expect(await device.read(4000)).toEqual(piece(4000, 5000, true));
  });

  test.each([
    ['another length', { 'content-range': 'bytes 2000-5000/5001' }],
    ['another ETag', { 'content-range': 'bytes 2000-4999/5000', etag: '"2"' }],
  ])('[file changed] a part of a file of %s is not given', async (_, part) => {
    let requests = 0;
    const { url } = await upstream((request, response) => {
      const tag = requests++ === 0 ? '"1"' : '"2"';
      if (request.headers.range) response.writeHead(206, part).end(FILE.subarray(2000));
      else if (requests > 1) response.writeHead(200, { etag: tag }).end(Buffer.concat([FILE, FILE]));
      else {
        response.writeHead(200, { etag: tag, 'content-length': FILE.length });
        response.write(FILE.subarray(0, 2000), () => response.destroy());
      }
    });
    const device = new Device(url);
    expect(await device.read(0, 2000)).toEqual(piece(0, 2000));
    for (let times = 0; times < 2; times++)
      expect(await device.read(2000)).toEqual(kindOnly(LinkKind.FAILED));
    expect(device.events).toContainEqual(expect.objectContaining({ type: 'interrupted', fault: 'changed' }));
    // In another check, from its start.
    await device.read(0, 1000, 'timestamp.json');
    expect(await device.read(0, 1000)).toEqual(piece(0, 1000));
  });

  test('[file changed] a version that is named is asked for', async () => {
    const tags: (string | undefined)[] = [];
    const { url } = await upstream((request, response) => {
      tags.push(request.headers['if-range']?.toString());
      response.setHeader('etag', '"1"');
      if (request.headers.range) serveFile(request, response);
      else {
        response.writeHead(200, { 'content-length': FILE.length });
        response.write(FILE.subarray(0, 2000), () => response.destroy());
      }
    });
    const device = new Device(url);
    await device.read(0, 2000);
    expect(await device.read(2000)).toEqual(piece(2000, 3000));
    expect(tags).toEqual([undefined, '"1"']);
  });

  test('at its end, and beyond, is the end', async () => {
    const { url } = await upstream(serveFile);
    const device = new Device(url);
    for (const offset of [5000, 9999]) expect(await device.read(offset)).toEqual(piece(5000, 5000, true));
  });

  test('of unknown length finds the end when it is there', async () => {
    const { url } = await upstream((_, response) => {
      response.write(FILE.subarray(0, 1000));
      response.end(FILE.subarray(1000, 2000));
    });
    const device = new Device(url);
    expect(await device.read(0, 1500)).toEqual(piece(0, 1500));
    expect(await device.read(1500, 500)).toEqual(piece(1500, 2000));
    expect(await device.read(2000, 500)).toEqual(piece(0, 0, true));
  });

  test('of no bytes is its end', async () => {
    const { url } = await upstream((_, response) => response.end());
    expect(await new Device(url).read(0)).toEqual(piece(0, 0, true));
  });

  test('takes no more from the server than one read of the connection beyond what was asked for', async () => {
    const { url } = await upstream((_, response) => response.end(Buffer.alloc(50_000_000)));
    let taken = 0;
    const counting: Fetch = async (address, options) => {
      const { status, headers, body } = await systemFetch(address, options);
      const reader = body?.getReader();
      const read = async () => {
        const part = await reader?.read();
        taken += part?.value?.length ?? 0;
        return part ?? {};
      };
      const cancel = async () => reader?.cancel();
      return { status, headers, body: { getReader: () => ({ read, cancel }) } };
    };
    const device = new Device(url, { fetch: counting });
    for (let offset = 0; offset < 10_000; offset += 1000) await device.read(offset);
    expect(taken).toBeGreaterThanOrEqual(10_000);
    expect(taken).toBeLessThan(10_000 + 70_000);
  });
});

describe('a fault of the server', () => {
  const faulty = async (handler: Handler, options: Partial<GatewayOptions> = {}) =>
    new Device((await upstream(handler)).url, options);

  test.each([400, 403, 404])('status %i: ABSENT', async (status) => {
    const device = await faulty((_, response) => response.writeHead(status).end('no'));
    expect(await device.read(0)).toEqual(kindOnly(LinkKind.ABSENT));
    expect(device.events.at(-1)).toEqual({ type: 'absent', name: 'file' });
  });

  const FAILED: readonly [what: string, fault: string, handler: Handler][] = [
    ['status 500', 'refused', (_, response) => response.writeHead(500).end()],
    [
      'a redirect elsewhere',
      'redirected',
      (_, response) => response.writeHead(302, { location: 'http://x/' }).end(),
    ],
    [
      'a compressed answer',
      'encoded',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(),
    ],
    ['a part that does not say which', 'unranged', (_, response) => response.writeHead(206).end(FILE)],
    ['a connection that breaks', 'unreachable', (request) => request.socket.destroy()],
    ['no answer', 'slow', () => undefined],
    [
      'an answer without bytes',
      'slow',
      (_, response) => response.writeHead(200, { 'content-length': 9 }).flushHeaders(),
    ],
  ];
  test.each(FAILED)('%s: FAILED', async (_, fault, handler) => {
    const device = await faulty(handler, fault === 'slow' ? { patience: 100 } : {});
    expect(await device.read(0)).toEqual(kindOnly(LinkKind.FAILED));
    expect(device.faults()).toEqual([fault]);
  });

  test('another part than the one that was asked for: FAILED', async () => {
    const device = await faulty((_, response) =>
      response.writeHead(206, { 'content-range': 'bytes 2000-4999/5000' }).end(FILE.subarray(2000)),
    );
    expect(await device.read(1000)).toEqual(kindOnly(LinkKind.FAILED));
    expect(device.faults()).toEqual(['unranged']);
  });

  test('no server at all: FAILED, and once there is one the next request succeeds', async () => {
    const up = await upstream(serveFile);
    const { port } = up.server.address() as AddressInfo;
    await new Promise((closed) => up.server.close(closed));
    const device = new Device(up.url);
    expect(await device.read(0)).toEqual(kindOnly(LinkKind.FAILED));
    await new Promise<void>((listens) => up.server.listen(port, '127.0.0.1', listens));
    expect(await device.read(0)).toEqual(piece(0, 1000));
  });

  test('a name that could leave the base address: FAILED, and nothing is asked', async () => {
    const { url, asked } = await upstream(serveFile);
    const device = new Device(url);
    for (const name of ['../secret', 'a/../../b', '/etc', 'a//b', '.'])
      expect(await device.read(0, 10, name)).toEqual(kindOnly(LinkKind.FAILED));
    expect(asked).toEqual([]);
  });

  test.each([
    ['', { 'content-length': FILE.length }],
    [' of unknown length', {}],
  ])(
    'a transfer%s that breaks off: what came is given, and the next piece goes on with a range',
    async (_, headers) => {
      const up = await upstream((request, response) => {
        if (request.headers.range) return serveFile(request, response);
        response.writeHead(200, headers).write(FILE.subarray(0, 1500), () => response.destroy());
      });
      const device = new Device(up.url);
      const bytes: Buffer[] = [];
      for (let last = false; !last; ) {
        const next = await device.read(Buffer.concat(bytes).length);
        bytes.push(next.bytes);
        last = next.last || next.kind !== DATA;
      }
      expect(Buffer.compare(Buffer.concat(bytes), FILE)).toBe(0);
      expect(up.asked).toEqual(['/metadata/file', '/metadata/file bytes=1500-']);
      expect(device.faults()).toEqual([]);
    },
  );

  test('a transfer that always breaks off at the same byte: FAILED there, without asking for ever', async () => {
    const up = await upstream((request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const headers = { 'content-length': FILE.length - from, 'content-range': `bytes ${from}-4999/5000` };
      response.writeHead(from ? 206 : 200, headers);
      response.write(FILE.subarray(from, Math.max(from, 1500)), () => response.destroy());
      response.flushHeaders();
    });
    const device = new Device(up.url);
    let offset = 0;
    let next = await device.read(offset);
    for (let reads = 0; next.kind === DATA && reads < 10; reads++) {
      offset += next.bytes.length;
      next = await device.read(offset);
    }
    expect([offset, next.kind]).toEqual([1500, LinkKind.FAILED]);
    expect(up.asked.length).toBeLessThan(5);
  });

  test('that is none: a device that pauses for longer than a server may goes on with a range', async () => {
    const up = await upstream((request, response) => {
      if (request.headers.range) return serveFile(request, response);
      response.writeHead(200, { 'content-length': FILE.length }).write(FILE.subarray(0, 2000));
    });
    let paused = 0;
    const clock = { ...systemClock, now: () => Date.now() + paused };
    const device = new Device(up.url, { clock });
    expect(await device.read(0)).toEqual(piece(0, 1000));
    paused = 3_600_000;
    const { bytes } = await device.read(1000, 4000);
    const offset = 1000 + bytes.length;
    expect(await device.read(offset, 4000)).toEqual(piece(offset, 5000, true));
    expect(up.asked).toEqual(['/metadata/file', `/metadata/file bytes=${offset}-`]);
  });
});

describe('a device that', () => {
  /** A server that holds its answers back until it is told to go on, and how many it has seen given up. */
  async function holding() {
    const held: ServerResponse[] = [];
    const given: { up: number } = { up: 0 };
    const up = await upstream((_, response) => {
      held.push(response);
      response.once('close', () => {
        if (!response.writableEnded) given.up++;
      });
    });
    return { ...up, held, given };
  }

  const until = async (what: () => boolean) => {
    while (!what()) await new Promise((turn) => setTimeout(turn, 1));
  };

  test('repeats itself hears BUSY at once, and the answer once it is there', async () => {
    const up = await holding();
    const device = new Device(up.url);
    const frame = device.frame(LinkKind.READ, read(0));
    const answered = device.gateway.receive(frame);
    for (let times = 0; times < 3; times++) void device.gateway.receive(frame);
    expect(device.answers.map(({ kind }) => kind)).toEqual([LinkKind.BUSY, LinkKind.BUSY, LinkKind.BUSY]);
    await until(() => up.held.length === 1);
    up.held[0]?.end(FILE);
    await answered;
    expect(device.answers.map(({ kind }) => kind)).toEqual([
      LinkKind.BUSY,
      LinkKind.BUSY,
      LinkKind.BUSY,
      DATA,
    ]);
    expect(up.asked).toHaveLength(1);
  });

  test('asks for something else gets that, and the server is let go of', async () => {
    const up = await holding();
    const device = new Device(up.url, { patience: 600_000 });
    const first = device.gateway.receive(device.frame(LinkKind.READ, read(0, 10, 'first')));
    await until(() => up.held.length === 1);
    const second = device.gateway.receive(device.frame(LinkKind.READ, read(0, 10, 'second')));
    await until(() => up.held.length === 2);
    up.held[1]?.end(FILE);
    await Promise.all([first, second]);
    expect(device.answers.map(({ kind, sequence }) => [kind, sequence])).toEqual([[DATA, 2]]);
    await until(() => up.given.up === 1);
    expect(device.faults()).toEqual([]);
  });

  test('asks for something else in the middle of a file: the rest of that is not asked for again', async () => {
    const up = await upstream((request, response) => {
      if (request.url?.endsWith('other')) return serveFile(request, response);
      response.writeHead(200, { 'content-length': FILE.length }).write(FILE.subarray(0, 1000));
    });
    const device = new Device(up.url, { patience: 600_000 });
    expect(await device.read(0)).toEqual(piece(0, 1000));
    const stuck = device.gateway.receive(device.frame(LinkKind.READ, read(1000)));
    expect(await device.read(0, 1000, 'other')).toEqual(piece(0, 1000));
    await stuck;
    expect(up.asked).toEqual(['/metadata/file', '/metadata/other']);
  });

  test('floods it with different requests costs the server two of them', async () => {
    const up = await upstream(serveFile);
    const device = new Device(up.url);
    const flood = Array.from({ length: 2000 }, (_, index) => device.frame(LinkKind.READ, read(index)));
    await device.gateway.receive(Buffer.concat(flood));
    expect(up.asked.length).toBeLessThanOrEqual(2);
    expect(device.answers.map(({ sequence }) => sequence)).toEqual([2000]);
  });

  test.each([
    ['starts again', (device: Device) => device.session++, LinkKind.TIME],
    ['says HELLO', () => undefined, LinkKind.HELLO],
  ] as const)('%s makes it forget the transfer', async (_, change, kind) => {
    const up = await upstream(serveFile);
    const device = new Device(up.url);
    await device.read(0);
    change(device);
    await device.ask(kind, kind === LinkKind.HELLO ? Uint8Array.of(1) : undefined);
    expect(await device.read(1000)).toEqual(piece(1000, 2000));
    expect(up.asked).toEqual(['/metadata/file', '/metadata/file bytes=1000-']);
  });

  test('starts again in the same session is answered from its HELLO on', async () => {
    const device = new Device((await upstream(serveFile)).url);
    for (let requests = 0; requests < 5; requests++) await device.read(0);
    device.sequence = 0;
    expect(await device.ask(LinkKind.HELLO, Uint8Array.of(1))).toEqual(kindOnly(0x81));
    expect(await device.read(0)).toEqual(piece(0, 1000));
  });

  test('hears nothing to a request that the line has held back, and the transfer goes on', async () => {
    const up = await upstream(serveFile);
    const device = new Device(up.url);
    const late = device.frame(LinkKind.READ, read(0, 10, 'late'));
    await device.read(0);
    device.answers.length = 0;
    await device.gateway.receive(late);
    expect(device.answers).toEqual([]);
    expect(await device.read(1000)).toEqual(piece(1000, 2000));
    expect(up.asked).toEqual(['/metadata/file']);
  });

  test('counts its requests beyond 65,535 is answered', async () => {
    const device = new Device((await upstream(serveFile)).url);
    device.sequence = 0xfffd;
    for (let requests = 0; requests < 5; requests++)
      expect(await device.ask(LinkKind.TIME)).toEqual(kindOnly(0x82));
  });
});

describe('the line', () => {
  const FRAMES = [0, 1, 253, 254, 255, 508, 509, 1024].flatMap((length, index) =>
    [0x00, 0x01, 0xff].map((fill) => ({
      kind: index + 1,
      flags: index & 1,
      sequence: 255 * index,
      session: 0x0100_0000 * index,
      payload: new Uint8Array(length).fill(fill),
    })),
  );

  test('carries frames of any length and content, whole, split and byte by byte', () => {
    const bytes = Buffer.concat(FRAMES.map(encodeFrame));
    for (const size of [bytes.length, 7, 1]) {
      const decoder = new FrameDecoder();
      const found: Frame[] = [];
      for (let from = 0; from < bytes.length; from += size)
        found.push(...decoder.push(bytes.subarray(from, from + size)));
      expect(found).toEqual(FRAMES);
    }
  });

  test('[CERT-0-4] never makes a frame of one that was spoiled, nor of noise', () => {
    const random = new Random(1);
    const decoder = new FrameDecoder();
    for (let index = 0; index < 8000; index++) {
      const payload = random.bytes(random.below(60));
      const frame = { kind: 1 + random.below(255), flags: 0, sequence: 1, session: random.next(), payload };
      const bytes = encodeFrame(frame);
      const at = random.below(bytes.length);
      const spoiled = bytes.map((byte, place) => (place === at ? byte ^ (1 + random.below(255)) : byte));
      expect([
        ...decoder.push(spoiled),
        ...decoder.push(random.bytes(40)),
        ...decoder.push(Uint8Array.of(0)),
      ]).toEqual([]);
      expect([...decoder.push(bytes)]).toHaveLength(1);
    }
  });

  test('[CERT-0-4] may bring noise, and a frame that never ends, for ever: a request behind it is answered', async () => {
    const device = new Device('http://127.0.0.1:1');
    const random = new Random(2);
    for (let megabytes = 0; megabytes < 5; megabytes++) {
      await device.gateway.receive(random.bytes(500_000));
      await device.gateway.receive(new Uint8Array(500_000).fill(0xff));
    }
    expect(await device.ask(LinkKind.TIME)).toEqual(kindOnly(0x82));
  });

  test('brings frames longer than any request: they are none', () => {
    const frame = { kind: 3, flags: 0, sequence: 1, session: 1, payload: new Uint8Array(1025) };
    expect([...new FrameDecoder().push(encodeFrame(frame))]).toEqual([]);
  });

  test('ends, and so does serving it', async () => {
    const { url } = await upstream(serveFile);
    const [input, output] = [new PassThrough(), new PassThrough()];
    const served = serveLink(input, output, { metadataUrl: url, targetsUrl: url });
    const device = new Device(url);
    input.write(device.frame(LinkKind.TIME));
    const [answer] = new FrameDecoder().push((await output[Symbol.asyncIterator]().next()).value);
    expect(answer).toEqual(kindOnly(0x82));
    input.end();
    await served;
  });

  test('whose device reads nothing: answers are not kept for it', async () => {
    const { url } = await upstream(serveFile);
    const [input, output] = [new PassThrough(), new PassThrough({ highWaterMark: 1000 })];
    const served = serveLink(input, output, { metadataUrl: url, targetsUrl: url });
    const device = new Device(url);
    for (let requests = 0; requests < 5000; requests++) {
      if (!input.write(device.frame(LinkKind.TIME)))
        await new Promise((drained) => input.once('drain', drained));
    }
    input.end();
    await served;
    expect(output.readableLength + output.writableLength).toBeLessThan(5000);
  });
});
