// `npm run kills [-- --servers 2 postgres://…]`: the Director killed thirty times while 500 vehicles report, on SQLite or
// on an empty PostgreSQL database. A line a kill; exit status 1 when something acknowledged was lost, a version had two
// contents or fell, or a manifest got an answer that it should not.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT } from '../cli/exit.ts';
import { createOutput } from '../cli/output.ts';
import { killDirectors, type Seen } from '../test/director/kills.ts';
import { projectRoot } from './abi.ts';

const KILLS = 30;
const VEHICLES = 500;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, servers: { type: 'string', default: '1' } },
});
const [database = 'director.db'] = positionals;
const { stdout, stderr, env } = process;
const output = createOutput({ stdout, stderr, env, interactive: stdout.isTTY === true }, values.json);
const folder = mkdtempSync(join(tmpdir(), 'moult-kills-'));
const begun = performance.now();

process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(EXIT.refused));

try {
  const result = await killDirectors({
    cli: join(projectRoot(), 'build/js/cli/moult.js'),
    folder,
    database,
    vehicles: VEHICLES,
    servers: Number(values.servers),
    kills: KILLS,
    onKill: tell,
  });
  const { lost, broken, unexpected } = result;
  const faults = [...lost.map((car) => `${car} lost something acknowledged`), ...broken, ...unexpected];
  for (const fault of faults) output.event(fault, 'bad');
  const end = `${KILLS} kills in ${seconds()} s, ${counted(result)}: ${faults.length || 'nothing'} amiss`;
  output.event(end, faults.length > 0 ? 'bad' : 'good');
  output.result({ ...result, seconds: seconds() });
  if (faults.length > 0) process.exitCode = EXIT.refused;
} catch (error) {
  output.failure('broken-off', String(error));
  process.exitCode = EXIT.refused;
}

function tell(kill: number, seen: Seen): void {
  const what =
    kill === 0 ? `${VEHICLES} vehicles report to ${values.servers} server(s)` : `kill ${kill} of ${KILLS}`;
  output.event(`${what}, ${seconds()} s, ${counted(seen)}`, 'plain');
}

function seconds(): number {
  return Math.round((performance.now() - begun) / 1000);
}

function counted({ acknowledged, files }: Seen): string {
  return `${acknowledged} manifests acknowledged, ${files} signed files seen`;
}
