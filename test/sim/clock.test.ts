import { expect, test } from 'vitest';
import { SimClock } from '../../sim/clock.ts';
import { Random } from '../../sim/random.ts';

test('waiting takes no time, and events come in their order', async () => {
  const clock = new SimClock(1_000_000);
  const events: string[] = [];
  const wait = async (name: string, seconds: number) => {
    await clock.sleep(seconds * 1000);
    events.push(`${name} ${clock.seconds() - 1_000_000}`);
  };
  await clock.run(
    Promise.all([wait('late', 86_400), wait('early', 5), wait('early too', 5), wait('middle', 60)]),
  );
  expect(events).toEqual(['early 5', 'early too 5', 'middle 60', 'late 86400']);
});

test('a timer that was called off does not run, and holds nothing up', async () => {
  const clock = new SimClock(0);
  let rang = false;
  const callOff = clock.after(10, () => {
    rang = true;
  });
  callOff();
  await clock.run(clock.sleep(20));
  expect([rang, clock.now()]).toEqual([false, 20]);
});

test('work that fails ends the run with its error', async () => {
  const clock = new SimClock(0);
  await expect(clock.run(clock.sleep(5).then(() => Promise.reject(new Error('broken'))))).rejects.toThrow(
    'broken',
  );
});

test('a seed gives the same numbers again, another seed others', () => {
  const numbers = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 8 }, () => random.next());
  };
  expect(numbers(1)).toEqual(numbers(1));
  expect(numbers(1)).not.toEqual(numbers(2));
  const random = new Random(3);
  const counts = [0, 0, 0, 0];
  for (let draw = 0; draw < 4000; draw++) {
    const value = random.below(4);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  for (const count of counts) expect(count).toBeGreaterThan(900);
});
