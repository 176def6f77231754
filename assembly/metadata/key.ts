// The keys of one role: which key ids its delegator lists, and the key material behind them (TUF 4.2, 4.3).

import { bytes_equal, hex_decode } from "../bytes";
import { SIGNATURE_ED25519, signature_key, SIGNATURE_LENGTH, SIGNATURE_MATERIAL, SIGNATURE_P256, SIGNATURE_RSA } from "../crypto/signature";
import { Name } from "../json/names";
import {
  Reader,
  reader_array,
  reader_element,
  reader_fail,
  reader_find,
  reader_integer,
  reader_member,
  reader_name,
  reader_named_value,
  reader_object,
  reader_object_at,
  reader_peek,
  reader_seek,
  reader_skip,
  reader_string,
  reader_text,
} from "../json/reader";
import { text_copy, text_hash, text_hex } from "../json/text";
import { DIGEST, KEY_BUFFER, KEY_CAPACITY, KEY_SET_ROOM, NOTED_KEYS, SIGNATURE_BUFFER } from "../memory";
import { ED25519_ALONE } from "../lean";
import { Status } from "../status";
import { canonical_hash } from "./file";
import { is_legacy, profile_value } from "./profile";

/** The most keys of one role that are counted, and so the highest threshold. */
const MAX_KEYS: u32 = 32;

@unmanaged
export class KeySet {
  threshold: u32;
  count: u32;
  // MAX_KEYS Keys follow.
}

@unmanaged
export class Key {
  /** Hash of the key id. Two ids of one hash are one id: all that it can do is to verify a wrong signature. */
  id: u64;
  /** Hash of the material. Two keys of one hash are one key: all that it can do is to count less. */
  material: u64;
  /** Where the delegator's file has the public key, its quote. */
  text: u32;
  /** Where the file that is verified has this key's signature, its quote; 0: nowhere. */
  signature: u32;
  /** Its kind in crypto/signature.ts; 0: of none that this client verifies, or not to be read. */
  kind: u8;
  /** A signature by this material was verified: it counts no second time. */
  counted: bool;
  /** It is being verified. */
  begun: bool;
}

const KEYS_AT: usize = 16;
const KEY_SIZE: usize = 32;

/** Bytes of a KeySet with its keys. */
const KEY_SET_SIZE: i32 = 16 + <i32>MAX_KEYS * 32;
if (KEY_SET_SIZE > KEY_SET_ROOM) ERROR("a KeySet does not fit its region");

export function key_at(set: KeySet, index: u32): Key {
  return changetype<Key>(changetype<usize>(set) + KEYS_AT + <usize>index * KEY_SIZE);
}

/** Key ids must be the SHA-256 of their keys; else they are names, and nothing more (TAP 12). */
let strict: bool = false;

export function keys_be_strict(value: bool): void {
  strict = value;
}

/** Decodes the public key into KEY_BUFFER as crypto/signature.ts has it; `r` reads the delegator's file. */
export function key_load(r: Reader, key: Key): bool {
  if (ED25519_ALONE) return text_hex(r, key.text, KEY_BUFFER + SIGNATURE_MATERIAL, 32) == 32;
  return signature_key(KEY_BUFFER, key.kind, KEY_BUFFER, text_copy(r, key.text, KEY_BUFFER, KEY_CAPACITY));
}

/** Reads the keys of a role from a delegator's `roles` and `keys` objects. */
export function keys_read(r: Reader, roles: u32, keys: u32, role: Name, set: KeySet): Status {
  memory.fill(changetype<usize>(set), 0, KEY_SET_SIZE);
  reader_seek(r, roles);
  if (reader_find(r, role)) read_role(r, set);
  if (r.status == Status.OK && set.threshold == 0) return Status.METADATA_INVALID; // the role is missing
  return read_keys(r, keys, set);
}

/** Reads the keys of a delegated role from its delegation and the `keys` object beside it. */
export function keys_read_delegated(r: Reader, delegation: u32, keys: u32, set: KeySet): Status {
  memory.fill(changetype<usize>(set), 0, KEY_SET_SIZE);
  reader_seek(r, delegation);
  read_role(r, set);
  return read_keys(r, keys, set);
}

function read_keys(r: Reader, keys: u32, set: KeySet): Status {
  reader_object_at(r, keys);
  while (reader_member(r)) {
    const key = key_find(set, text_hash(r));
    if (key && reader_peek(r) == 0x7b) read_key(r, key);
    else reader_skip(r);
  }
  return r.status;
}

function read_role(r: Reader, set: KeySet): void {
  let listed = false;
  reader_object(r);
  while (reader_member(r)) {
    switch (reader_name(r)) {
      case Name.KEYIDS:
        listed = true;
        read_ids(r, set);
        break;
      case Name.THRESHOLD:
        // A threshold of 0 would accept a file that nobody signed.
        set.threshold = reader_integer(r, Status.THRESHOLD_INVALID);
        if (set.threshold == 0 || set.threshold > MAX_KEYS) reader_fail(r, Status.THRESHOLD_INVALID);
        break;
      default:
        reader_skip(r);
    }
  }
  if (!listed || set.threshold == 0) reader_fail(r, Status.METADATA_INVALID);
}

