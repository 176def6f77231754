// Servers killed while a fleet reports: here a few times, by "npm run kills" thirty times with 500 vehicles.
import { expect } from 'vitest';
import { builtCli } from '../fixtures/built-cli.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { DATABASES } from './databases.ts';
import { killDirectors } from './kills.ts';

for (const { name, run, make } of DATABASES) {
  const servers = name === 'PostgreSQL' ? 2 : 1;
  run(
    `${servers} servers on ${name}, killed 6 times: nothing acknowledged is lost, no version has two contents [CRA-II-7.f, UPT-10]`,
    async () => {
      const options = { cli: builtCli(), folder: temporaryFolder(), database: await make() };
      const result = await killDirectors({ ...options, vehicles: 30, servers, kills: 6 });
      expect(result).toMatchObject({ kills: 6, lost: [], broken: [], unexpected: [] });
      expect(result.files).toBeGreaterThan(30 * 3);
    },
    600_000,
  );
}
