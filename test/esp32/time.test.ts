// Signed time of a device with a network of its own: it asks time servers over UDP itself.
import { createSocket, type Socket } from 'node:dgram';
import { afterAll, expect } from 'vitest';
import { State, Status } from '../../host/node/abi.ts';
import { generateKey, type SigningKey } from '../../repo/index.ts';
import { type RoughtimeServer, serveRoughtime } from '../../server/roughtime/server.ts';
import { IDF6, withEsp32 } from '../fixtures/esp32.ts';
import { ChipWorld, seconds } from './world.ts';

/** Seconds: more than what a device remembers the time by. */
const AHEAD = 7200;
const RADIUS = 5;

const servers: (RoughtimeServer | Socket)[] = [];

afterAll(async () => {
  for (const server of servers) await server.close();
});

/** A time server that is ahead of the device's clock, by this key. */
async function serve(key: SigningKey): Promise<string> {
  const clock = () => seconds() + AHEAD;
  const server = await serveRoughtime({ keys: [key], clock, radius: RADIUS, host: '127.0.0.1', port: 0 });
  servers.push(server);
  return `127.0.0.1:${server.port}`;
}

/** A server that answers every datagram with these bytes. */
async function serveBytes(answer: Uint8Array): Promise<string> {
  const socket = createSocket('udp4');
  servers.push(socket);
  socket.on('message', (_, from) => socket.send(answer, from.port, from.address));
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  return `127.0.0.1:${socket.address().port}`;
}

/** One check of a device that needs the time by this key: what it came to, and how far its time is ahead. */
async function check(key: SigningKey, ...options: string[]) {
  const timeKeys = [key.public.keyval.public];
  const world = new ChipWorld({ program: IDF6, configuration: { timeKeys, needsTime: true } });
  const { status } = await world.run(...options);
  const ahead = world.core().stateRead(State.LATEST_TIME) - seconds();
  return { status, isAhead: ahead > AHEAD - RADIUS - 60 && ahead <= AHEAD };
}

withEsp32('[TUF-7] a device has the time from a server, and not from its clock', async () => {
  const key = generateKey();
  expect(await check(key, '--time', await serve(key))).toEqual({ status: Status.UP_TO_DATE, isAhead: true });
});

withEsp32('where one server is silent, or has another key, the next one is asked', async () => {
  const key = generateKey();
  const list = ['127.0.0.1:9', await serve(generateKey()), await serve(key)].join(' ');
  expect(await check(key, '--time', list)).toEqual({ status: Status.UP_TO_DATE, isAhead: true });
});

withEsp32('[TUF-7] without a server that is believed there is no check', async () => {
  const key = generateKey();
  const nobody = { status: Status.TIME_MISSING, isAhead: false };
  expect(await check(key)).toEqual(nobody);
  expect(await check(key, '--time', await serve(generateKey()))).toEqual(nobody);
});

for (const [what, length, status] of [
  ['is longer than any may be', 4000, Status.TIME_MISSING],
  ['is none', 40, Status.TIME_INVALID],
] as const)
  withEsp32(`an answer that ${what} is refused`, async () => {
    const answer = await serveBytes(new Uint8Array(length).fill(1));
    expect((await check(generateKey(), '--time', answer)).status).toBe(status);
  });

withEsp32('an address that is none is refused before anything is asked for', async () => {
  for (const address of ['127.0.0.1', ':2002', '127.0.0.1:', '127.0.0.1:http', '127.0.0.1:1  127.0.0.1:2'])
    expect((await check(generateKey(), '--time', address)).status).toBe(Status.BAD_ARGUMENT);
});
