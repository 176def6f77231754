// How much a device reads, follows and works for: endless data and endless work (TUF 1.0.34, 1.5.2, 5.3.3 and on).
import { describe, expect, test } from 'vitest';
import type { RoleName } from '../../repo/index.ts';
import { type Stage, stage } from './kit.ts';
import { drop, Members, put, text, type Value } from './values.ts';

/** Room for the largest files that are read. */
const ROOMY = { bank: 12 * 1024 * 1024 };

const LIMITS: readonly (readonly [Exclude<RoleName, 'root'>, number])[] = [
  ['timestamp', 16_384],
  ['snapshot', 2_000_000],
  ['targets', 5_000_000],
];

/** Writes a file of so many bytes, white space for the most part. */
function padded(length: number) {
  return (envelope: { signatures: Value; signed: Value }) => text(envelope).padEnd(length, ' ');
}

/** Makes whoever lists a file say nothing of its length and hashes. */
function unlisted(s: Stage, role: RoleName): void {
  if (role === 'targets')
    s.forge('snapshot', {
      signed: [drop('meta', 'targets.json', 'length'), drop('meta', 'targets.json', 'hashes')],
    });
  if (role !== 'timestamp')
    s.forge('timestamp', {
      signed: [drop('meta', 'snapshot.json', 'length'), drop('meta', 'snapshot.json', 'hashes')],
    });
}

describe('[CERT-C-6] the most bytes of a file whose length nobody announced', () => {
  test('root: 512,000', async () => {
    const s = await stage(ROOMY);
    s.root({ file: padded(512_000) });
    await s.accepts();
    s.forge('root', { file: padded(512_001) });
    await s.refuses('TOO_LONG', 'ROOT');
  });

  test.each(LIMITS)('%s: %i', async (role, limit) => {
    const s = await stage(ROOMY);
    s.forge(role, { file: padded(limit) });
    unlisted(s, role);
    await s.accepts();
    s.forge(role, { file: padded(limit + 1) });
    unlisted(s, role);
    await s.refuses(
      'TOO_LONG',
      role === 'timestamp' ? 'TIMESTAMP' : role === 'snapshot' ? 'SNAPSHOT' : 'TARGETS',
    );
  });

  test('an announced length does not raise it', async () => {
    const s = await stage(ROOMY);
    s.forge('snapshot', { file: padded(2_000_001) });
    await s.refuses('TOO_LONG', 'SNAPSHOT');
  });
});

describe('[CERT-C-6] endless data', () => {
  const endless = (name: string) => (path: string) => ({ endless: path.endsWith(name), chunk: 512 });

  test.each([
    ['2.root.json', 'ROOT', 512_000],
    ['timestamp.json', 'TIMESTAMP', 16_384],
  ] as const)('in the place of %s is cut off at its limit', async (name, role, limit) => {
    const s = await stage(ROOMY);
    s.root();
    s.publish('targets');
    s.network.conduct = endless(name);
    await s.check();
    expect(s.network.requests.at(-1)?.sent).toBeLessThanOrEqual(limit + 1024);
    s.forge(role === 'ROOT' ? 'root' : 'timestamp', { keys: [s.stranger] });
    s.network.conduct = endless(role === 'ROOT' ? 'root.json' : name);
    s.heal();
    await s.accepts();
  });

  test.each([
    ['snapshot.json', 'SNAPSHOT'],
    ['targets.json', 'TARGETS'],
  ] as const)('after %s is cut off at the announced length', async (name, role) => {
    const s = await stage();
    s.release({ releaseCounter: 2 });
    s.newest = 1;
    s.network.conduct = endless(name);
    const length = s.file(role === 'SNAPSHOT' ? 'snapshot' : 'targets').length;
    expect(await s.check()).toEqual({ status: 'TOO_LONG', role });
    expect(s.network.requests.at(-1)?.sent).toBeLessThanOrEqual(length + 1024);
    await s.refuses('TOO_LONG', role);
  });

  test('after an image is cut off at its length, and nothing is installed', async () => {
    const s = await stage();
    s.release({ releaseCounter: 2 });
    s.newest = 1;
    s.network.conduct = endless('firmware.bin');
    await s.refuses('TOO_LONG', 'IMAGE');
  });

  test.each([
    ['root.json', 'ROOT'],
    ['timestamp.json', 'TIMESTAMP'],
  ] as const)(
    'in the place of %s, where the trust store is smaller than the limit, leaves a device that updates',
    async (name, role) => {
      const s = await stage({ bank: 12_288 });
      s.network.source = (path) => (path.endsWith(name) ? new Uint8Array(1) : s.files.get(path));
      s.network.conduct = endless(name);
      await s.refuses('STORE_FULL', role);
    },
  );

  test('a file that fits the limit but not the trust store leaves a device that updates', async () => {
    const s = await stage({ bank: 12_288 });
    s.forge('targets', { file: padded(12_288) });
    await s.refuses('STORE_FULL', 'TARGETS');
  });

  test('[CERT-C-6] a byte a second (slow retrieval) is given up', async () => {
    for (const [name, role] of [
      ['root.json', 'ROOT'],
      ['timestamp.json', 'TIMESTAMP'],
      ['snapshot.json', 'SNAPSHOT'],
      ['targets.json', 'TARGETS'],
    ] as const) {
      const s = await stage();
      s.root();
      s.release({ releaseCounter: 2 });
      s.newest = 1;
      s.network.conduct = (path) => (path.endsWith(name) ? { rate: 1, chunk: 1 } : {});
      await s.refuses('NETWORK', role);
    }
  });
});

