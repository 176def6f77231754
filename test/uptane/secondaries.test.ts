// A vehicle of a Primary and two Secondaries, one that verifies in full and one in part, each with its own core: an update
// is for all of them or for none. Who refuses, who is silent, who lies, and who sits on a line in between.
import { describe, expect, test } from 'vitest';
import { FetchKind, Status } from '../../host/node/abi.ts';
import { type Frame, LinkKind } from '../../host/node/link.ts';
import type { PrimaryEvent } from '../../host/node/primary.ts';
import { Car, type CarOptions } from '../../sim/car.ts';
import { changeAnswers, changeData, record, replay } from '../../sim/meddler.ts';

interface Watched {
  readonly car: Car;
  readonly events: PrimaryEvent[];
  /** ECUs that confirmed an image, in order. */
  readonly confirmed: string[];
  /** Findings of Secondaries: "radio IMAGE_MISMATCH". */
  readonly findings: string[];
}

const NAMES = new Map(Object.entries(Status).map(([name, status]) => [status as number, name]));

/** A vehicle that has come to rest on release 1. */
async function settled(options: CarOptions = {}): Promise<Watched> {
  const events: PrimaryEvent[] = [];
  const confirmed: string[] = [];
  const findings: string[] = [];
  const car = new Car({
    ...options,
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'confirmed') confirmed.push('gateway');
      if (event.type === 'finding') findings.push(`gateway ${NAMES.get(event.status)}`);
    },
    onSecondary: (serial, event) => {
      if (event.type === 'confirmed') confirmed.push(serial);
      if (event.type === 'finding') findings.push(`${serial} ${NAMES.get(event.status)}`);
    },
  });
  expect(await car.run()).toBe(true);
  // Before the Primary's first check there was nothing for Secondaries.
  expect(new Set(findings)).toEqual(new Set(['brakes NETWORK', 'radio NETWORK']));
  await nextCheck(car);
  findings.splice(0);
  events.splice(0);
  return { car, events, confirmed, findings };
}

/** All check once more. */
async function nextCheck(car: Car): Promise<void> {
  car.clock.set(car.clock.seconds() + 100);
  expect(await car.run()).toBe(true);
}

function kinds(events: readonly PrimaryEvent[]): string[] {
  return events.map(({ type }) => type).filter((type) => /^(?:begun|committed|given-up)$/.test(type));
}

/** Nobody boots anything. */
async function nobodyBoots({ car, confirmed, events }: Watched, seconds = 400): Promise<void> {
  const before = new Map(car.boots);
  await car.run(seconds);
  expect(kinds(events)).toEqual([]);
  expect(confirmed).toEqual([]);
  expect(car.versions).toEqual([1, 1, 1]);
  // Each was switched on once, by us.
  for (const [serial, boots] of car.boots) expect(boots - (before.get(serial) ?? 0)).toBeLessThanOrEqual(1);
}

describe('an update of a vehicle [UPT-1]', () => {
  test('all hold their images, then all boot, then all stay', async () => {
    const { car, events, confirmed, findings } = await settled();
    car.release(2);
    expect(await car.run()).toBe(true);
    expect(car.versions).toEqual([2, 2, 2]);
    expect(kinds(events)).toEqual(['begun', 'committed']);
    expect(confirmed.toSorted()).toEqual(['brakes', 'gateway', 'radio']);
    // No Secondary saw parts of two checks, though the Primary's next one came while it asked.
    expect(findings).toEqual([]);
  });

  test('a Secondary fetches what its Primary has verified, over its line, and nothing from a server', async () => {
    const { car, events } = await settled();
    car.release(2);
    await car.run();
    const asked = car.network.requests.map(({ path }) => path);
    const images = asked.filter((path) => path.startsWith('targets/app/rf-3/2'));
    expect(images).toHaveLength(1);
    const names = events.flatMap((event) =>
      event.type === 'secondary' && event.event.type === 'fetch' ? [event.event.name] : [],
    );
    expect(names.filter((name) => name.startsWith('app/rf-3/2'))).toHaveLength(1);
  });

  test('an update for one ECU alone touches no other', async () => {
    const { car, events, confirmed } = await settled();
    car.release(2);
    car.direct(1, ['gateway', 'brakes']);
    expect(await car.run()).toBe(true);
    expect(car.versions).toEqual([1, 1, 2]);
    expect(confirmed).toEqual(['radio']);
    expect(kinds(events)).toEqual(['begun', 'committed']);
  });

  test('Secondaries that slept while both repositories rotated their roots twice are given each root', async () => {
    const { car } = await settled();
    car.dark.add('brakes').add('radio');
    for (const role of ['root', 'targets'] as const) {
      car.director.rotate(role);
      car.images.rotate(role);
      await car.run(200);
    }
    car.dark.clear();
    car.release(2);
    expect(await car.run()).toBe(true);
    expect(car.versions).toEqual([2, 2, 2]);
  });

  test('the user says when: until then all hold, and nobody boots', async () => {
    let suits = false;
    const watched = await settled({ mayReboot: () => suits });
    watched.car.release(2);
    await nobodyBoots(watched);
    suits = true;
    expect(await watched.car.run()).toBe(true);
    expect(watched.car.versions).toEqual([2, 2, 2]);
  });
});

