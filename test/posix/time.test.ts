// Signed time of a device that has only a line: its gateway passes datagrams on, to the real time server over UDP.
import { createSocket } from 'node:dgram';
import { describe, expect } from 'vitest';
import { State, Status } from '../../host/node/abi.ts';
import type { Exchange } from '../../host/node/datagram.ts';
import { generateKey, type SigningKey } from '../../repo/index.ts';
import { serveRoughtime } from '../../server/roughtime/server.ts';
import { COMPILED_DEVICE_PROGRAM, DEVICE_PROGRAM } from '../../sim/process.ts';
import { START } from '../../sim/scenarios/world.ts';
import { withCompiledDevice } from '../fixtures/aot.ts';
import { SANITIZED_DEVICE, withPosix, withSanitizers } from '../fixtures/posix.ts';
import { PosixWorld, release } from './world.ts';

const NOW = START + 7200;

interface Heard {
  readonly checked: number | undefined;
  readonly time: string | number | undefined;
  readonly latest: number | undefined;
}

/** One check of a device that needs the time by this key; what it reported. */
async function check(
  key: SigningKey,
  time: { readonly timeServers?: readonly string[]; readonly timeExchange?: Exchange },
  program?: string,
): Promise<Heard> {
  const world = new PosixWorld({
    ...(program && { program }),
    configuration: { timeKeys: [key.public.keyval.public], needsTime: true },
    time,
  });
  if (time.timeServers) world.repository.publish(release(1));
  const { checked } = await world.device.update();
  const { status, state = [] } = checked ?? {};
  return { checked: status, time: (state[State.TIME_STATUS] ?? 0) | 0, latest: state[State.LATEST_TIME] };
}

async function withServer<T>(key: SigningKey, use: (at: string) => Promise<T>): Promise<T> {
  const server = await serveRoughtime({
    keys: [key],
    clock: () => NOW,
    radius: 5,
    host: '127.0.0.1',
    port: 0,
  });
  try {
    return await use(`127.0.0.1:${server.port}`);
  } finally {
    await server.close();
  }
}

const GOOD = { checked: Status.UP_TO_DATE, time: 0, latest: NOW - 5 };

describe('[TUF-7] [UPT-1] a device on a line', () => {
  for (const [engine, program, withProgram] of [
    ['under wasm3', DEVICE_PROGRAM, withPosix],
    ['compiled ahead of time', COMPILED_DEVICE_PROGRAM, withCompiledDevice],
    ['with sanitizers', SANITIZED_DEVICE, withSanitizers],
  ] as const)
    withProgram(`${engine} has the time from a server through its gateway`, async () => {
      const key = generateKey();
      await withServer(key, async (at) => {
        expect(await check(key, { timeServers: [at] }, program)).toEqual(GOOD);
      });
    });

  withPosix('does not believe a gateway that keeps an old answer, or makes one', async () => {
    const key = generateKey();
    await withServer(key, async (at) => {
      let old: Uint8Array | undefined;
      const ask = (request: Uint8Array, suits: (answer: Uint8Array) => boolean) =>
        new Promise<void>((done) => {
          const socket = createSocket('udp4');
          socket.on('message', (answer) => {
            old ??= answer;
            suits(old);
            socket.close(() => done());
          });
          socket.send(request, Number(at.split(':')[1]), '127.0.0.1');
        });
      expect(await check(key, { timeExchange: ask })).toEqual(GOOD);
      expect(await check(key, { timeExchange: ask })).toMatchObject({
        checked: Status.TIME_REPLAYED,
        time: Status.TIME_REPLAYED,
      });
      for (const length of [1, 20, 1024])
        expect(
          await check(key, { timeExchange: async (_, suits) => void suits(Buffer.alloc(length, 1)) }),
        ).toMatchObject({ checked: Status.TIME_INVALID });
      // Too long for a frame of the device: nothing that it could take.
      expect(
        await check(key, { timeExchange: async (_, suits) => void suits(Buffer.alloc(1025)) }),
      ).toMatchObject({ checked: Status.TIME_MISSING });
    });
  });

  withPosix('ends with the finding when no server answers the gateway', async () => {
    expect(await check(generateKey(), {})).toMatchObject({
      checked: Status.TIME_MISSING,
      time: Status.TIME_MISSING,
      latest: START - 1000,
    });
  });
});