function read_ids(r: Reader, set: KeySet): void {
  set.count = 0;
  reader_array(r);
  while (reader_element(r)) {
    if (!reader_string(r)) return;
    const id = text_hash(r);
    if (key_find(set, id)) continue;
    if (set.count == MAX_KEYS) reader_fail(r, Status.TOO_MANY_KEYS);
    else key_at(set, set.count++).id = id;
  }
}

/** The key of a role with this id, or null. */
export function key_find(set: KeySet, id: u64): Key | null {
  for (let i: u32 = 0; i < set.count; i++) {
    const key = key_at(set, i);
    if (key.id == id) return key;
  }
  return null;
}

/** A key of another kind is skipped, and the file is not refused for it (TUF 4.2). */
function read_key(r: Reader, key: Key): void {
  const named = !isDefined(SMALL) && strict && r.text_length == 64 && hex_decode(reader_text(r), 32, SIGNATURE_BUFFER);
  const at = r.pos;
  let type: Name = Name.OTHER;
  let scheme: Name = Name.OTHER;
  key.text = 0;
  reader_object(r);
  while (reader_member(r)) {
    const name = reader_name(r);
    const kind = reader_peek(r);
    if (name == Name.KEYTYPE && kind == 0x22) type = profile_value(r);
    else if (name == Name.SCHEME && kind == 0x22) scheme = reader_named_value(r);
    else if (name == Name.KEYVAL && kind == 0x7b) read_keyval(r, key);
    else reader_skip(r);
  }
  key.kind = key.text != 0 ? <u8>kind_of(type, scheme) : 0;
  if (key.kind != 0 && key_load(r, key)) key.material = hash_of_material();
  else key.kind = 0;
  if (!isDefined(SMALL) && strict && !(named && is_named_so(r, at))) key.kind = 0;
}

/**
 * The kind of signature that a keytype and a scheme stand for; 0: none that this client verifies. In the legacy profile
 * there is no scheme.
 */
function kind_of(type: Name, scheme: Name): i32 {
  const legacy = is_legacy();
  if (type == Name.ED25519 && (legacy || scheme == Name.ED25519)) return SIGNATURE_ED25519;
  if (ED25519_ALONE) return 0;
  if ((type == Name.ECDSA || type == Name.ECDSA_P256) && scheme == Name.ECDSA_P256) return SIGNATURE_P256;
  return type == Name.RSA && (legacy || scheme == Name.RSA_PSS) ? SIGNATURE_RSA : 0;
}

function read_keyval(r: Reader, key: Key): void {
  reader_object(r);
  while (reader_member(r)) {
    reader_peek(r);
    if (reader_name(r) == Name.PUBLIC) key.text = r.pos;
    reader_skip(r);
  }
}

/** FNV-1a over the material in KEY_BUFFER, 64 bits. */
function hash_of_material(): u64 {
  const length: usize = ED25519_ALONE ? 32 : load<u32>(KEY_BUFFER, SIGNATURE_LENGTH);
  let hash: u64 = 0xcbf29ce484222325;
  for (let i: usize = 0; i < length; i++) hash = (hash ^ load<u8>(KEY_BUFFER + SIGNATURE_MATERIAL + i)) * 0x100000001b3;
  return hash;
}

/** Whether the key object at `at` has the id in SIGNATURE_BUFFER: the SHA-256 of its canonical form (TUF 4.2). */
function is_named_so(r: Reader, at: u32): bool {
  const end = r.pos;
  const depth = r.depth;
  const status = canonical_hash(r, at, false);
  r.pos = end;
  r.depth = depth;
  r.fresh = false;
  return status == Status.OK && bytes_equal(DIGEST, SIGNATURE_BUFFER, 32);
}

/** Marks a key's material as counted, under every id that it has. */
export function key_count(set: KeySet, key: Key): void {
  for (let i: u32 = 0; i < set.count; i++) {
    const other = key_at(set, i);
    if (other.material == key.material) other.counted = true;
  }
}

/**
 * Notes the threshold and the usable materials of a set. Both sets that are compared come from roots whose signatures
 * hold: nobody gains by keys of one hash.
 */
export function keys_note(set: KeySet): void {
  store<u64>(NOTED_KEYS, set.threshold);
  let at = NOTED_KEYS;
  for (let i: u32 = 0; i < set.count; i++) {
    if (key_at(set, i).kind != 0) store<u64>((at += 8), key_at(set, i).material);
  }
  noted_end = at;
}

let noted_end: usize = 0;

/** Whether what satisfied the noted set satisfies this one: every key is still there, and no more are asked for. */
export function keys_satisfy_noted(set: KeySet): bool {
  if (set.threshold > load<u64>(NOTED_KEYS)) return false;
  for (let at = NOTED_KEYS; at < noted_end; ) {
    at += 8;
    let found = false;
    for (let i: u32 = 0; i < set.count; i++) {
      const key = key_at(set, i);
      if (key.kind != 0 && key.material == load<u64>(at)) found = true;
    }
    if (!found) return false;
  }
  return true;
}
