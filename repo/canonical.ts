// Canonical JSON as TUF signs it (OLPC canonical JSON, not RFC 8785): names sorted by their UTF-8 bytes, no white
// space, integers only, and nothing escaped in a string but `"` and `\`.
import { RepositoryError } from './errors.ts';

const MAX_DEPTH = 64;
const LONE_SURROGATE = /\p{Surrogate}/u;
const encoder = new TextEncoder();

/** The bytes that a signature or a key id covers. Refuses (`metadata-invalid`) what canonical JSON cannot say. */
export function canonicalize(value: unknown): Uint8Array {
  return encoder.encode(write(value, (text) => `"${text.replace(/["\\]/g, '\\$&')}"`, 0));
}

/** The bytes of a metadata file: ordinary compact JSON with sorted names. */
export function serialize(value: unknown): Uint8Array {
  return encoder.encode(write(value, (text) => JSON.stringify(text), 0));
}

/** Orders two names by their UTF-8 bytes; JavaScript's own order is by UTF-16 units and differs beyond U+FFFF. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(encoder.encode(a), encoder.encode(b));
}

function write(value: unknown, quote: (text: string) => string, depth: number): string {
  if (depth > MAX_DEPTH) throw invalid('nested too deeply');
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quote(wellFormed(value));
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw invalid(`the number ${value} is not an integer below 2^53`);
    return String(value + 0);
  }
  if (Array.isArray(value)) return `[${value.map((item) => write(item, quote, depth + 1)).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value).sort(([a], [b]) => compareNames(a, b));
    return `{${members.map(([k, v]) => `${quote(wellFormed(k))}:${write(v, quote, depth + 1)}`).join(',')}}`;
  }
  throw invalid(`a value of type ${typeof value}`);
}

function wellFormed(text: string): string {
  if (LONE_SURROGATE.test(text)) throw invalid('half of a surrogate pair in a string');
  return text;
}

function invalid(what: string): RepositoryError {
  return new RepositoryError('metadata-invalid', `not canonical JSON: ${what}`);
}
