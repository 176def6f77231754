// Signatures against the threshold of a role (TUF 4.2, and "threshold of signatures" in 5.3 to 5.6). Unique
// key material counts: a key under two ids, or a key id that signs twice, is one signature at most.

import { Role } from "../abi";
import { ED25519_CONTEXT, ed25519_verify_begin, ed25519_verify_end, ed25519_verify_update } from "../crypto/ed25519";
import { SIGNATURE_ED25519, SIGNATURE_MATERIAL, SIGNATURE_RSA, signature_verify_digest } from "../crypto/signature";
import { rsa_widen } from "../crypto/rsa";
import { base64_decode } from "../crypto/spki";
import { canonical_escape, canonical_stream } from "../json/canonical";
import { Name } from "../json/names";
import {
  Reader,
  reader_array_at,
  reader_element,
  reader_fail,
  reader_member,
  reader_name,
  reader_object,
  reader_skip,
  reader_string,
} from "../json/reader";
import { text_copy, text_hash, text_hex } from "../json/text";
import { DIGEST, KEY_BUFFER, KEY_CAPACITY, KEY_SET, SIGNATURE_BUFFER, SIGNATURE_CONTEXTS, SIGNATURES_AT_ONCE, SIGNER_IDS } from "../memory";
import { Envelope } from "../metadata/envelope";
import { canonical_hash } from "../metadata/file";
import { Key, key_at, key_count, key_find, key_load, keys_read, keys_read_delegated, KeySet } from "../metadata/key";
import { is_legacy } from "../metadata/profile";
import { role_name, Signed } from "../metadata/signed";
import { ED25519_ALONE } from "../lean";
import { Status } from "../status";

/** The most signatures that one file may carry. */
const MAX_SIGNATURES: u32 = 64;

const set = changetype<KeySet>(KEY_SET);

/** Reads the file of whoever gave the keys that are loaded. */
let delegator = changetype<Reader>(0);

/** The keys of a role according to a root; they stay in `KEY_SET` for `threshold_verify`, and the root open. */
export function threshold_load(root: Reader, signed: Signed, role: Role): Status {
  delegator = root;
  return keys_read(root, signed.roles, signed.keys, role_name(role), set);
}

/** The same for a delegated role, by its delegation and the `keys` object beside it. */
export function threshold_load_delegated(targets: Reader, delegation: u32, keys: u32): Status {
  delegator = targets;
  return keys_read_delegated(targets, delegation, keys, set);
}

/** Ways in which what is signed may be hashed in the legacy profile: SHA-512 is for RSA. */
const FORMS: i32 = ED25519_ALONE ? 2 : 4;
/** Signatures by RSA are over SHA-512. */
let wide: bool = false;

/** Whether at least a threshold of the loaded keys signed the file. */
export function threshold_verify(file: Reader, envelope: Envelope): Status {
  wide = false;
  let status = verify(file, envelope);
  if (!is_legacy()) return status;
  // Off-spec: old servers escape line ends where they sign, which keys in PEM have; tools of the same time do not. Some
  // sign with SHA-512.
  for (let form = 1; form < FORMS && status == Status.SIGNATURES; form++) {
    canonical_escape((form & 1) != 0);
    wide = form > 1;
    status = verify(file, envelope);
  }
  canonical_escape(false);
  return status;
}


function verify(file: Reader, envelope: Envelope): Status {
  const status = collect(file, envelope.signatures);
  if (status != Status.OK) return status;
  let valid: u32 = 0;
  let next: u32 = 0;
  while (valid < set.threshold && next < set.count) {
    const first = next;
    const begun = begin_some(file, first, set.threshold - valid);
    next = begun_end;
    if (begun == 0) break;
    const streamed = canonical_stream(file, envelope.signed, changetype<usize>(feed));
    if (streamed != Status.OK) return streamed;
    valid += finish(first, next);
  }
  if (valid >= set.threshold) return Status.OK;
  return ED25519_ALONE ? Status.SIGNATURES : verify_by_digest(file, envelope, valid);
}

/** Signatures by P-256 and RSA, which share one hash; `valid` hold already. */
function verify_by_digest(file: Reader, envelope: Envelope, valid: u32): Status {
  let hashed = false;
  for (let i: u32 = 0; i < set.count && valid < set.threshold; i++) {
    const key = key_at(set, i);
    if (key.kind == 0 || key.kind == SIGNATURE_ED25519 || key.counted || key.signature == 0) continue;
    if (wide && key.kind != SIGNATURE_RSA) continue;
    const length = signature_decode(file, key.signature, SIGNATURE_CONTEXTS, LONGEST_SIGNATURE);
    if (length == 0) continue;
    if (!hashed) {
      const streamed = canonical_hash(file, envelope.signed, wide);
      if (streamed != Status.OK) return streamed;
      rsa_widen(wide);
      hashed = true;
    }
    if (!key_load(delegator, key) || !signature_verify_digest(KEY_BUFFER, DIGEST, SIGNATURE_CONTEXTS, length)) continue;
    key_count(set, key);
    valid++;
  }
  return valid >= set.threshold ? Status.OK : Status.SIGNATURES;
}

