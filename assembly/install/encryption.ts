// Opens an encrypted payload as it arrives (docs/formats.md, "Encrypted payloads"): a head, an entry for each
// recipient, then chunks with a tag each. Nothing of a chunk goes on before its tag is right.
//
//   key of the device, ephemeral key ──X25519, HKDF──▶ key that wraps ──▶ content key ──HKDF, header──▶ key of chunks
//
// It proves nothing about who made the payload: whoever knows a public key can. That is for the hashes that are signed.

import { bytes_equal } from "../bytes";
import { chunk_open, CHUNK_SPARE } from "../crypto/chunk";
import { hkdf_sha256_expand, hkdf_sha256_extract } from "../crypto/hkdf";
import { SHA256_CONTEXT, sha256_begin, sha256_end, sha256_update } from "../crypto/sha256";
import { x25519 } from "../crypto/x25519";
import { CHUNK, CHUNK_NONCE, CHUNK_OPENING, CONTENT_KEY, DEVICE_KEY, FILE_HASH, PATCH_HASH, SEALED, SEALED_HASH, SEALED_ROOM, SIGNATURE_CONTEXTS_ROOM } from "../memory";
import { Status } from "../status";
import { key_forget, key_load, KEY_SIZE, OWN_PUBLIC, OWN_SECRET } from "./key";

/** What must be known to go on at a chunk; the journal keeps it. It begins as the file does. */
@unmanaged
class Sealed {
  /** 0: the head has not arrived. */
  magic: u32;
  /** 0: an image is inside, 1: a patch. */
  kind: u16;
  recipients: u16;
  // 32 bytes of ephemeral public key, 32 of wrapped content key, 32 of the header's SHA-256, then:
  // u32: the chunk in hand, which PATCH_HASH has not taken in
}

const EPHEMERAL: usize = SEALED + 8;
const WRAPPED: usize = SEALED + 40;
const HEADER_HASH: usize = SEALED + 72;
const INDEX: usize = SEALED + 104;

const MAGIC: u32 = 0x3145504d; // "MPE1"
/** Bytes of the head, and of an entry: 8 of the recipient's public key and the content key, wrapped for it. */
const HEAD: u32 = 40;
const ENTRY_ID: u32 = 8;
/** Bytes of text in every chunk but the last, and of its tag. */
const TEXT: u32 = 1024;
const TAG: u32 = 16;
if (SEALED_ROOM < 108 || (!isDefined(SMALL) && TEXT + CHUNK_SPARE > <u32>SIGNATURE_CONTEXTS_ROOM)) ERROR("an encrypted payload does not fit its regions");

const sealed = changetype<Sealed>(SEALED);

/** Bytes of the payload in all, and those that have arrived; the last `held` of them are in CHUNK. */
let total: u32 = 0;
let arrived: u32 = 0;
let held: u32 = 0;
/** The entry of this device was among the recipients. */
let found: bool = false;
/** Bytes of the next chunk's text that were taken before a restart. */
let passed: u32 = 0;
/** Where the text begins that was opened last. */
let text: usize = 0;

/** From its first byte on. */
export function sealed_begin(): void {
  memory.fill(SEALED, 0, SEALED_ROOM);
}

/** Goes on with a payload of `length` bytes, of whose text the first `taken` were taken. */
export function sealed_resume(length: u32, taken: u32): Status {
  total = length;
  held = 0;
  found = false;
  arrived = 0;
  passed = 0;
  memory.copy(SEALED_HASH, PATCH_HASH, SHA256_CONTEXT);
  if (sealed.magic == 0) return Status.OK;
  const index = load<u32>(INDEX);
  arrived = header_length() + index * (TEXT + TAG);
  passed = taken - index * TEXT;
  return unwrap();
}

export function sealed_arrived(): u32 {
  return arrived;
}

export function sealed_is_patch(): bool {
  return sealed.kind != 0;
}

/** The key of the chunks is not needed any more. */
export function sealed_forget(): void {
  memory.fill(CONTENT_KEY, 0, KEY_SIZE);
}

