// What crypto costs under wasm3 and compiled ahead of time, in instructions and bytes: the same on every run and every machine. On this PC counted
// by callgrind, on Cortex-M and rv32imc by QEMU; see host/qemu/runner. A machine whose tools are not installed is
// left out, with a reason.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../scripts/abi.ts';
import type { Budget } from './budgets.ts';
import { BUILD, call, hex, inputs, type Machine, measure, run, vectors, whatLacks, write } from './runner.ts';

type Limits = readonly [must: number, goal: number];

const ROOT = projectRoot();

const M = 1e6;
const KIB = 1024;
const BOARD: Readonly<Record<string, Limits>> = {
  'ed25519-verify': [14.5 * M, 12.5 * M],
  'p256-verify': [27 * M, 23 * M],
  sha256: [800, 580],
  'sha256-fast': [800, 580],
  memory: [52 * KIB, 42 * KIB],
};
const LIMITS: Readonly<Record<Machine, Readonly<Record<string, Limits>>>> = {
  pc: {
    'ed25519-verify': [7 * M, 6 * M],
    'p256-verify': [13 * M, 11 * M],
    sha256: [480, 345],
    'sha256-fast': [480, 345],
  },
  'cortex-m3': BOARD,
  'cortex-m4': BOARD,
  'cortex-m33': BOARD,
  rv32imc: BOARD,
};

/** Compiled ahead of time. */
const COMPILED_LIMITS: Readonly<Record<string, Readonly<Record<string, Limits>>>> = {
  'cortex-m4': { 'ed25519-verify': [5 * M, 3.5 * M], sha256: [60, 40] },
};

/** What each measure is divided by, and what it is then. */
const UNITS: Readonly<Record<string, readonly [divisor: number, unit: string]>> = {
  'ed25519-verify': [8, 'instructions'],
  'p256-verify': [8, 'instructions'],
  sha256: [4096, 'instructions/B'],
  'sha256-fast': [4096, 'instructions/B'],
  sha512: [4096, 'instructions/B'],
};

export interface Counts {
  readonly rows: readonly Budget[];
  /** Why rows are missing. */
  readonly missing: readonly string[];
}

/** Those that have limits which tests hold. */
const HELD: readonly Machine[] = ['pc', 'cortex-m4', 'rv32imc'];

/** The rows of every one of these machines whose tools are here. */
export function instructionCounts(machines = HELD): Counts {
  const rows: Budget[] = [];
  const missing: string[] = [];
  for (const machine of machines) {
    const lacking = whatLacks(machine);
    if (lacking === undefined) rows.push(...count(machine));
    else missing.push(`instructions on ${machine}: ${lacking}`);
  }
  for (const machine of machines) {
    const lacking = whatLacks(machine, 'aot');
    if (lacking === undefined) rows.push(...countCompiled(machine));
    else missing.push(`instructions on ${machine}, ahead of time: ${lacking}`);
  }
  return { rows, missing };
}

function count(machine: Machine): Budget[] {
  const everything = readFileSync(join(ROOT, 'build/crypto.wasm'));
  const counts = run(machine, 'counts', inputs(everything, 16_384, [...warmUp(), ...measures()]));
  const small = run(machine, 'small', inputs(smallModule(), LIMIT, [...warmUp(false), ...smallMeasures()]));
  const values = new Map([...counts, ...small]);
  const rows = Object.entries(UNITS).map(([name, [divisor, unit]]) =>
    row(machine, name, Math.round((values.get(name) ?? Number.NaN) / divisor), unit),
  );
  if (machine === 'pc') return rows; // its pointers are twice as long as a board's
  return [...rows, row(machine, 'memory', small.get('memory') ?? Number.NaN, 'B')];
}

/** The modules are those that are counted under wasm3. */
function countCompiled(machine: Machine): Budget[] {
  const everything = readFileSync(join(ROOT, 'build/crypto.wasm'));
  const counts = run(machine, 'counts', inputs(everything, 16_384, measures()), 'aot');
  const small = run(machine, 'small', inputs(smallModule(), LIMIT, smallMeasures()), 'aot');
  const values = new Map([...counts, ...small]);
  return Object.entries(UNITS).map(([name, [divisor, unit]]) => {
    const [must, goal] = COMPILED_LIMITS[machine]?.[name] ?? [];
    const value = Math.round((values.get(name) ?? Number.NaN) / divisor);
    const limits = must === undefined || goal === undefined ? {} : { must, goal };
    return { id: `${name}-aot-${machine}`, value, unit, ...limits };
  });
}

