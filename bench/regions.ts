// Where the linear memory of the core is: the regions of its memory map, as the sources declare them, by their owners.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../scripts/abi.ts';
import type { Budget } from './budgets.ts';

/** The memory map, in two files. */
const MAP = ['assembly/near.ts', 'assembly/memory.ts'];
const CRYPTO = 'assembly/crypto/memory.ts';
/** Where a size in the map may come from; of two, that of the whole core counts. */
const SIZES = ['assembly/crypto/ed25519.ts', 'assembly/crypto/sha512.ts', ...MAP, CRYPTO];

/** One row for each part of the memory map; the last is what is left of `used` bytes: tables of constants. */
export function regionRows(used: number): Budget[] {
  const sizes = new Map<string, number>();
  for (const file of SIZES)
    for (const [, name = '', size] of source(file).matchAll(
      /^export const (\w+): \w+ = (?:isDefined\(SMALL\) \? [^:]+ : )?(\d+);/gm,
    ))
      sizes.set(name, Number(size));
  const owners = new Map<string, number>();
  for (const [owner, text] of [
    ...MAP.flatMap((file) => parts(source(file))),
    ['crypto', source(CRYPTO)] as const,
  ])
    owners.set(owner, (owners.get(owner) ?? 0) + regions(text, sizes));
  const rows = [...owners].map(([owner, bytes]) => row(owner, bytes));
  return [...rows, row('constants', used - rows.reduce((sum, { value }) => sum + value, 0))];
}

function source(file: string): string {
  return readFileSync(join(projectRoot(), file), 'utf8');
}

/** What stands below each "// ---- name ----". */
function parts(text: string): [string, string][] {
  return text
    .split(/^\/\/ ---- /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf(' ----')), part]);
}

/** Bytes that all regions of a text reserve, each a multiple of 8. */
function regions(text: string, sizes: ReadonlyMap<string, number>): number {
  return [...text.matchAll(/= memory\.data\(([^<>[\]]+?), 8\);/g)]
    .map(([, size = '']) => Math.ceil(product(size, sizes) / 8) * 8)
    .reduce((sum, size) => sum + size, 0);
}

/** `320`, `READER_ROOM`, `3 * ED25519_CONTEXT`. */
function product(text: string, sizes: ReadonlyMap<string, number>): number {
  return text
    .split(' * ')
    .map((factor) => sizes.get(factor) ?? Number(factor))
    .reduce((result, factor) => result * factor, 1);
}

function row(part: string, value: number): Budget {
  return { id: `linear-memory-${part.toLowerCase().replaceAll(/\W+/g, '-')}`, value, unit: 'B' };
}
