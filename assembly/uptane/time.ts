// Roughtime (draft-ietf-ntp-roughtime-19, which is version 1): a request for the time that only its answer fits, and the
// answer. Uptane (Standard 2.1.0, Deployment Best Practices 3.1) asks for a secure source of time.
//
// Both packets lie in the buffer of the host. Of the answer every length, offset and order is checked before a value is
// read; tags that are not known are passed over. What is kept from request to answer is TIME_KEYS, TIME_NONCE, TIME_LEAF.

import { bytes_equal } from "../bytes";
import { ed25519_verify_begin, ed25519_verify_end, ed25519_verify_update } from "../crypto/ed25519";
import { sha512_begin, sha512_end, sha512_update } from "../crypto/sha512";
import { Name } from "../json/names";
import { Reader, reader_array, reader_element, reader_fail, reader_find, reader_open, reader_peek, reader_seek, reader_string } from "../json/reader";
import { text_hex } from "../json/text";
import {
  DIGEST,
  FILE_HASH,
  IO_BUFFER,
  IO_CAPACITY,
  MOST_TIME_KEYS,
  SIGNATURE_BUFFER,
  TIME_CONTEXT,
  TIME_KEYS,
  TIME_LEAF,
  TIME_NONCE,
} from "../memory";
import { Role } from "../abi";
import { Status } from "../status";
import { Kind, store_bank, store_entry } from "../storage/record";
import { trusted_entry, trusted_open, trusted_reader, trusted_signed } from "../tuf/trusted";

// ---- the keys of time servers ----

/** Keys that count. */
export let time_keys: u32 = 0;

/** Reads an array of keys, in hexadecimal digits, into TIME_KEYS. */
export function time_keys_read(r: Reader): void {
  time_keys = 0;
  reader_array(r);
  while (reader_element(r)) {
    reader_peek(r);
    const quote = r.pos;
    const key = TIME_KEYS + (time_keys << 5);
    if (!reader_string(r) || time_keys++ == MOST_TIME_KEYS || text_hex(r, quote, key, 32) != 32) reader_fail(r, Status.METADATA_INVALID);
  }
}

/** The keys that count are those that the trusted root names, or else those of the configuration. */
export function time_keys_find(): Status {
  const r = trusted_reader;
  time_keys = 0;
  const status = trusted_open(Role.ROOT);
  if (status != Status.OK) return status;
  reader_seek(r, trusted_signed.custom);
  // Nobody has signed what stands at the start of a file.
  if (trusted_signed.custom == 0 || !reader_find(r, Name.TIME_KEYS)) {
    const given = store_entry(Kind.CONFIG);
    if (r.status == Status.OK) reader_open(r, store_bank(), given.offset, given.length);
    if (!reader_find(r, Name.TIME_KEYS)) return r.status;
  }
  time_keys_read(r);
  return r.status;
}

// ---- the request ----

/** The key of whom the last request was for. */
let key_in_use: usize = 0;

/** "ROUGHTIM", the length of the message; its tags VER, SRV, NONC, TYPE, ZZZZ; the versions: 1, and that of the drafts. */
// @ts-ignore: decorator
@lazy const REQUEST_HEAD = memory.data<u32>([
  0x47554f52, 0x4d495448, 1012,
  5, 8, 40, 72, 76, 0x00524556, 0x00565253, 0x434e4f4e, 0x45505954, 0x5a5a5a5a,
  1, 0x8000000c,
]);
const SERVER_AT: usize = 60;
const NONCE_AT: usize = SERVER_AT + 32;

/**
 * Makes a request to who has the key of this number, with the nonce in TIME_NONCE. 5.1: it is as long as the buffer, so
 * that no answer is longer and a server amplifies nothing.
 */
export function time_request(turn: u32): void {
  key_in_use = TIME_KEYS + (turn << 5);
  memory.fill(IO_BUFFER, 0, IO_CAPACITY);
  memory.copy(IO_BUFFER, REQUEST_HEAD, SERVER_AT);
  hash(0xff, 0, 0, key_in_use); // 5.1.4
  memory.copy(IO_BUFFER + SERVER_AT, DIGEST, 32);
  memory.copy(IO_BUFFER + NONCE_AT, TIME_NONCE, 32);
  hash(0, IO_BUFFER, IO_CAPACITY - 32, IO_BUFFER + IO_CAPACITY - 32); // 5.3
  memory.copy(TIME_LEAF, DIGEST, 32);
}

/** SHA-512 of a byte, the first so many bytes and the second 32; of DIGEST the first 32 bytes count. */
function hash(prefix: u32, first: usize, length: u32, second: usize): void {
  store<u8>(SIGNATURE_BUFFER, prefix);
  sha512_begin(FILE_HASH);
  sha512_update(FILE_HASH, SIGNATURE_BUFFER, 1);
  sha512_update(FILE_HASH, first, length);
  sha512_update(FILE_HASH, second, 32);
  sha512_end(FILE_HASH, DIGEST);
}

// ---- the answer ----

const SIG: u32 = 0x00474953;
const VER: u32 = 0x00524556;
const NONC: u32 = 0x434e4f4e;
const DELE: u32 = 0x454c4544;
const TYPE: u32 = 0x45505954;
const PATH: u32 = 0x48544150;
const RADI: u32 = 0x49444152;
const PUBK: u32 = 0x4b425550;
const MIDP: u32 = 0x5044494d;
const SREP: u32 = 0x50455253;
const MINT: u32 = 0x544e494d;
const ROOT: u32 = 0x544f4f52;
const CERT: u32 = 0x54524543;
const MAXT: u32 = 0x5458414d;
const INDX: u32 = 0x58444e49;