describe('an update of a vehicle without its Director [UPT-1, UPT-3]', () => {
  test.each([
    ['for all with the hardware', false],
    ['for the ECUs that it names', true],
  ])(
    '%s: all ECUs have it, also the one that verifies in part, and then follow the Director again',
    async (_, named) => {
      const { car, events, findings } = await settled();
      car.publish(2);
      car.directOffline(2, named);
      expect(await car.run()).toBe(true);
      expect(car.versions).toEqual([2, 2, 2]);
      expect(kinds(events)).toEqual(['begun', 'committed']);
      expect(findings).toEqual([]);
      car.release(3);
      expect(await car.run()).toBe(true);
      expect(car.versions).toEqual([3, 3, 3]);
    },
  );

  test('one refuses and none confirms', async () => {
    const { car, events } = await settled();
    car.publish(2, { broken: ['radio'] });
    car.directOffline(2);
    await car.run();
    expect(car.versions).toEqual([1, 1, 1]);
    expect(kinds(events)).not.toContain('committed');
  });
});

describe('one refuses and none confirms [UPT-1]', () => {
  test.each([['brakes'], ['radio'], ['gateway']])(
    '%s has an image that fails its self-test',
    async (serial) => {
      const { car, events, confirmed } = await settled();
      car.release(2, { broken: [serial] });
      expect(await car.run(400)).toBe(false);
      expect(car.versions).toEqual([1, 1, 1]);
      expect(confirmed).toEqual([]);
      expect(kinds(events)).toEqual(['begun', 'given-up']);
      expect(events).toContainEqual({ type: 'given-up', reason: 'refused', ecus: [serial] });
      // The images of the others are held against nobody: with another one for the ECU that refused they are installed.
      car.release(3);
      car.direct(
        2,
        car.ecus.map((ecu) => ecu.serial).filter((other) => other !== serial),
      );
      expect(await car.run()).toBe(true);
      expect(car.versions).toEqual(car.ecus.map((ecu) => (ecu.serial === serial ? 3 : 2)));
    },
  );

  test('one is silent from the start: nobody boots, and with it all do', async () => {
    const watched = await settled();
    watched.car.release(2);
    watched.car.dark.add('radio');
    await nobodyBoots(watched);
    watched.car.dark.clear();
    expect(await watched.car.run()).toBe(true);
    expect(watched.car.versions).toEqual([2, 2, 2]);
  });

  test.each([['brakes'], ['radio']])('%s falls silent on trial: the others go back', async (serial) => {
    const { car, events, confirmed } = await settled();
    car.release(2);
    car.device(serial).power.watch = () => {
      if (events.some(({ type }) => type === 'begun')) car.dark.add(serial);
      return undefined;
    };
    // Its answers to "is it there" end with its power.
    car.meddlers.set(serial, (bytes) => (car.dark.has(serial) ? undefined : bytes));
    expect(await car.run(1300)).toBe(false);
    expect(kinds(events)).toEqual(['begun', 'given-up']);
    expect(events).toContainEqual({ type: 'given-up', reason: 'late', ecus: [serial] });
    expect(confirmed).toEqual([]);
    car.device(serial).power.watch = undefined;
    car.meddlers.clear();
    car.dark.clear();
    expect(await car.run()).toBe(true);
    expect(car.versions).toEqual([2, 2, 2]);
  });
});

