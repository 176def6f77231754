// What the databases are asked to do beyond their queries.
import { expect } from 'vitest';
import { openDatabase } from '../../server/director/database.ts';
import { bumpState } from '../../server/director/inventory.ts';
import { DATABASES } from './databases.ts';

for (const { name, run, make } of DATABASES)
  run(
    `while another process writes, this one waits and goes on with other things (${name}) [CERT-S-3]`,
    async () => {
      const place = await make();
      const [mine, other] = [await openDatabase(place), await openDatabase(place)];
      let release = () => {};
      let holds = () => {};
      const held = new Promise<void>((resolve) => (holds = resolve));
      const done: string[] = [];
      const first = other.write(async (write) => {
        await bumpState(write, 'fleet', 1);
        holds();
        await new Promise<void>((resolve) => (release = resolve));
        done.push('other');
      });
      await held;
      const second = mine.write(async (write) => {
        const value = await bumpState(write, 'fleet', 1);
        done.push('mine');
        return value;
      });
      // Would never come, did this process wait for the lock inside of a call.
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(done).toEqual([]);
      release();
      await first;
      expect(await second).toBe(2);
      expect(done).toEqual(['other', 'mine']);
      await mine.close();
      await other.close();
    },
  );
