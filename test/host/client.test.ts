import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Area, FetchKind, Role, Status } from '../../host/node/abi.ts';
import { Client, type ClientEvent } from '../../host/node/client.ts';
import { systemClock } from '../../host/node/clock.ts';
import { SimDevice } from '../../sim/device.ts';
import { badWeather } from '../../sim/network.ts';
import { PowerCut } from '../../sim/power.ts';
import { Random } from '../../sim/random.ts';
import { SimRepository } from '../../sim/repository.ts';
import { HARDWARE, RELEASE_1, RELEASE_2, World } from '../../sim/scenarios/world.ts';

function watched(options: ConstructorParameters<typeof World>[0] = {}) {
  const events: ClientEvent[] = [];
  const world = new World({ ...options, onEvent: (event) => events.push(event) });
  const lines = () => events.filter(({ type }) => type !== 'progress').map(lineOf);
  return { world, events, lines };
}

function lineOf(event: ClientEvent): string {
  const rest = { ...event, message: undefined };
  return Object.values(rest)
    .filter((value) => value !== undefined)
    .join(' ');
}

const IMAGE_NAME = /^app\/sim\/1\.1\.0\/[0-9a-f]{64}\.firmware\.bin$/;

describe('the client loop', () => {
  test('[CERT-0-1] [TUF-5] finds, installs and confirms a release without anybody, in the order of the specification', async () => {
    const { world, events, lines } = watched();
    world.repository.publish(RELEASE_2);
    expect(await world.update()).toMatchObject({
      action: 'wait',
      status: Status.UP_TO_DATE,
      role: Role.NONE,
    });
    const image = events.find((event) => event.type === 'fetch' && event.kind === FetchKind.TARGET);
    const name = image?.type === 'fetch' ? image.name : '';
    expect(name).toMatch(IMAGE_NAME);
    expect(lines()).toEqual([
      'fetch 2.root.json 0 0',
      'absent 2.root.json',
      'fetch timestamp.json 0 0',
      'accepted timestamp.json 0',
      'fetch 3.snapshot.json 0 0',
      'accepted 3.snapshot.json 0',
      'fetch 3.targets.json 0 0',
      'accepted 3.targets.json 0',
      `fetch ${name} 1 0`,
      `accepted ${name} 1`,
      'installed 1.1.0 10001',
      'reboot',
      'confirmed 1.1.0',
      'fetch 2.root.json 0 0',
      'absent 2.root.json',
      'fetch timestamp.json 0 0',
      'accepted timestamp.json 0',
      'up-to-date 1.1.0',
    ]);
  });

  test('progress counts up to the length that is signed', async () => {
    const { world, events } = watched();
    world.repository.publish(RELEASE_2);
    await world.update();
    const progress = events.filter((event) => event.type === 'progress' && event.kind === FetchKind.TARGET);
    const received = progress.map((event) =>
      event.type === 'progress' ? [event.received, event.total] : [],
    );
    expect(received).toEqual(
      Array.from({ length: 10 }, (_, index) => [Math.min(1024 * (index + 1), 10_001), 10_001]),
    );
  });

  test.each([1, 7, 1023, 1024, 1025, 100_000])(
    'an answer that comes in pieces of %i bytes gives the same result',
    async (chunk) => {
      const { world } = watched();
      world.network.conduct = () => ({ chunk });
      world.repository.publish(RELEASE_2);
      expect((await world.update()).status).toBe(Status.UP_TO_DATE);
      expect(world.device.running(10_001)).toEqual(RELEASE_2.image);
    },
  );

  test('an image whose connection breaks goes on where it broke', async () => {
    const { world } = watched();
    world.repository.publish(RELEASE_2);
    world.network.conduct = (path) => (path.startsWith('targets/') ? { breakAfter: 3000 } : {});
    await world.update();
    const offsets = world.network.requests
      .filter(({ path }) => path.startsWith('targets/'))
      .map(({ offset }) => offset);
    expect(offsets).toEqual([0, 3000, 6000, 9000]);
    expect(world.device.running(10_001)).toEqual(RELEASE_2.image);
  });

  test('[CERT-I-1] an image that flash does not keep as it arrived is never selected', async () => {
    const { world } = watched();
    world.repository.publish(RELEASE_2);
    const { flash } = world.device;
    const write = flash.write.bind(flash);
    flash.write = (area, offset, data) =>
      write(area, offset, area === Area.SLOT_B && offset === 4096 ? data.map((byte) => byte | 1) : data);
    const outcome = await world.update();
    expect([outcome.status, outcome.role]).toEqual([Status.FLASH_VERIFY, Role.IMAGE]);
    world.device.powerOn();
    expect(world.device.slots).toBe(0);
  });

  test('after a power cut a download goes on at the last whole block', async () => {
    const { world } = watched();
    world.repository.publish(RELEASE_2);
    const { power } = world.device;
    world.network.conduct = (path) => {
      if (path.startsWith('targets/'))
        power.plan({ operation: power.operations + 13, kind: 'before', units: 0 });
      return {};
    };
    await world.update();
    expect(power.cuts).toBeGreaterThan(0);
    const offsets = world.network.requests
      .filter(({ path }) => path.startsWith('targets/'))
      .map(({ offset }) => offset);
    expect(offsets).toEqual([0, 8192]);
    expect(world.device.running(10_001)).toEqual(RELEASE_2.image);
  });

  test('bytes from the start of a server that ignores ranges are never written at the offset', async () => {
    const { world } = watched();
    world.repository.publish(RELEASE_2);
    let answers = 0;
    world.network.conduct = (path) =>
      path.startsWith('targets/') ? (answers++ === 0 ? { breakAfter: 6000 } : { ignoreRange: true }) : {};
    expect((await world.update()).status).toBe(Status.UP_TO_DATE);
    expect(answers).toBe(2);
    expect(world.device.running(10_001)).toEqual(RELEASE_2.image);
  });

  test('a server that ends early without saying how much there is does not get half an image installed', async () => {
    const { world } = watched();
    world.repository.publish(RELEASE_2);
    world.network.conduct = (path) =>
      path.startsWith('targets/') ? { endAfter: 575, ignoreRange: true } : {};
    for (let checks = 0; checks < 3; checks++) {
      await world.update();
      expect([world.device.slots, world.device.running(12_000)]).toEqual([0, RELEASE_1.image]);
    }
    world.network.conduct = () => ({});
    await world.update();
    expect(world.device.running(10_001)).toEqual(RELEASE_2.image);
  });

  test('a server that is down is a finding, and the next check comes soon', async () => {
    const { world, lines } = watched();
    world.network.conduct = () => ({ drop: true });
    const begun = world.clock.seconds();
    expect(await world.update()).toEqual({
      action: 'wait',
      status: Status.NETWORK,
      role: Role.ROOT,
      until: expect.toSatisfy((until: number) => until > begun + 44 && until <= begun + 60),
    });
    expect(lines()).toEqual([
      'fetch 2.root.json 0 0',
      'interrupted 2.root.json unreachable',
      'finding -80 0',
    ]);
  });

  test('[CERT-C-6] in any weather the device ends up with the release', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { world } = watched({ seed });
      world.network.conduct = badWeather(new Random(seed), 0.3);
      world.repository.publish(RELEASE_2);
      for (let checks = 0; checks < 60 && (await world.update()).status !== Status.UP_TO_DATE; checks++)
        world.clock.set(world.clock.seconds() + 60);
      expect(world.device.running(10_001)).toEqual(RELEASE_2.image);
    }
  });

  test('a power cut in the middle of an answer drops the connection', async () => {
    const { world } = watched();
    world.repository.publish(RELEASE_2);
    const { power } = world.device;
    const core = world.device.powerOn();
    let dropped = false;
    const client = new Client({
      metadataUrl: 'https://sim/metadata/',
      targetsUrl: 'https://sim/targets/',
      clock: world.clock,
      fetch: async (url, init) => {
        if (!url.includes('/targets/')) return world.network.fetch(url, init);
        power.plan({ operation: power.operations + 3, kind: 'before', units: 0 });
        init.signal?.addEventListener('abort', () => {
          dropped = true;
        });
        return world.network.fetch(url, init);
      },
    });
    await expect(world.clock.run(client.check(core))).rejects.toThrow(PowerCut);
    expect(dropped).toBe(true);
  });
});

test('sixteen devices update at once from a real server, in one process', async () => {
  const repository = new SimRepository(() => Math.floor(Date.now() / 1000));
  repository.publish(RELEASE_1);
  const server = createServer((request, response) => {
    const file = repository.source((request.url ?? '').slice(1));
    if (!file) response.writeHead(404).end();
    else response.end(file);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const devices = Array.from(
    { length: 16 },
    () =>
      new SimDevice({
        root: repository.root,
        image: RELEASE_1.image,
        configuration: {
          hardwareId: HARDWARE,
          component: 'app',
          version: '1.0.0',
          releaseCounter: 1,
          securityCounter: 1,
          buildTime: 1_700_000_000,
          checkInterval: 60,
        },
        client: { metadataUrl: `${url}/metadata`, targetsUrl: `${url}/targets`, clock: systemClock },
      }),
  );
  await Promise.all(devices.map((device) => device.update()));
  repository.publish(RELEASE_2);
  const outcomes = await Promise.all(devices.map((device) => device.update()));
  server.close();
  server.closeAllConnections();
  expect(outcomes.map(({ status }) => status)).toEqual(devices.map(() => Status.UP_TO_DATE));
  for (const device of devices) expect(device.running(10_001)).toEqual(RELEASE_2.image);
});
