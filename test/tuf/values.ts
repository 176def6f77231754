// JSON as a forger writes it: members in any order and as often as it likes, any spelling of a value; and the
// canonical form of it (OLPC), which is what gets signed. Shares no code with either side of the project.

/** A value or a name in a spelling of its own, and how canonical JSON spells it. */
export class Raw {
  readonly file: string;
  readonly canonical: string;

  constructor(file: string, canonical = file) {
    this.file = file;
    this.canonical = canonical;
  }
}

/** An object whose members stand in this order in the file; the canonical form sorts them all the same. */
export class Members {
  readonly list: readonly (readonly [string | Raw, Value])[];

  constructor(...list: readonly (readonly [string | Raw, Value])[]) {
    this.list = list;
  }
}

export type Value = null | boolean | number | string | Raw | Members | Value[] | JsonObject;
export type JsonObject = { [name: string]: Value };

/** Compact JSON, in the order in which the members were put. */
export function text(value: Value): string {
  if (value instanceof Raw) return value.file;
  if (Array.isArray(value)) return `[${value.map(text).join(',')}]`;
  if (isObject(value))
    return `{${members(value)
      .map(([name, v]) => `${text(name)}:${text(v)}`)
      .join(',')}}`;
  return JSON.stringify(value);
}

/** Canonical JSON. */
export function canonical(value: Value): string {
  if (value instanceof Raw) return value.canonical;
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const named = members(value).map(([name, v]) => [canonical(name), canonical(v)] as const);
  const sorted = named.sort(([a], [b]) => Buffer.compare(bytes(unquoted(a)), bytes(unquoted(b))));
  return `{${sorted.map(([name, v]) => `${name}:${v}`).join(',')}}`;
}

/** A change to an object: the value at a path of names is set. */
export function put(...path: readonly [...string[], Value]): Change {
  const value = path.at(-1) as Value;
  const names = path.slice(0, -1) as string[];
  return (object) => {
    const last = names.at(-1) ?? '';
    parent(object, names)[last] = value;
  };
}

/** A change to an object: the member at a path of names is taken out. */
export function drop(...names: readonly string[]): Change {
  return (object) => {
    delete parent(object, names)[names.at(-1) ?? ''];
  };
}

export type Change = (object: JsonObject) => void;

export function bytes(line: string): Uint8Array {
  return new TextEncoder().encode(line);
}

/** `1`, `"a"`, `{}`: a copy of a value as plain JSON. */
export function plain(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

function parent(object: JsonObject, names: readonly string[]): JsonObject {
  let at: Value = object;
  for (const name of names.slice(0, -1)) {
    const next: Value | undefined = (at as JsonObject)[name];
    if (next === undefined) throw new Error(`no ${name} in ${names.join('.')}`);
    at = next;
  }
  return at as JsonObject;
}

function isObject(value: Value): value is JsonObject | Members {
  return typeof value === 'object' && value !== null;
}

function members(object: JsonObject | Members): readonly (readonly [string | Raw, Value])[] {
  return object instanceof Members ? object.list : Object.entries(object);
}

/** The bytes that names are ordered by: without the quotes, and before `"` and `\` are escaped. */
function unquoted(name: string): string {
  return name.slice(1, -1).replace(/\\(["\\])/g, '$1');
}
