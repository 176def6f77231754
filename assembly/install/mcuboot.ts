// Images of MCUboot, as imgtool writes them:
//
//   header of 32 or more | payload | protected fields, if the header says so | fields
//
// A field has a type, a length and a value (TLV). Hash and signature cover everything before the last list, in which
// they stand: whatever else is there, anybody may have written.

import { ed25519_verify_begin, ed25519_verify_end, ed25519_verify_update } from "../crypto/ed25519";
import { p256_verify } from "../crypto/p256";
import { COPY_BUFFER, DIGEST, IMAGE_HASH, SIGNATURE_CONTEXTS } from "../memory";
import { ED25519_ALONE } from "../lean";
import { Status } from "../status";
import { hash_bytes, hash_is } from "../storage/hash";
import { install } from "../storage/journal";
import { image_check, image_cover, image_ends, image_hash_size, image_is_hashed, image_read } from "./image";

const MAGIC: u32 = 0x96f3b83d;
const HEADER: u32 = 32;
/** Flags of an image that runs where it lies: position independent, and built for one address. */
const FLAGS: u32 = 0x101;

const FIELDS: u32 = 0x6907;
const PROTECTED_FIELDS: u32 = 0x6908;
/** The most fields of one list, against endless work. */
const MOST_FIELDS: u32 = 64;

const enum Field {
  KEY_HASH = 0x01,
  SHA256 = 0x10,
  SHA512 = 0x12,
  ECDSA = 0x22,
  ED25519 = 0x24,
  /** the signature is over all bytes and not over their hash */
  PURE = 0x25,
  /** from here on fields are to be protected; those before cannot be */
  FIRST_PROTECTED = 0x40,
  COUNTER = 0x50,
}

/** Bytes of a SubjectPublicKeyInfo with an Ed25519 key, and where in it the key is; the same of P-256 (crypto/spki.ts). */
const ED25519_KEY: u32 = 44;
const ED25519_AT: usize = 12;
const P256_AT: usize = 26;
/** The longest signature: DER of two integers of 33 bytes. */
const LONGEST_SIGNATURE: u32 = 72;

/** Where the values of fields stand; of hash and counter 0: nowhere. */
let hash: u32 = 0;
let key_hash: u32 = 0;
let key_hash_length: u32 = 0;
let signature: u32 = 0;
let signature_length: u32 = 0;
let counted: u32 = 0;
/** The type of the field that has the signature; 0: none. */
let scheme: u32 = 0;
let wide: bool = false;
let pure: bool = false;
let counter: u32 = 0;
/** The key of the bootloader; 0: none is known. */
let key: usize = 0;

/** Reads the header and all fields; the key is `length` bytes at `given`. */
export function mcuboot_begin(given: usize, length: u32): void {
  image_read(0, HEADER);
  const header = load<u16>(COPY_BUFFER, 8);
  const shielded = load<u16>(COPY_BUFFER, 10);
  const body = <u64>header + load<u32>(COPY_BUFFER, 12);
  const flags = load<u32>(COPY_BUFFER, 16);
  image_check(load<u32>(COPY_BUFFER) == MAGIC && header >= HEADER && (flags & ~FLAGS) == 0, Status.IMAGE_FORMAT);
  // Without the protected fields in this sum, what is hashed could reach behind the image.
  image_check(body + shielded <= install.length, Status.IMAGE_FORMAT);
  forget();
  const end = <u32>body + shielded;
  if (shielded != 0) image_check(read_fields(<u32>body, PROTECTED_FIELDS) == end, Status.IMAGE_FORMAT);
  image_ends(read_fields(end, FIELDS));
  image_check(hash != 0, Status.IMAGE_FORMAT);
  // MCUboot keeps this number when the image is confirmed, as esp32.ts says of ESP-IDF.
  image_check(counter == install.security, Status.IMAGE_COUNTER);
  image_cover(end, wide);
  key = length != 0 ? given : 0;
  if (key == 0) return;
  image_check(scheme == (length == ED25519_KEY ? Field.ED25519 : Field.ECDSA), Status.IMAGE_SIGNATURE);
  check_key(length);
  image_cover(end, wide);
}

