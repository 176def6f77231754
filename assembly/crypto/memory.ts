// Static memory of this folder; there is no heap. Every value that depends on a secret or lives
// between two calls lies in a context that the caller owns. What is here is scratch: it lives during
// one call of the function named as its owner, and nothing in it survives the call.

// One region, used by turns: a hash compresses a block, or a signature is checked, never both.

/** The message schedule of one block: 64 words of SHA-256, 80 of SHA-512. Owner: sha256.ts, sha512.ts. */
export const SCHEDULE: usize = memory.data(640, 8);

/** Limbs of long integers. Owner: scalar25519.ts. */
export const SCALAR_LIMBS: usize = memory.data(19 * 8, 8);

/** Ten limbs of a factor. Owner: scalar25519.ts. */
export const SCALAR_FACTOR: usize = memory.data(10 * 8, 8);

/** The two rows of the half-size search. Owner: scalar25519.ts. */
export const SCALAR_ROWS: usize = memory.data(2 * 72, 8);

/** Three scalars: r and t of the half-size search, and one for splitting, 40 bytes each. Owner: ed25519.ts. */
export const SCALARS: usize = memory.data(120, 8);

/** Four strings of 256 digits. Owner: ed25519.ts. */
export const DIGITS: usize = memory.data(1024, 8);

/** Field elements of one point operation. Owner: edwards25519.ts. */
export const POINT_SCRATCH: usize = memory.data(6 * 36, 8);

/** Three points: the sum, and two while a table is made. Owner: ed25519.ts. */
export const POINTS: usize = memory.data(3 * 180, 8);

/** Multiples of the public key and of the signature's R, four each. Owner: ed25519.ts. */
export const POINT_TABLES: usize = memory.data(2 * 4 * 144, 8);
