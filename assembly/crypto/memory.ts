// Static memory of this folder; there is no heap. What lives between two calls lies in a context that the
// caller owns. What is here is scratch: it lives during one call of the function named as its owner, and
// regions share bytes where they never live together.

/** The message schedule of one block: 64 words of SHA-256, 80 of SHA-512. Owner: sha256.ts, sha512.ts. */
export const SCHEDULE: usize = memory.data(1024, 8);

/** Four strings of 256 digits, once all hashing is done. Owner: ed25519.ts. */
export const DIGITS: usize = SCHEDULE;

/** Field elements of one point operation, 6 of 36 bytes. Owner: edwards25519.ts. */
export const POINT_SCRATCH: usize = memory.data(216, 8);

/** Multiples of the public key and of the signature's R, four of 144 bytes each. Owner: ed25519.ts. */
export const POINT_TABLES: usize = memory.data(1152, 8);

/** Two points of 180 bytes: while tables are made, and again for the sum. Owner: ed25519.ts. */
export const POINTS: usize = memory.data(496, 8);

// Between tables and sum the scalars are made in the bytes of the points.

/** Three scalars of 40 bytes. Owner: ed25519.ts. */
export const SCALARS: usize = POINTS;

/** 19 limbs of 8 bytes. Owner: scalar25519.ts. */
export const SCALAR_LIMBS: usize = POINTS + 120;

/** 10 limbs of 8 bytes. Owner: scalar25519.ts. */
export const SCALAR_FACTOR: usize = POINTS + 272;

/** The two rows of the half-size search, 72 bytes each. Owner: scalar25519.ts. */
export const SCALAR_ROWS: usize = POINTS + 352;

/**
 * 1152 bytes of whoever handles a secret, while nothing is verified. Owner: ed25519sign.ts, x25519.ts, hkdf.ts,
 * each of which leaves zeros in all scratch that it used.
 */
export const SECRETS: usize = POINT_TABLES;

/** Clears all scratch of hashes, points, scalars and secrets. */
export function scratch_wipe(): void {
  memory.fill(SCHEDULE, 0, 1024);
  memory.fill(POINT_SCRATCH, 0, 216);
  memory.fill(POINT_TABLES, 0, 1152);
  memory.fill(POINTS, 0, 496);
}

/** Bytes of linear memory that the module uses itself, tables included; what lies above is the caller's. */
export function memory_used(): usize {
  return __heap_base;
}
