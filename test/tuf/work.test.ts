// How much a device reads again for a file that it cannot trust yet: bounded by the length of the file, whatever is
// in it. Without a bound, a few hundred kilobytes from anybody on the network keep a device busy until its watchdog bites.
import { describe, expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { judge, pieces } from './drive.ts';
import { type Stage, signaturesBy, stage } from './kit.ts';
import { bytes, Members, type Value } from './values.ts';

const MIB = 1 << 20;
const LENGTH = 150_000;

/** `signed` values of about so many bytes that are laborious to put in order. */
const SHAPES: Readonly<Record<string, () => string>> = {
  'short names from the last to the first': () =>
    object(LENGTH / 8, (index) => `"${(99_999 - index).toString().padStart(5, '0')}":1`),
  'names in order': () => object(LENGTH / 8, (index) => `"${index.toString().padStart(5, '0')}":1`),
  'long names that differ in their last byte': () =>
    object(60, (index) => `"${'a'.repeat(LENGTH / 60 - 10)}${String(99 - index).padStart(3, '0')}":1`),
  'objects in objects, each out of order': () => {
    let inner = '1';
    for (let depth = 0; depth < 29; depth++) inner = `{"b":${inner},"a":1}`;
    return object(LENGTH / inner.length, (index) => `"${String(9999 - index).padStart(4, '0')}":${inner}`);
  },
  'one long text in objects in objects, each out of order': () => {
    let inner = `"${'x'.repeat(LENGTH - 1000)}"`;
    for (let depth = 0; depth < 28; depth++) inner = `{"b":${inner},"a":1}`;
    return inner;
  },
};

function object(members: number, member: (index: number) => string): string {
  return `{${Array.from({ length: Math.floor(members) }, (_, index) => member(index)).join(',')}}`;
}

describe('[endless work] a root of 150,000 bytes that nobody signed', () => {
  test.each(Object.keys(SHAPES).flatMap((shape) => [1, 5].map((keys) => [shape, keys] as const)))(
    '%s, signatures to look at: %i; reads no more than 128 times its length for each',
    async (shape, keys) => {
      const s = await stage({
        bank: MIB,
        before: (made) => {
          made.keys.root = Array.from({ length: keys }, () => made.newKey());
        },
      });
      const file = unsigned(s, SHAPES[shape]?.() ?? '');
      s.files.set('metadata/2.root.json', file);
      const { bytesRead, reads } = count(s, file);
      expect(bytesRead).toBeGreaterThan(file.length);
      expect(bytesRead).toBeLessThan(128 * keys * file.length);
      expect(reads).toBeLessThan(keys * file.length);
      s.files.delete('metadata/2.root.json');
      await s.accepts();
    },
  );

  /** Signatures by the right ids, well formed, over something else. */
  function unsigned(s: Stage, signed: string): Uint8Array {
    const [{ sig = '' } = {}] = signaturesBy(s.keys.root, {}) as { sig?: string }[];
    const signatures = s.keys.root.map(({ id }) => ({ keyid: id, sig }));
    return bytes(`{"signatures":${JSON.stringify(signatures)},"signed":${signed}}`);
  }

  /** What is read of the store from the start of the check to the verdict on the file. */
  function count(s: Stage, file: Uint8Array): { reads: number; bytesRead: number } {
    const core = s.powerOn();
    let reads = 0;
    let bytesRead = 0;
    s.device.flash.faults = {
      read: (_, __, length) => {
        reads++;
        bytesRead += length;
        return true;
      },
    };
    expect(judge(core, s, '2.root.json', () => pieces(file, 1024))).toBeLessThan(Status.OK);
    s.device.flash.faults = {};
    return { reads, bytesRead };
  }
});

describe('a snapshot whose roles stand in another order than before is accepted', () => {
  const ORDERS: Readonly<Record<string, (names: string[]) => string[]>> = {
    reversed: (names) => names.reverse(),
    'by halves': (names) => [...names.slice(names.length / 2), ...names.slice(0, names.length / 2)],
    'every seventeenth': (names) => names.map((_, index) => names[(index * 17) % names.length] ?? ''),
  };

  test.each(
    Object.keys(ORDERS).flatMap((order) => [65, 128, 200, 300].map((roles) => [order, roles] as const)),
  )('%s, %i roles', async (order, roles) => {
    const s = await stage({ bank: 65_536 });
    for (let role = 0; role < roles; role++) s.delegated[`role${1000 + role}.json`] = 1;
    s.publish('snapshot');
    await s.accepts();
    s.forge('snapshot', {
      signed: (signed) => {
        const meta = signed.meta as { [name: string]: Value };
        const names = ORDERS[order]?.(Object.keys(meta)) ?? [];
        signed.meta = new Members(...names.map((name) => [name, meta[name] ?? null] as const));
      },
    });
    await s.accepts();
  });
});
