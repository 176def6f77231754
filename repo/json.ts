// A strict JSON reader (RFC 8259). It refuses what JSON.parse silently settles and what a device refuses too:
// a name that occurs twice, fractions, integers that lose digits, bad UTF-8, deep nesting.
import { RepositoryError } from './errors.ts';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const MAX_DEPTH = 64;
const SPACE = /[ \t\n\r]*/y;
const LITERAL = /true|false|null/y;
const INTEGER = /-?(?:0|[1-9]\d*)(?![.eE\d])/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const STRING = /"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"/y;

/** Reads one JSON value; `name` is the file's, for the message. Refuses with `metadata-invalid`. */
export function parseJson(bytes: Uint8Array, name: string): Json {
  const reader = new Reader(decodeUtf8(bytes, name), name);
  const value = reader.value(0);
  reader.end();
  return value;
}

function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new RepositoryError('metadata-invalid', `${name} is not valid UTF-8`, error);
  }
}

class Reader {
  readonly #text: string;
  readonly #name: string;
  #at = 0;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
  }

  value(depth: number): Json {
    if (depth > MAX_DEPTH) throw this.#invalid('is nested too deeply');
    this.#take(SPACE);
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  end(): void {
    this.#take(SPACE);
    if (this.#at !== this.#text.length) throw this.#invalid('has something after the JSON value');
  }

  #object(depth: number): Json {
    const members = new Map<string, Json>();
    this.#at++;
    if (this.#accept('}')) return {};
    do {
      this.#take(SPACE);
      const name = this.#string();
      if (members.has(name)) throw this.#invalid(`has the name "${name}" twice in one object`);
      if (!this.#accept(':')) throw this.#invalid('is not JSON');
      members.set(name, this.value(depth + 1));
    } while (this.#accept(','));
    if (!this.#accept('}')) throw this.#invalid('is not JSON');
    return Object.fromEntries(members);
  }

  #array(depth: number): Json {
    const items: Json[] = [];
    this.#at++;
    if (this.#accept(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.#accept(','));
    if (!this.#accept(']')) throw this.#invalid('is not JSON');
    return items;
  }

  #string(): string {
    const text = this.#take(STRING);
    if (text === undefined) throw this.#invalid('is not JSON');
    return String(JSON.parse(text));
  }

  #scalar(): Json {
    const literal = this.#take(LITERAL);
    if (literal !== undefined) return literal === 'null' ? null : literal === 'true';
    const digits = this.#take(INTEGER);
    if (digits === undefined) throw this.#invalid('is not JSON, or has a number that is not an integer');
    if (!Number.isSafeInteger(Number(digits))) throw this.#invalid('has an integer beyond 2^53');
    return Number(digits);
  }

  #accept(sign: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#at] !== sign) return false;
    this.#at++;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #invalid(what: string): RepositoryError {
    return new RepositoryError('metadata-invalid', `${this.#name} ${what} (at character ${this.#at})`);
  }
}
