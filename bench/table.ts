// The table of bench/README.md: what the core costs on each emulated machine, under each engine. `npm run bench -- --table`
// prints it. Bytes and instructions, the same on every run; the time is computed from them.
import type { Budget } from './budgets.ts';
import { AHEAD_OF_TIME, cryptoRows } from './crypto.ts';
import { instructionCounts } from './instructions.ts';
import { boardFigures, IMAGE, PIECE } from './qemu/figures.ts';
import type { Row } from './row.ts';

const MACHINES = ['pc', 'rv32imc', 'cortex-m3', 'cortex-m4', 'cortex-m33'] as const;
const ENGINES = ['wasm3', 'aot'] as const;

/** Instructions a second of a part of today, one a cycle. */
const SPEED = 100e6;
/** Bytes a second of an ESP32's flash in sectors of 4 KiB, 70 % of what was observed. */
const ERASED = 45e3;
const WRITTEN = 754e3;
/** Bytes a second of a line of 115,200 baud; and bytes of a request for a piece, and of its answer beside the piece. */
const LINE = 11_520;
const REQUEST = 110;
const FRAME = 24;

/**
 * V8 compiles as it goes, so its instructions are others in each run. Of it there is a time, beside that of the same module
 * compiled ahead of time, on the same machine in the same run; by the row of the table.
 */
const V8 = 'V8, x86-64: times the time of aot';
const TIMES: ReadonlyMap<string, string> = new Map([
  ['Ed25519 verification, M', `ed25519-verify-v8-${AHEAD_OF_TIME}`],
  ['SHA-256, a byte', `sha256-v8-64k-${AHEAD_OF_TIME}`],
]);

type Value = (id: string) => number | undefined;
type Cell = (value: Value, engine: string, machine: string) => number | undefined;

const M = 1e6;

/** The id of a row of the boards: what wasm3 costs has no name of its own. */
const at = (what: string, engine: string, machine: string) =>
  engine === 'aot' ? `${what}-aot-${machine}` : `${what}-${machine}`;

type TableRow = readonly [name: string, cell: Cell, digits: number];

/** Of an ECU; its RAM and its flash are those of the lean core, which has all of it. */
function ecuRows(name: string, mode: string): TableRow[] {
  const ecu =
    (what: string, scale: number): Cell =>
    (value, engine, machine) => {
      const counted = value(`${at(what, engine, machine)}-${mode}`);
      return counted === undefined ? undefined : counted / scale;
    };
  return [
    [`${name}: RAM in all, B`, (value, engine, machine) => ramOfEcu(value, engine, machine, mode), 0],
    [`${name}: how deep the C stack was, B`, ecu('c-stack', 1), 0],
    [`${name}: first check, M`, ecu('first-check', M), 1],
    [`${name}: idle check, M`, ecu('idle-check', M), 2],
    [`${name}: update, image of 64 KiB, M`, ecu('update', M), 1],
  ];
}

/** Memory is static: an ECU has what the board has, wherever one was counted. */
function ramOfEcu(value: Value, engine: string, machine: string, mode: string): number | undefined {
  const isCounted = value(`${at('c-stack', engine, machine)}-${mode}`) !== undefined;
  return isCounted ? value(at('ram', engine, machine)) : undefined;
}

