// CRLE, the conditional run length encoding of detools: 0, a length and so many bytes as they are, or 1, a length and
// one byte that is repeated. Larger than heatshrink, and its decoder needs no window.

const SCATTERED = 0;
const REPEATED = 1;

/** A shorter run costs more by itself than among the bytes around it. */
const SHORTEST_RUN = 6;

export function crleEncode(bytes: Uint8Array): Uint8Array {
  const out: Uint8Array[] = [];
  let scattered = 0;
  for (let i = 0; i < bytes.length; ) {
    const run = runLength(bytes, i);
    if (run >= SHORTEST_RUN) {
      if (scattered < i) out.push(segment(SCATTERED, i - scattered), bytes.subarray(scattered, i));
      out.push(segment(REPEATED, run), bytes.subarray(i, i + 1));
      scattered = i + run;
    }
    i += run;
  }
  if (scattered < bytes.length) {
    out.push(segment(SCATTERED, bytes.length - scattered), bytes.subarray(scattered));
  }
  return Buffer.concat(out);
}

function runLength(bytes: Uint8Array, from: number): number {
  let end = from + 1;
  while (end < bytes.length && bytes[end] === bytes[from]) end++;
  return end - from;
}

/** Seven bits a byte, the lowest first; the highest bit says that more follow. */
function segment(kind: number, length: number): Uint8Array {
  const out = [kind];
  let rest = length;
  for (; rest > 127; rest >>>= 7) out.push(0x80 | (rest & 127));
  return Uint8Array.from([...out, rest]);
}