function row(machine: Machine, name: string, value: number, unit: string): Budget {
  const id = `${name === 'memory' ? 'ed25519-sha2-memory' : name}-wasm3-${machine}`;
  const [must, goal] = LIMITS[machine][name] ?? [];
  return { id, value, unit, ...(must !== undefined && { must }), ...(goal !== undefined && { goal }) };
}

// ---- the script ----

/** Linear memory of Ed25519, SHA-256 and SHA-512: their own and 2 KiB for contexts and pieces. */
const LIMIT = 9 * KIB;
/** Behind what the module needs itself. */
const CONTEXT = 8192;
const SMALL = 8192 + 512;
const DATA = 12_288;

/** Everything once, so that it is compiled. */
function warmUp(p256 = true): Buffer[] {
  return [
    ...ed25519Cases(1, p256 ? DATA : SMALL + 128),
    ...hashes(64, p256 ? DATA : SMALL),
    ...(p256 ? p256Cases(1) : []),
  ];
}

function measures(): Buffer[] {
  return [
    ...[measure('ed25519-verify'), ...ed25519Cases(8, DATA)],
    ...[measure('p256-verify'), ...p256Cases(8)],
    ...[measure('sha256-fast'), call('sha256_update', [CONTEXT, DATA, 4096])],
    ...[measure('sha512'), call('sha512_update', [CONTEXT, DATA, 4096])],
  ];
}

/** The body of SHA-256 that the core has too. What it hashes does not matter. */
function smallMeasures(): Buffer[] {
  return [measure('sha256'), call('sha256_update', [CONTEXT, 0, 4096])];
}

function hashes(length: number, at: number): Buffer[] {
  return ['sha512', 'sha256'].flatMap((name) => [
    call(`${name}_begin`, [CONTEXT]),
    call(`${name}_update`, [CONTEXT, at, 2 * length]),
    call(`${name}_end`, [CONTEXT, SMALL]),
    call(`${name}_begin`, [CONTEXT]),
  ]);
}

/** Signatures of messages of 32 bytes and a few more. */
function ed25519Cases(amount: number, data: number): Buffer[] {
  const { cases } = vectors('ed25519-sign.json') as { cases: [string, string, string, string][] };
  const some = cases.filter(([, , message]) => message.length >= 64).slice(0, amount);
  return some.flatMap(([, key, message, signature]) => [
    write(SMALL, Buffer.concat([hex(key), hex(signature)])),
    write(data, hex(message)),
    call('ed25519_verify_begin', [CONTEXT, SMALL, SMALL + 32], 1),
    call('ed25519_verify_update', [CONTEXT, data, message.length / 2]),
    call('ed25519_verify_end', [CONTEXT], 1),
  ]);
}

// ---- modules ----

/** Ed25519, SHA-256 and SHA-512 alone. */
function smallModule(): Buffer {
  const folder = join(BUILD, 'small');
  const out = join(folder, 'small.wasm');
  mkdirSync(folder, { recursive: true });
  const entry = join(folder, 'entry.ts');
  const parts = ['ed25519', 'sha256', 'sha512'];
  writeFileSync(entry, parts.map((name) => `export * from "../../../assembly/crypto/${name}";\n`).join(''));
  const asc = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
  execFileSync(process.execPath, [asc, entry, '--target', 'crypto-small', '--outFile', out], {
    cwd: ROOT,
    stdio: 'pipe',
  });
  return readFileSync(out);
}

interface P256Vectors {
  readonly signatures: readonly (readonly [string, string, string, string, string, string])[];
}

/** Valid signatures, the key, the digest and DER side by side. */
function p256Cases(amount: number): Buffer[] {
  const { signatures } = vectors('p256-cavp.json') as P256Vectors;
  const good = signatures.filter(([, , , , , result]) => result.startsWith('P'));
  return Array.from({ length: amount }, (_, i) => good[i % good.length] as (typeof good)[number]).flatMap(
    ([message, x, y, r, s]) => {
      const der = derSequence([hex(r), hex(s)]);
      const digest = createHash('sha256').update(hex(message)).digest();
      return [
        write(DATA, Buffer.concat([Uint8Array.of(4), hex(x), hex(y), digest, der])),
        call('p256_verify', [DATA, DATA + 65, DATA + 97, der.length], 1),
      ];
    },
  );
}

/** The integers are positive and fit 127 bytes in all. */
function derSequence(integers: readonly Buffer[]): Buffer {
  const parts = integers.map((bytes) => {
    const start = bytes.findIndex((byte) => byte !== 0);
    const sign = (bytes[start] ?? 0) & 0x80 ? [0] : [];
    const body = Buffer.concat([Uint8Array.from(sign), bytes.subarray(start)]);
    return Buffer.concat([Uint8Array.of(2, body.length), body]);
  });
  const body = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.of(0x30, body.length), body]);
}