const ROWS: readonly TableRow[] = [
  ['RAM in all, B', (value, engine, machine) => value(at('ram', engine, machine)), 0],
  ['flash, B', (value, engine, machine) => value(at('flash', engine, machine)), 0],
  [
    'how deep the C stack was, B',
    (value, engine, machine) => value(`${at('c-stack', engine, machine)}-core`),
    0,
  ],
  [
    'Ed25519 verification, M',
    (value, engine, machine) => millions(value(`ed25519-verify-${engine}-${machine}`)),
    1,
  ],
  ['SHA-256, a byte', (value, engine, machine) => value(`sha256-${engine}-${machine}`), 0],
  ['idle check, M', (value, engine, machine) => millions(value(at('idle-check', engine, machine))), 2],
  [
    'the same, the timestamp signed anew, M',
    (value, engine, machine) => millions(value(at('idle-check-anew', engine, machine))),
    1,
  ],
  ['first check, M', (value, engine, machine) => millions(value(at('first-check', engine, machine))), 1],
  [
    'update, image of 64 KiB, M',
    (value, engine, machine) => millions(value(at('update', engine, machine))),
    1,
  ],
  [
    'its own program by a patch, M',
    (value, engine, machine) => millions(value(at('update-delta', engine, machine))),
    1,
  ],
  ...ecuRows('Uptane in full', 'full'),
  ...ecuRows('Uptane in part', 'partial'),
  ['flash writes of the update', (value, engine, machine) => value(at('update-writes', engine, machine)), 0],
  ['bytes written', (value, engine, machine) => value(at('update-written', engine, machine)), 0],
  ['flash erases', (value, engine, machine) => value(at('update-erases', engine, machine)), 0],
  ['bytes erased', (value, engine, machine) => value(at('update-erased', engine, machine)), 0],
  ['of them ahead', (value, engine, machine) => value(at('update-ahead-erased', engine, machine)), 0],
  ['seconds of the update, computed', seconds, 2],
  ['the same over a line of 115,200 baud', secondsOnLine, 2],
  ['of that hidden by erasing ahead', hidden, 2],
];

function millions(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value / M;
}

function seconds(value: Value, engine: string, machine: string): number | undefined {
  const [work, written, erased] = ['update', 'update-written', 'update-erased'].map((what) =>
    value(at(what, engine, machine)),
  );
  if (work === undefined || written === undefined || erased === undefined) return undefined;
  return work / SPEED + written / WRITTEN + erased / ERASED;
}

/** Seconds in which the device has nothing to do but to wait for a piece. */
const WAIT = (PIECE + FRAME) / LINE;

function secondsOnLine(value: Value, engine: string, machine: string): number | undefined {
  const all = seconds(value, engine, machine);
  const behind = hidden(value, engine, machine);
  if (all === undefined || behind === undefined) return undefined;
  return all + (WAIT + REQUEST / LINE) * Math.ceil(IMAGE / PIECE) - behind;
}

/** Each erase ahead is made in one wait: no more of it is hidden than that wait is long. */
function hidden(value: Value, engine: string, machine: string): number | undefined {
  const [erases, erased] = ['update-ahead-erases', 'update-ahead-erased'].map((what) =>
    value(at(what, engine, machine)),
  );
  if (erases === undefined || erased === undefined) return undefined;
  return erases === 0 ? 0 : erases * Math.min(erased / erases / ERASED, WAIT);
}

/** As Markdown. What was not counted is empty, and a machine of which nothing was counted is left out. */
function costTable(rows: readonly Budget[], timed: readonly Row[]): string {
  const value: Value = (id) => rows.find((row) => row.id === id)?.value;
  const columns = ENGINES.flatMap((engine) => MACHINES.map((machine) => ({ engine, machine }))).filter(
    ({ engine, machine }) => ROWS.some(([, cell]) => cell(value, engine, machine) !== undefined),
  );
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line([
      '',
      ...columns.map(({ engine, machine }) => `${engine}, ${machine === 'pc' ? 'x86-64' : machine}`),
      V8,
    ]),
    line(['', ...columns, V8].map(() => '---')),
    ...ROWS.map(([name, cell, digits]) =>
      line([
        name,
        ...columns.map(({ engine, machine }) => cell(value, engine, machine)?.toFixed(digits) ?? ''),
        times(timed, name),
      ]),
    ),
  ].join('\n');
}

function times(timed: readonly Row[], name: string): string {
  const ratio = timed.find(({ id }) => id === TIMES.get(name))?.ratio;
  return ratio === undefined ? '' : `${(1 / ratio).toFixed(1)} ×`;
}

export async function printTable(): Promise<void> {
  const timed = await cryptoRows();
  process.stdout.write(
    `${costTable([...instructionCounts(MACHINES).rows, ...boardFigures().rows], timed)}\n`,
  );
}
