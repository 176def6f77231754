// Bytes that nobody should have written: whatever they are, the core answers with a status and stays as it was.
import { describe, expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import type { RoleName } from '../../repo/index.ts';
import { Random } from '../../sim/random.ts';
import { drive, judge, pieces } from './drive.ts';
import { type Stage, stage } from './kit.ts';
import { type JsonObject, put, Raw, text, type Value } from './values.ts';

const ROLES: readonly RoleName[] = ['root', 'timestamp', 'snapshot', 'targets'];

/** A device that is about to fetch a new file of one role, whatever its length and hash are. */
async function aboutToFetch(role: RoleName): Promise<Stage> {
  const s = await stage();
  if (role === 'root') s.root();
  else s.publish(role);
  if (role === 'targets')
    s.forge('snapshot', { signed: put('meta', 'targets.json', { version: s.versions.targets }) });
  if (role === 'targets' || role === 'snapshot')
    s.forge('timestamp', { signed: put('meta', 'snapshot.json', { version: s.versions.snapshot }) });
  const path = s.path(role);
  s.network.conduct = (asked) => (asked === path ? { drop: true } : {});
  expect((await s.check()).status).toBe('NETWORK');
  return s;
}

/** What the core says to other bytes in the place of a file. */
function verdictOn(s: Stage, role: RoleName, bytes: Uint8Array): number {
  s.files.set(s.path(role), bytes);
  return judge(s.powerOn(), s, s.path(role).slice('metadata/'.length), (_, file) => pieces(file, 1024));
}

describe.each(ROLES)('[CERT-0-4, CERT-I-1] a %s file', (role) => {
  test('is refused with any byte changed', async () => {
    const s = await aboutToFetch(role);
    const honest = s.file(role);
    const flash = s.device.snapshot();
    for (let at = 0; at < honest.length; at++) {
      const bytes = honest.slice();
      // Bit 5 would turn a hexadecimal digit into the same one in capitals.
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 5));
      expect(verdictOn(s, role, bytes), `byte ${at}`).toBeLessThan(0);
      s.device.restore(flash);
    }
    expect(verdictOn(s, role, honest)).toBe(Status.OK);
  });

  test('that was cut, joined, repeated and sprinkled at random is refused, without a trap', async () => {
    const s = await aboutToFetch(role);
    const honest = s.file(role);
    const flash = s.device.snapshot();
    const random = new Random(7);
    for (let run = 0; run < 400; run++) {
      const bytes = mangled(honest, random);
      const status = verdictOn(s, role, bytes);
      if (status >= 0) expect(means(bytes), `run ${run}`).toEqual(means(honest));
      s.device.restore(flash);
    }
  });

  test('that its right keys signed, nonsense as it is, gets a status and no trap (go-tuf CVE-2026-23991), and the next one is followed', async () => {
    const random = new Random(11);
    for (let run = 0; run < 80; run++) {
      const s = await stage();
      s.forge(role, { signed: (signed) => replaceSomething(signed, random) });
      const { status } = drive(s.powerOn(), s);
      // A root that was believed is followed by a better one; anything else that is wrong by a better file.
      if (s.trusted().root === 2) s.root();
      s.heal();
      const found = drive(s.powerOn(), s);
      expect(found, `run ${run}: after ${status}`).toMatchObject({ status: 'READY_TO_REBOOT' });
    }
  });
});

/** What a file says, its layout aside. */
function means(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

function mangled(honest: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = honest;
  for (let times = 1 + random.below(3); times > 0; times--) {
    const from = random.below(bytes.length + 1);
    const to = Math.min(bytes.length, from + random.below(40));
    const piece =
      [
        () => new Uint8Array(),
        () => random.bytes(random.below(8)),
        () => bytes.slice(0, random.below(bytes.length + 1)),
        () =>
          Buffer.from(
            [
              '{',
              '}',
              '[',
              ']',
              '"',
              ',',
              ':',
              '\\',
              '\\u',
              '\\ud83d',
              '-',
              '0',
              '1e',
              'null',
              ' ',
              '\0',
              '"signed":{',
            ][random.below(17)] ?? '',
          ),
        () => bytes.slice(from, to),
      ][random.below(5)]?.() ?? new Uint8Array();
    bytes = Buffer.concat([
      bytes.subarray(0, from),
      piece,
      bytes.subarray(random.chance(0.5) ? to : from),
    ]).subarray(0, 6000);
  }
  return new Uint8Array(bytes);
}

/** Puts something else in a place chosen at random: a member goes, or its value, or its name is another. */
function replaceSomething(signed: JsonObject, random: Random): void {
  const places: (readonly [JsonObject, string])[] = [];
  const walk = (value: Value): void => {
    if (typeof value !== 'object' || value === null || value instanceof Raw) return;
    for (const [name, inner] of Object.entries(value)) {
      // A version or a date that is merely high or early would be believed, as it should.
      if (!['version', 'expires', 'consistent_snapshot'].includes(name))
        places.push([value as JsonObject, name]);
      walk(inner);
    }
  };
  walk(signed);
  const [parent, name] = places[random.below(places.length)] ?? [signed, '_type'];
  const others: Value[] = [
    null,
    true,
    0,
    -1,
    2 ** 32,
    new Raw('9'.repeat(40)),
    '',
    'x',
    '\u0000',
    'x'.repeat(3000),
    [],
    {},
    [[]],
    [{}],
    { '': '' },
    { [name]: [name] },
  ];
  if (random.chance(0.2)) delete parent[name];
  else if (random.chance(0.1)) parent[`${name}x`] = 1;
  else parent[name] = others[random.below(others.length)] ?? null;
}

test('[CERT-0-4] a file that is read again and again after faults leaves nothing behind: 200 refusals, then an update', async () => {
  const s = await stage();
  const random = new Random(3);
  for (let run = 0; run < 200; run++) {
    s.forge('timestamp', {
      keys: [s.stranger],
      file: (envelope) => mangled(new TextEncoder().encode(text(envelope)), random),
    });
    const { status, role } = drive(s.powerOn(), s);
    expect(role, status).toBe('TIMESTAMP');
  }
  s.heal();
  await s.accepts();
});

test('what one check refused is refused by the next one without a restart in between', async () => {
  const s = await stage();
  const core = s.powerOn();
  for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
    s.forge(role, { keys: [s.stranger] });
    for (let run = 0; run < 3; run++) {
      s.clock.set(s.clock.seconds() + 3600);
      expect(drive(core, s).status).toBe('SIGNATURES');
    }
  }
  s.heal();
  s.clock.set(s.clock.seconds() + 3600);
  expect(drive(core, s).status).toBe('READY_TO_REBOOT');
  await s.accepts();
});
