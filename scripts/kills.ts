// `npm run kills [-- postgres://…]`: the Director killed thirty times while 500 vehicles report; one server on SQLite,
// or two on an empty PostgreSQL database.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killDirectors } from '../test/director/kills.ts';
import { projectRoot } from './abi.ts';

const KILLS = 30;
const VEHICLES = 500;

const [url] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'moult-kills-'));
const begun = performance.now();
try {
  const result = await killDirectors({
    cli: join(projectRoot(), 'build/js/cli/moult.js'),
    folder,
    database: url ?? 'director.db',
    vehicles: VEHICLES,
    servers: url === undefined ? 1 : 2,
    kills: KILLS,
    onKill: (done) => process.stderr.write(`\r· ${done} of ${KILLS} kills`),
  });
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  process.stderr.write(`\r✓ ${KILLS} kills in ${seconds} s\n`);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (result.lost.length + result.broken.length + result.unexpected.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