describe('partial bundle: somebody on the line of one Secondary [UPT-1]', () => {
  const toImages = ({ read }: { read: { fileKind: number } | undefined }) =>
    read?.fileKind === FetchKind.TARGET;

  test('withholds its image', async () => {
    const watched = await settled();
    watched.car.release(2);
    watched.car.meddlers.set(
      'radio',
      changeAnswers((frame, asked) => (toImages(asked) ? undefined : frame)),
    );
    await nobodyBoots(watched);
    expect(watched.findings).toContain('radio NETWORK');
  });

  test('changes its image', async () => {
    const watched = await settled();
    watched.car.release(2);
    const flip = changeData((data, read) =>
      toImages({ read }) ? data.map((byte, index) => (index === 7 ? byte ^ 1 : byte)) : data,
    );
    watched.car.meddlers.set('radio', changeAnswers(flip));
    await nobodyBoots(watched);
    expect(watched.findings).toContain('radio IMAGE_MISMATCH');
  });

  test('gives it the image of another ECU', async () => {
    const watched = await settled();
    watched.car.release(2);
    const { files } = watched.car.images;
    const other = [...files].find(([path]) => path.startsWith('targets/app/br-2/2'))?.[1] ?? new Uint8Array();
    const swap = changeData((data, read) =>
      toImages({ read }) ? other.subarray(read.offset, read.offset + data.length) : data,
    );
    watched.car.meddlers.set('radio', changeAnswers(swap));
    await nobodyBoots(watched);
    expect(watched.findings).toContain('radio IMAGE_MISMATCH');
  });

  test.each([['brakes'], ['radio']])('shows %s what it was shown before: freeze', async (serial) => {
    const heard = new Map<string, Frame>();
    const watched = await settled();
    watched.car.meddlers.set(serial, changeAnswers(record(heard)));
    await nextCheck(watched.car);
    expect(heard.size).toBeGreaterThan(1);
    watched.car.release(2);
    watched.car.meddlers.set(serial, changeAnswers(replay(heard)));
    await nobodyBoots(watched);
  });

  test('shows one that verifies in full old files of one repository beside new ones of the other: mix-and-match', async () => {
    const heard = new Map<string, Frame>();
    const watched = await settled();
    watched.car.meddlers.set('brakes', changeAnswers(record(heard)));
    await nextCheck(watched.car);
    watched.car.release(2);
    const ofImages = new Map([...heard].filter(([key]) => key.startsWith(`${FetchKind.METADATA} `)));
    expect(ofImages.size).toBeGreaterThan(0);
    watched.car.meddlers.set('brakes', changeAnswers(replay(ofImages)));
    await nobodyBoots(watched);
    expect(watched.findings).toContain('brakes TARGET_UNKNOWN');
  });

  test('lets it hold its image and keeps its word from the Primary', async () => {
    const watched = await settled();
    watched.car.release(2);
    const silence = changeAnswers((frame, { kind }) => (kind === LinkKind.CONSENT ? undefined : frame));
    watched.car.meddlers.set('radio', (bytes, from) => {
      const passed = silence(bytes, from);
      return from === 'secondary' && bytes[3] === LinkKind.CONSENT ? undefined : passed;
    });
    expect(await watched.car.run(400)).toBe(false);
    expect(watched.confirmed).toEqual([]);
  });
});

test('[UPT-1] a server that gives another image for a Secondary: the Primary keeps nothing of that check', async () => {
  const watched = await settled();
  watched.car.release(2);
  const { source } = watched.car.network;
  watched.car.network.source = async (path) => {
    const honest = await source(path);
    return path.startsWith('targets/app/rf-3/2') ? honest?.map((byte) => byte ^ 1) : honest;
  };
  await nobodyBoots(watched);
  const refused = watched.events.find(({ type }) => type === 'image-refused');
  expect(refused).toEqual({
    type: 'image-refused',
    path: 'app/rf-3/2.0.0/firmware.bin',
    status: Status.HASH_MISMATCH,
  });
  expect(watched.events.some(({ type }) => type === 'kept')).toBe(false);
  watched.car.network.source = source;
  expect(await watched.car.run()).toBe(true);
  expect(watched.car.versions).toEqual([2, 2, 2]);
});

describe('what the Director must not order [UPT-1, ETSI-3.10]', () => {
  test('an image for another hardware: the Primary keeps nothing of that, for anybody', async () => {
    const watched = await settled();
    watched.car.release(2);
    const release = watched.car.images.releaseAt('app/rf-3/2.0.0/firmware.bin');
    watched.car.director.direct([
      { serial: 'radio', hardwareId: 'rf-3', release },
      { serial: 'brakes', hardwareId: 'br-2', release },
    ]);
    await nobodyBoots(watched);
    expect(watched.findings).toContain('gateway HARDWARE_MISMATCH');
    expect(watched.events.some(({ type }) => type === 'kept')).toBe(false);
  });

  test('an image that only stolen keys of the Director vouch for: not even one that verifies in part gets it', async () => {
    const watched = await settled();
    const evil = new Uint8Array(3000).fill(0x57);
    watched.car.images.publish({ image: evil, version: '9.0.0', releaseCounter: 9, hardwareIds: ['rf-3'] });
    const release = watched.car.images.releaseAt('app/rf-3/9.0.0/firmware.bin');
    watched.car.images.withdraw(release.path);
    watched.car.director.direct([{ serial: 'radio', hardwareId: 'rf-3', release }]);
    await nobodyBoots(watched);
    expect(watched.findings.filter((finding) => finding !== 'gateway TARGET_UNKNOWN')).toEqual([]);
    expect(watched.car.depot.names().length).toBeGreaterThan(0);
  });
});