/** The message in hand, its bytes, and those of the value that was found last; whether all so far was as it must be. */
let message: usize = 0;
let message_size: u32 = 0;
let size: u32 = 0;
let sound: bool = false;

/** The value of a tag, of so many bytes, 0: any number. Without it the packet is not sound. */
function find(tag: u32, wanted: u32): usize {
  const end = message + message_size;
  const count = load<u32>(message);
  const tags = message + (count << 2);
  const values = tags + (count << 2);
  let value = values;
  let found: usize = 0;
  let before: u32 = 0;
  if (count > message_size >> 3) sound = false;
  for (let at = message; sound && at < tags; ) {
    const next = load<u32>(at + (count << 2));
    at += 4;
    const to = at < tags ? values + load<u32>(at) : end;
    // 4.2: in ascending order, none twice, no value outside of the message.
    if (to < value || to > end || to & 3 || next <= before) sound = false;
    if (next == tag) {
      found = value;
      size = <u32>(to - value);
    }
    value = to;
    before = next;
  }
  if (found == 0 || (wanted != 0 && size != wanted)) sound = false;
  return found;
}

/** Goes on inside the value of a tag. */
function enter(tag: u32): void {
  message = find(tag, 0);
  message_size = size;
}

// @ts-ignore: decorator
@lazy const DELEGATION_CONTEXT = memory.data<u8>([
  // RoughTime v1 delegation signature
  82, 111, 117, 103, 104, 84, 105, 109, 101, 32, 118, 49, 32, 100, 101, 108, 101, 103, 97, 116, 105, 111, 110, 32, 115, 105, 103, 110, 97, 116, 117, 114, 101, 0,
]);
// @ts-ignore: decorator
@lazy const RESPONSE_CONTEXT = memory.data<u8>([
  // RoughTime v1 response signature
  82, 111, 117, 103, 104, 84, 105, 109, 101, 32, 118, 49, 32, 114, 101, 115, 112, 111, 110, 115, 101, 32, 115, 105, 103, 110, 97, 116, 117, 114, 101, 0,
]);

/** The radius of an answer that says anything: up to a day. */
const MOST_RADIUS: u32 = 86400;
/** How far a time may lie behind the end of the newest root: ten years. */
const HORIZON: u64 = 315576000;

/** The time that has passed by what the last answer says, seconds since 1970. */
export let time_passed: u32 = 0;

/**
 * Verifies the answer of so many bytes in the buffer (5.4); `latest` is known to have passed. TIME_INVALID and the
 * statuses behind it; only after OK is `time_passed` set.
 */
export function time_verify(length: u32, latest: u32): Status {
  sound = true;
  message = IO_BUFFER + 12;
  message_size = load<u32>(IO_BUFFER, 8);
  if (load<u64>(IO_BUFFER) != load<u64>(REQUEST_HEAD) || message_size > IO_CAPACITY - 12 || message_size + 12 != length) return Status.TIME_INVALID;
  const signature = find(SIG, 64);
  const nonce = find(NONC, 32);
  const type = find(TYPE, 4);
  let path = find(PATH, 0);
  const end = path + size;
  const index = find(INDX, 4);
  const response = find(SREP, 0);
  const response_size = size;
  enter(CERT);
  const delegation_signature = find(SIG, 64);
  enter(DELE);
  const delegation = message;
  const delegation_size = message_size;
  const key = find(PUBK, 32);
  const least = find(MINT, 8);
  const most = find(MAXT, 8);
  message = response;
  message_size = response_size;
  const version = load<u32>(find(VER, 4));
  const radius = load<u32>(find(RADI, 4));
  const midpoint = load<u64>(find(MIDP, 8));
  const root = find(ROOT, 32);
  if (!sound || load<u32>(type) != 1 || (version != 1 && version != 0x8000000c) || (end - path) & 31) return Status.TIME_INVALID;

  // 5.3.1: an answer to this request and no other, against replay.
  let place = load<u32>(index);
  memory.copy(DIGEST, TIME_LEAF, 32);
  for (; path < end; path += 32) {
    if (place & 1) hash(1, path, 32, DIGEST);
    else hash(1, DIGEST, 32, path);
    place >>>= 1;
  }
  if (place != 0 || !bytes_equal(DIGEST, root, 32) || !bytes_equal(nonce, TIME_NONCE, 32)) return Status.TIME_REPLAYED;

  // 5.2.1, 5.2.6: against forged time.
  if (
    !is_signed(key_in_use, delegation_signature, DELEGATION_CONTEXT, 34, delegation, delegation_size) ||
    !is_signed(key, signature, RESPONSE_CONTEXT, 32, response, response_size)
  ) return Status.TIME_SIGNATURE;
  // 5.2.6: against a delegated key that was stolen once.
  if (midpoint < load<u64>(least) || midpoint > load<u64>(most)) return Status.TIME_DELEGATION;
  // A server that says any time must not lock a device up for ever.
  if (radius - 1 >= MOST_RADIUS || midpoint > trusted_entry(Role.ROOT).expires + HORIZON) return Status.TIME_ABSURD;
  if (midpoint + radius < latest) return Status.TIME_ROLLBACK;
  time_passed = <u32>max<i64>(midpoint - radius, latest);
  return Status.OK;
}

function is_signed(key: usize, signature: usize, context: usize, context_size: u32, value: usize, length: u32): bool {
  ed25519_verify_begin(TIME_CONTEXT, key, signature);
  ed25519_verify_update(TIME_CONTEXT, context, context_size);
  ed25519_verify_update(TIME_CONTEXT, value, length);
  return ed25519_verify_end(TIME_CONTEXT);
}