function forget(): void {
  hash = 0;
  key_hash_length = 0;
  counted = 0;
  scheme = 0;
  pure = false;
  counter = 0;
}

/** Reads a list. Returns where it ends. */
function read_fields(at: u32, magic: u32): u32 {
  image_read(at, 4);
  image_check(load<u16>(COPY_BUFFER) == magic, Status.IMAGE_FORMAT);
  const end = at + load<u16>(COPY_BUFFER, 2);
  at += 4;
  for (let left = MOST_FIELDS; at < end && left != 0; left--) {
    image_read(at, 4);
    const length: u32 = load<u16>(COPY_BUFFER, 2);
    take_field(load<u16>(COPY_BUFFER), at + 4, length, magic == PROTECTED_FIELDS);
    at += 4 + length;
  }
  image_check(at == end, Status.IMAGE_FORMAT);
  return end;
}

/** Each field has its place: no signature covers what stands in the last list (CVE-2024-32883). */
function take_field(type: i32, at: u32, length: u32, shielded: bool): void {
  image_check(type >= Field.FIRST_PROTECTED == shielded, Status.IMAGE_UNPROTECTED);
  let sound = true;
  switch (type) {
    case Field.KEY_HASH:
      sound = key_hash_length == 0;
      key_hash = at;
      key_hash_length = length;
      break;
    case Field.SHA256:
    case Field.SHA512:
      wide = type == Field.SHA512;
      sound = hash == 0 && length == (wide ? 64 : 32);
      hash = at;
      break;
    case Field.ECDSA:
    case Field.ED25519:
      sound = scheme == 0 && length <= LONGEST_SIGNATURE;
      signature = at;
      signature_length = length;
      scheme = type;
      break;
    case Field.PURE:
      image_read(at, 1);
      pure = true;
      sound = length == 1 && load<u8>(COPY_BUFFER) == 1;
      break;
    case Field.COUNTER:
      sound = counted == 0 && length == 4;
      counted = at;
      image_read(at, 4);
      counter = load<u32>(COPY_BUFFER);
  }
  image_check(sound, Status.IMAGE_FORMAT);
}

/** The image must name the key, `length` bytes, by its hash, for which the hash of the image waits. */
function check_key(length: u32): void {
  const size = image_hash_size();
  hash_bytes(IMAGE_HASH, wide, key, length);
  image_read(key_hash, size);
  image_check(key_hash_length == size && hash_is(IMAGE_HASH, wide, COPY_BUFFER), Status.IMAGE_SIGNATURE);
  if (pure) begin_ed25519();
}

function begin_ed25519(): void {
  image_read(signature, 64);
  const sound = scheme == Field.ED25519 && signature_length == 64;
  image_check(sound && ed25519_verify_begin(SIGNATURE_CONTEXTS, key + ED25519_AT, COPY_BUFFER), Status.IMAGE_SIGNATURE);
}

/** The next bytes, in COPY_BUFFER. */
export function mcuboot_feed(length: u32): void {
  if (pure && key != 0) ed25519_verify_update(SIGNATURE_CONTEXTS, COPY_BUFFER, length);
}

/** The hash must be right, and the signature where the key is known. */
export function mcuboot_end(): void {
  image_is_hashed(hash);
  if (key != 0) image_check(ED25519_ALONE || scheme == Field.ED25519 ? ed25519_holds() : p256_holds(), Status.IMAGE_SIGNATURE);
}

function ed25519_holds(): bool {
  if (!pure) {
    begin_ed25519();
    ed25519_verify_update(SIGNATURE_CONTEXTS, DIGEST, image_hash_size());
  }
  return ed25519_verify_end(SIGNATURE_CONTEXTS);
}

function p256_holds(): bool {
  image_read(signature, signature_length);
  return p256_verify(key + P256_AT, DIGEST, COPY_BUFFER, signature_length);
}
