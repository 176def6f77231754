// What a forger or a broken cable makes of a file: bytes turned over, lost, doubled, moved; and values that no writer
// writes, spelled in ways that few do.
import type { Random } from '../../sim/random.ts';
import { Members, Raw, type Value } from '../tuf/values.ts';

/** Bytes with one to four faults in them. */
export function damage(random: Random, file: Uint8Array): Uint8Array {
  let bytes = file;
  for (let faults = 1 + random.below(4); faults > 0; faults--) bytes = fault(random, bytes);
  return bytes;
}

const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u0000',
  '\\ud83d',
  '0',
  '-',
  '1e9',
  'null',
  ' ',
  '\n',
];

function fault(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  const length = random.below(random.chance(0.8) ? 4 : 200);
  const splice = (removed: number, added: Uint8Array) =>
    Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
  switch (random.below(7)) {
    case 0:
      return bytes.map((byte, index) => (index === at ? byte ^ (1 << random.below(8)) : byte));
    case 1:
      return splice(length, new Uint8Array());
    case 2:
      return splice(0, bytes.slice(at, at + length));
    case 3:
      return splice(length, random.bytes(length));
    case 4:
      return splice(random.below(2), Buffer.from(pick(random, TOKENS)));
    case 5:
      return bytes.subarray(0, at);
    default: {
      const from = random.below(bytes.length + 1);
      return splice(length, bytes.slice(from, from + length));
    }
  }
}

const NUMBERS = [
  '0',
  '-1',
  '1',
  '2',
  '255',
  '2147483647',
  '2147483648',
  '4294967295',
  '4294967296',
  '9007199254740993',
  '18446744073709551616',
  '99999999999999999999999999999999',
];
const TEXTS = [
  '',
  'root',
  'targets',
  '../x',
  'a/../../b',
  '2030-02-30T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '0000-00-00T00:00:00Z',
  '1.0',
  '\u{1f600}',
  '\u0000',
  '\\',
  '"',
  'ab'.repeat(32),
  'ed25519',
  'x'.repeat(700),
  '*',
];

/** A value with one to three changes somewhere in it. */
export function distort(random: Random, value: Value): Value {
  let changed = value;
  for (let changes = 1 + random.below(3); changes > 0; changes--) changed = change(random, changed);
  return changed;
}

function change(random: Random, value: Value): Value {
  if (value instanceof Raw || typeof value !== 'object' || value === null) return oddity(random, value);
  if (random.chance(0.1)) return oddity(random, value);
  if (Array.isArray(value)) return changeItem(random, value);
  const members = value instanceof Members ? [...value.list] : Object.entries(value);
  if (members.length === 0) return new Members(['a', oddity(random, null)]);
  const at = random.below(members.length);
  const [name, member] = members[at] ?? ['', null];
  switch (random.below(12)) {
    case 0:
      members.splice(at, 1);
      break;
    case 1:
      members.push([name, oddity(random, member)]);
      break;
    case 2:
      members[at] = [pick(random, TEXTS), member];
      break;
    case 3:
      members.reverse();
      break;
    case 4:
      members[at] = [respelled(random, name), member];
      break;
    default:
      members[at] = [name, change(random, member)];
  }
  return new Members(...members);
}

function changeItem(random: Random, list: readonly Value[]): Value {
  const items = [...list];
  const at = random.below(items.length);
  const item = items[at] ?? null;
  const what = items.length === 0 ? 0 : random.below(5);
  if (what === 0) items.splice(at, 0, oddity(random, item));
  else if (what === 1) items.splice(at, 1);
  else if (what === 2) items.push(item);
  else items[at] = change(random, item);
  return items;
}

/** Something else in the place of a value. */
function oddity(random: Random, value: Value): Value {
  switch (random.below(9)) {
    case 0:
      return new Raw(pick(random, NUMBERS));
    case 1:
    case 2:
      return pick(random, TEXTS);
    case 3:
      return random.chance(0.5);
    case 4:
      return null;
    case 5:
      return nested(1 + random.below(40), value);
    case 6:
      return Array.from({ length: random.below(40) }, () => value);
    case 7:
      return typeof value === 'string' ? respelled(random, value) : [];
    default:
      return typeof value === 'number' ? value + random.below(3) - 1 : {};
  }
}

function nested(depth: number, value: Value): Value {
  let inner = value;
  for (let level = 0; level < depth; level++) inner = level % 2 === 0 ? [inner] : { a: inner };
  return inner;
}

/** The same text with some of its characters as escapes. */
function respelled(random: Random, name: string | Raw): Raw {
  if (name instanceof Raw) return name;
  const file = [...name]
    .map((character) =>
      random.chance(0.3) && character.length === 1
        ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
        : JSON.stringify(character).slice(1, -1),
    )
    .join('');
  return new Raw(`"${file}"`, `"${name.replace(/["\\]/g, '\\$&')}"`);
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}
