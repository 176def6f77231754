// Vectors of test/vectors, their hexadecimal fields as bytes.
import { readFileSync } from 'node:fs';
import { fromHex } from './module.ts';

export function vectors<Data>(file: string): Data {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8')) as Data;
}

/** One case as bytes; a field that the case lacks is empty. */
export function fields(texts: readonly string[]): (index: number) => Uint8Array {
  return (index) => fromHex(texts[index] ?? '');
}