/** Bytes: of 4,096 bits of RSA. */
const LONGEST_SIGNATURE: u32 = 512;

/** Notes for each key where its signature stands. */
function collect(file: Reader, signatures: u32): Status {
  let count: u32 = 0;
  for (let i: u32 = 0; i < set.count; i++) {
    key_at(set, i).signature = 0;
    key_at(set, i).counted = false;
  }
  reader_array_at(file, signatures);
  while (reader_element(file)) {
    if (count == MAX_SIGNATURES) reader_fail(file, Status.TOO_MANY_KEYS);
    else collect_one(file, count++);
  }
  return file.status;
}

function collect_one(file: Reader, index: u32): void {
  let id: u64 = 0;
  let named = false;
  let signature: u32 = 0;
  reader_object(file);
  while (reader_member(file)) {
    const name = reader_name(file);
    if (name == Name.KEYID) {
      if (named) reader_fail(file, Status.JSON_DUPLICATE);
      if (!reader_string(file)) return;
      named = true;
      id = text_hash(file);
    } else if (name == Name.SIG) {
      if (signature != 0) reader_fail(file, Status.JSON_DUPLICATE);
      if (!reader_string(file)) return;
      signature = file.text_at;
    } else reader_skip(file);
  }
  if (file.status != Status.OK) return;
  if (!named || signature == 0) return reader_fail(file, Status.ENVELOPE_INVALID);
  note_signer(file, index, id, Status.SIGNATURE_DUPLICATE);
  const key = key_find(set, id);
  if (key) key.signature = signature;
}

/** The same key id twice refuses the file, even where the threshold is met without it (TUF 4.2). Or another id: ECUs. */
export function note_signer(file: Reader, index: u32, id: u64, fault: Status): void {
  for (let i: u32 = 0; i < index; i++) {
    if (load<u64>(SIGNER_IDS + (<usize>i << 3)) == id) return reader_fail(file, fault);
  }
  store<u64>(SIGNER_IDS + (<usize>index << 3), id);
}

/** The key after the last one that `begin_some` looked at. */
let begun_end: u32 = 0;
let begun_count: i32 = 0;

/** Begins to verify the signatures of some keys, no more than are wanted; returns how many. */
function begin_some(file: Reader, first: u32, wanted: u32): i32 {
  begun_count = 0;
  let index = first;
  const most = min(<i32>wanted, SIGNATURES_AT_ONCE);
  for (; index < set.count && begun_count < most; index++) {
    const key = key_at(set, index);
    if (key.kind != SIGNATURE_ED25519 || key.counted || key.signature == 0) continue;
    key.begun = is_candidate(file, key);
    begun_count += i32(key.begun);
  }
  begun_end = index;
  return begun_count;
}

/** Begins to verify a key's signature, unless it is refused at once. */
function is_candidate(file: Reader, key: Key): bool {
  if (signature_decode(file, key.signature, SIGNATURE_BUFFER, 64) != 64 || !key_load(delegator, key)) return false;
  return ed25519_verify_begin(context(begun_count), KEY_BUFFER + SIGNATURE_MATERIAL, SIGNATURE_BUFFER);
}

/** Decodes the signature at `quote`: hexadecimal digits, in the legacy profile base64 as well. Bytes; 0: it is none. */
function signature_decode(file: Reader, quote: u32, out: usize, capacity: u32): u32 {
  const bytes = text_hex(file, quote, out, capacity);
  if (bytes != 0 || !is_legacy()) return bytes;
  const end = KEY_BUFFER + text_copy(file, quote, KEY_BUFFER, KEY_CAPACITY);
  const length = base64_decode(KEY_BUFFER, KEY_BUFFER, end);
  if (length > capacity) return 0;
  memory.copy(out, KEY_BUFFER, length);
  return length;
}

/** Ends the batch; returns how many signatures hold. */
function finish(first: u32, end: u32): u32 {
  let valid: u32 = 0;
  let index = 0;
  for (let i = first; i < end; i++) {
    const key = key_at(set, i);
    if (!key.begun) continue;
    key.begun = false;
    const holds = ed25519_verify_end(context(index++));
    if (!holds || key.counted) continue;
    key_count(set, key);
    valid++;
  }
  return valid;
}

function feed(pointer: usize, length: u32): void {
  for (let i = 0; i < begun_count; i++) ed25519_verify_update(context(i), pointer, length);
}

function context(index: i32): usize {
  return SIGNATURE_CONTEXTS + <usize>index * ED25519_CONTEXT;
}