/** Takes bytes up to the end of the piece that is arriving; returns how many. */
export function sealed_put(pointer: usize, length: u32): u32 {
  const part = min(length, piece() - held);
  memory.copy(CHUNK + held, pointer, part);
  held += part;
  arrived += part;
  return part;
}

/** Bytes of the piece in hand: the head, an entry or a chunk. */
function piece(): u32 {
  const start = arrived - held;
  return start < header_length() ? HEAD : min(TEXT + TAG, total - start);
}

function header_length(): u32 {
  return HEAD + sealed.recipients * HEAD;
}

/** Opens the piece in hand once it is whole. Bytes of text that are now at sealed_text; 0: none; or a negative status. */
export function sealed_open(): i32 {
  if (held != piece()) return 0;
  const length = held;
  const start = arrived - held;
  const is_chunk = start >= header_length();
  held = 0;
  memory.copy(PATCH_HASH, SEALED_HASH, SHA256_CONTEXT);
  sha256_update(SEALED_HASH, CHUNK, length);
  if (is_chunk) return open_chunk((start - header_length()) / (TEXT + TAG), length);
  const status = start == 0 ? open_head() : open_entry();
  return status == Status.OK && arrived == header_length() ? end_header() : status;
}

/** Where the text that was opened begins. */
export function sealed_text(): usize {
  return text;
}

function open_head(): Status {
  memory.copy(SEALED, CHUNK, HEAD);
  return sealed.magic == MAGIC && sealed.kind <= 1 && sealed.recipients != 0 && header_length() < total ? Status.OK : Status.DECRYPTION;
}

function open_entry(): Status {
  if (found) return Status.OK;
  const status = key_load(OWN_PUBLIC, 0, KEY_SIZE);
  found = bytes_equal(CHUNK, OWN_PUBLIC, ENTRY_ID);
  if (found) memory.copy(WRAPPED, CHUNK + ENTRY_ID, KEY_SIZE);
  return status;
}

function end_header(): Status {
  if (!found) return Status.NOT_A_RECIPIENT;
  memory.copy(FILE_HASH, SEALED_HASH, SHA256_CONTEXT);
  sha256_end(FILE_HASH, HEADER_HASH);
  return unwrap();
}

/** Makes the key of the chunks. */
function unwrap(): Status {
  const status = key_load(OWN_PUBLIC, 0, 2 * KEY_SIZE);
  if (status != Status.OK) return status;
  memory.copy(DEVICE_KEY, EPHEMERAL, KEY_SIZE);
  // RFC 7748, 6.1: not all zeros, against a point of small order, with which anybody knows the key.
  const is_secret = x25519(OWN_SECRET, OWN_SECRET, DEVICE_KEY);
  hkdf_sha256_extract(CONTENT_KEY, DEVICE_KEY, 2 * KEY_SIZE, OWN_SECRET, KEY_SIZE);
  hkdf_sha256_expand(CONTENT_KEY, KEY_SIZE, CONTENT_KEY, SEALED, 8);
  for (let i: usize = 0; i < KEY_SIZE; i += 8) store<u64>(CONTENT_KEY + i, load<u64>(CONTENT_KEY + i) ^ load<u64>(WRAPPED + i));
  hkdf_sha256_expand(CONTENT_KEY, KEY_SIZE, CONTENT_KEY, HEADER_HASH, 32);
  key_forget();
  return is_secret ? Status.OK : Status.DECRYPTION;
}

/**
 * Its number and whether it is the last one are the nonce, against chunks that are exchanged, left out, repeated or
 * cut off; the header is in the key, against those of another payload.
 */
function open_chunk(index: u32, length: u32): i32 {
  store<u32>(INDEX, index);
  if (length < TAG + max(passed, 1)) return Status.DECRYPTION;
  store<u32>(CHUNK_NONCE, index);
  store<u64>(CHUNK_NONCE, u64(arrived == total), 4);
  if (!chunk_open(CHUNK_OPENING, CONTENT_KEY, CHUNK_NONCE, CHUNK, length - TAG)) return Status.DECRYPTION;
  text = CHUNK + passed;
  const fresh = length - TAG - passed;
  passed = 0;
  return fresh;
}