describe('roots', () => {
  test('256 new roots are followed in one check', async () => {
    const s = await stage();
    for (let count = 0; count < 256; count++) s.root();
    s.publish('targets');
    await s.accepts();
  });

  test('a 257th new root ends a check, and the next one goes on from there', async () => {
    const s = await stage();
    for (let count = 0; count < 300; count++) s.root();
    s.publish('targets');
    const paths = await s.requests(() => s.check());
    expect(paths.at(-1)).toBe('metadata/258.root.json');
    expect(s.trusted()).toMatchObject({ root: 257, timestamp: 1 });
    await s.accepts();
  });
});

describe('endless work', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `name ${index}`);
  const shuffled = (count: number) =>
    new Members(
      ...names(count)
        .sort(() => 0)
        .reverse()
        .map((name) => [name, 0] as const),
    );

  test('an object of 300 members out of order is put in order', async () => {
    const s = await stage(ROOMY);
    s.forge('targets', { signed: put('x', shuffled(300)) });
    await s.accepts();
  });

  test('targets of 80 releases that are written in no order are read', async () => {
    const s = await stage(ROOMY);
    for (let release = 99; release > 19; release--) s.offer({ releaseCounter: release });
    for (const path of Object.keys(s.targets).slice(2)) delete s.targets[path];
    for (let release = 20; release < 100; release++) s.offer({ releaseCounter: ((release * 7) % 80) + 20 });
    s.publish('targets');
    s.newest = 99;
    await s.accepts();
  });

  test('an object of thousands of members out of order is refused in bounded time', async () => {
    const s = await stage(ROOMY);
    s.forge('targets', { signed: put('x', shuffled(5000)) });
    await s.refuses('JSON_COMPLEX', 'TARGETS');
  });

  test('thousands of objects out of order, in one another as deep as may be, take bounded time', async () => {
    let value: Value = 0;
    for (let depth = 0; depth < 28; depth++) value = new Members(['b', value], ['a', names(30)]);
    const s = await stage(ROOMY);
    s.forge('targets', {
      signed: put(
        'x',
        Array.from({ length: 30 }, () => value),
      ),
    });
    await s.check();
    s.heal();
    await s.accepts();
  });

  test('a snapshot whose roles changed places too often is refused in bounded time', async () => {
    const s = await stage(ROOMY);
    const roles = Array.from({ length: 6000 }, (_, index) => `z${10_000 + index}.json`);
    for (const role of roles.slice(0, 300).reverse()) s.delegated[role] = 1;
    s.publish('snapshot');
    await s.accepts();
    s.forge('snapshot', {
      signed: (signed) => {
        const targets = (signed.meta as { [name: string]: Value })['targets.json'] ?? null;
        signed.meta = {
          'targets.json': targets,
          ...Object.fromEntries(roles.map((role) => [role, { version: 1 }])),
        };
      },
    });
    await s.refuses('JSON_COMPLEX', 'SNAPSHOT');
  });

  test('a snapshot of 60 roles may change all places', async () => {
    const s = await stage(ROOMY);
    for (const name of names(60)) s.delegated[`${name}.json`] = 1;
    s.publish('snapshot');
    await s.accepts();
    s.forge('snapshot', {
      signed: (signed) => {
        signed.meta = new Members(...Object.entries(signed.meta as { [name: string]: Value }).reverse());
      },
    });
    await s.accepts();
  });
});
