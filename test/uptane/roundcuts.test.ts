// An update of a vehicle, and the power of one of its ECUs fails after each operation of its flash and of what the
// Primary keeps; inside of operations are the cuts of test/install/powercut.test.ts. All ECUs have the update then; where
// one refuses, none has.
import { describe, expect, test } from 'vitest';
import { Car, type CarOptions, ECUS } from '../../sim/car.ts';

interface Played {
  readonly car: Car;
  /** Of the Primary and of Secondaries, by their types. */
  readonly events: string[];
  /** ECUs that confirmed an image, and those that took one back that works. */
  readonly confirmed: string[];
  readonly withdrawn: string[];
  /** Those that confirmed one of which it was not decided. */
  readonly early: string[];
}

/** A vehicle on release 1, and another release that is directed to it. */
async function played(options: CarOptions = {}, broken: readonly string[] = []): Promise<Played> {
  const events: string[] = [];
  const confirmed: string[] = [];
  const withdrawn: string[] = [];
  const early: string[] = [];
  const note = (serial: string, type: string) => {
    events.push(type);
    if (type === 'confirmed') confirmed.push(serial);
    if (type === 'confirmed' && !isDecided(car, serial)) early.push(serial);
    if (type === 'withdrawn') withdrawn.push(serial);
  };
  const car = new Car({
    ...options,
    onEvent: ({ type }) => note(car.primary.serial, type),
    onSecondary: (serial, { type }) => note(serial, type),
  });
  await release(car, broken);
  return { car, events, confirmed, withdrawn, early };
}

/** As it would be read after a power cut. */
function isDecided(car: Car, serial: string): boolean {
  const decision = JSON.parse(Buffer.from(car.depot.read('decision.json') ?? '{}').toString());
  return decision.committed?.[serial] === 2;
}

async function release(car: Car, broken: readonly string[]): Promise<void> {
  await car.run();
  car.clock.set(car.clock.seconds() + 100);
  await car.run();
  car.release(2, { broken });
}

/** What an ECU does on the way, when no power fails; `begun`: how much of it before all are told to boot. */
async function operations(serial: string, broken: readonly string[] = []) {
  const car = new Car({
    onEvent: ({ type }) => {
      if (type === 'begun') begun = car.device(serial).power.operations;
    },
  });
  let begun = 0;
  await release(car, broken);
  const { power } = car.device(serial);
  const first = power.operations;
  await car.run(300);
  return { count: power.operations - first, begun: begun - first };
}

const SERIALS = ECUS.map(({ serial }) => serial);

describe.each(SERIALS)('[UPT-1] the power of %s fails', (serial) => {
  test('at each operation of an update: all ECUs have it in the end, and none went back', async () => {
    const { count } = await operations(serial);
    for (let operation = 0; operation < count; operation++) {
      const { car, withdrawn, early } = await played();
      const { power } = car.device(serial);
      power.plan({ operation: power.operations + operation, kind: 'after', units: 0 });
      const cut = `operation ${operation} of ${count}`;
      expect(await car.run(3600), cut).toBe(true);
      expect(power.cuts, cut).toBe(1);
      expect(car.versions, cut).toEqual([2, 2, 2]);
      expect([withdrawn, early], cut).toEqual([[], []]);
    }
  }, 240_000);

  test('for longer than the others wait: all stay or all go back, and then all have it', async () => {
    const { count, begun } = await operations(serial);
    let late = 0;
    for (let operation = begun; operation < count; operation++) {
      const { car, events, early } = await played({ dark: 2000 });
      const { power } = car.device(serial);
      power.plan({ operation: power.operations + operation, kind: 'after', units: 0 });
      const cut = `operation ${operation} of ${count}`;
      expect(await car.run(9000), cut).toBe(true);
      expect(power.cuts, cut).toBe(1);
      expect(car.versions, cut).toEqual([2, 2, 2]);
      expect(early, cut).toEqual([]);
      if (events.includes('given-up')) late++;
    }
    // The others wait for their Primary.
    expect(late > 0).toBe(serial !== 'gateway');
  }, 240_000);

  test('at each operation while another refuses: nobody has it', async () => {
    const refuses = serial === 'radio' ? 'brakes' : 'radio';
    const { count } = await operations(serial, [refuses]);
    for (let operation = 0; operation < count; operation++) {
      const { car, confirmed } = await played({}, [refuses]);
      const { power } = car.device(serial);
      power.plan({ operation: power.operations + operation, kind: 'after', units: 0 });
      await car.run(300);
      const cut = `operation ${operation} of ${count}`;
      expect(power.cuts, cut).toBe(1);
      expect(confirmed, cut).toEqual([]);
      expect(car.versions, cut).toEqual([1, 1, 1]);
    }
  }, 240_000);
});

test('[UPT-1] an ECU that refuses loses its power on the way: nobody has the update', async () => {
  for (const serial of SERIALS) {
    const { count, begun } = await operations(serial, [serial]);
    for (let operation = begun; operation < count; operation++) {
      const { car, confirmed } = await played({}, [serial]);
      const { power } = car.device(serial);
      power.plan({ operation: power.operations + operation, kind: 'after', units: 0 });
      await car.run(300);
      expect(confirmed, `${serial}, ${operation}`).toEqual([]);
      expect(car.versions, `${serial}, ${operation}`).toEqual([1, 1, 1]);
    }
  }
}, 240_000);
