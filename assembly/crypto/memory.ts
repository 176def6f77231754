// Static memory of this folder; there is no heap. What lives between two calls lies in a context that the
// caller owns. What is here is scratch: it lives during one call of the function named as its owner, and
// regions share bytes where they never live together. What is named most often comes first: the lower an address, the
// fewer bytes it takes in the module.

/** Field elements of one point operation, 6 of 36 bytes. Owner: edwards25519.ts. */
export const POINT_SCRATCH: usize = memory.data(216, 8);

/** Two points of 180 bytes: while tables are made, and again for the sum. Owner: ed25519.ts. */
export const POINTS: usize = memory.data(496, 8);

/** The message schedule of one block: 64 words of SHA-256, 80 of SHA-512. Owner: sha256.ts, sha512.ts. */
export const SCHEDULE: usize = memory.data(1024, 8);

/** Four strings of 256 digits, once all hashing is done. Owner: ed25519.ts. */
export const DIGITS: usize = SCHEDULE;

/** Multiples of the public key and of the signature's R, four of 144 bytes each. Owner: ed25519.ts. */
export const POINT_TABLES: usize = memory.data(1152, 8);

// Between tables and sum the scalars are made in the bytes of the points.

/** Three scalars of 40 bytes. Owner: ed25519.ts. */
export const SCALARS: usize = POINTS;

/** 19 limbs of 8 bytes. Owner: scalar25519.ts. */
export const SCALAR_LIMBS: usize = POINTS + 120;

/** 10 limbs of 8 bytes. Owner: scalar25519.ts. */
export const SCALAR_FACTOR: usize = POINTS + 272;

/** The two rows of the half-size search, 72 bytes each. Owner: scalar25519.ts. */
export const SCALAR_ROWS: usize = POINTS + 352;

// P-256 and RSA use the same bytes: nothing of theirs lives while Ed25519 is verified, signed or made.

/** Field elements of one point operation, 5 of 36 bytes. Owner: p256point.ts. */
export const P256_SCRATCH: usize = POINT_SCRATCH;

/** Multiples of the public key, eight of 72 bytes. Owner: p256.ts. */
export const P256_TABLE: usize = POINT_TABLES;

/** What each multiple's Z is to the one before, eight of 36 bytes, while the table is made. Owner: p256.ts. */
export const P256_RATIOS: usize = SCHEDULE;

/** Two strings of 264 digits, once the table is made. Owner: p256.ts. */
export const P256_DIGITS: usize = SCHEDULE;

/** A point of 108 bytes. Owner: p256.ts. */
export const P256_SUM: usize = POINTS;

/** Five integers of 40 bytes. Owner: p256.ts. */
export const P256_INTEGERS: usize = POINTS + 112;

/** Four integers of 36 bytes. Owner: integer.ts. */
export const INVERSE_SCRATCH: usize = POINTS + 312;

/** Integers of 576 bytes, 143 limbs: modulus, signature and two in turn. Owner: rsa.ts. */
export const RSA_MODULUS: usize = SCHEDULE;
export const RSA_SIGNATURE: usize = POINT_TABLES;
export const RSA_POWER: usize = POINT_TABLES + 576;
export const RSA_PRODUCT: usize = memory.data(576, 8);

/** 25 factors of 8 bytes, of which the first 8 are 0, and a product of 18 limbs of 4. Owner: p256field.ts. */
export const P256_FACTORS: usize = RSA_PRODUCT + 64;
export const P256_RESULT: usize = RSA_PRODUCT + 208;

/** The encoded message, 512 bytes, a SHA-512 context and a digest, once the power is known. Owner: rsa.ts. */
export const RSA_MESSAGE: usize = RSA_PRODUCT;
export const RSA_HASH: usize = POINT_TABLES;
export const RSA_DIGEST: usize = POINT_TABLES + 200;

/** DER of a public key, 1152 bytes: three for four characters of the longest text of one. Owner: signature.ts. */
export const KEY_DER: usize = POINT_TABLES;
export const KEY_TEXT_MOST: u32 = 1536;

/** What is found in it, 16 bytes. Owner: signature.ts. */
export const KEY_FOUND: usize = POINT_SCRATCH;

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
