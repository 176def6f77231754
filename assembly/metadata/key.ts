// The keys of one role: which key ids its delegator lists, and the key material behind them (TUF 4.2, 4.3).

import { bytes_equal, hex_decode } from "../bytes";
import { Name } from "../json/names";
import {
  Reader,
  reader_array,
  reader_element,
  reader_fail,
  reader_integer,
  reader_member,
  reader_name,
  reader_named_value,
  reader_object,
  reader_peek,
  reader_seek,
  reader_skip,
  reader_string,
  reader_text,
} from "../json/reader";
import { text_hash } from "../json/text";
import { KEY_SET_ROOM, NOTED_KEYS } from "../memory";
import { Status } from "../status";

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
  /** Where the file that is verified has this key's signature, its quote; 0: nowhere. */
  signature: u32;
  /** The material is known and of a kind that this client verifies. */
  usable: bool;
  /** A signature by this material was verified: it counts no second time. */
  counted: bool;
  // 32 bytes of Ed25519 public key follow.
}

const KEYS_AT: usize = 16;
const KEY_SIZE: usize = 48;
const MATERIAL: usize = 16;
const MATERIAL_SIZE: u32 = 32;

/** Bytes of a KeySet with its keys. */
const KEY_SET_SIZE: i32 = 16 + <i32>MAX_KEYS * 48;
if (KEY_SET_SIZE > KEY_SET_ROOM) ERROR("a KeySet does not fit its region");

export function key_at(set: KeySet, index: u32): Key {
  return changetype<Key>(changetype<usize>(set) + KEYS_AT + <usize>index * KEY_SIZE);
}

/** The 32 bytes of public key. */
export function key_material(key: Key): usize {
  return changetype<usize>(key) + MATERIAL;
}

/** Reads the keys of a role from a delegator's `roles` and `keys` objects. */
export function keys_read(r: Reader, roles: u32, keys: u32, role: Name, set: KeySet): Status {
  memory.fill(changetype<usize>(set), 0, KEY_SET_SIZE);
  reader_seek(r, roles);
  reader_object(r);
  while (reader_member(r)) {
    if (reader_name(r) == role) read_role(r, set);
    else reader_skip(r);
  }
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
  reader_seek(r, keys);
  reader_object(r);
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
  let known = 0;
  let material = false;
  reader_object(r);
  while (reader_member(r)) {
    const name = reader_name(r);
    const kind = reader_peek(r);
    if ((name == Name.KEYTYPE || name == Name.SCHEME) && kind == 0x22) known += i32(reader_named_value(r) == Name.ED25519);
    else if (name == Name.KEYVAL && kind == 0x7b) material = read_keyval(r, key);
    else reader_skip(r);
  }
  key.usable = known == 2 && material;
}

function read_keyval(r: Reader, key: Key): bool {
  let material = false;
  reader_object(r);
  while (reader_member(r)) {
    if (reader_name(r) == Name.PUBLIC && reader_peek(r) == 0x22) {
      reader_string(r);
      material = r.text_length == 2 * MATERIAL_SIZE && hex_decode(reader_text(r), MATERIAL_SIZE, key_material(key));
    } else reader_skip(r);
  }
  return material;
}

/** Marks a key's material as counted, under every id that it has. */
export function key_count(set: KeySet, key: Key): void {
  for (let i: u32 = 0; i < set.count; i++) {
    const other = key_at(set, i);
    if (other.usable && bytes_equal(key_material(other), key_material(key), MATERIAL_SIZE)) other.counted = true;
  }
}

/**
 * Notes the threshold and the usable materials of a set, by their first eight bytes. Both sets that are compared
 * come from roots whose signatures hold: nobody gains by keys that begin alike.
 */
export function keys_note(set: KeySet): void {
  store<u64>(NOTED_KEYS, set.threshold);
  let at = NOTED_KEYS;
  for (let i: u32 = 0; i < set.count; i++) {
    if (key_at(set, i).usable) store<u64>((at += 8), load<u64>(key_material(key_at(set, i))));
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
      if (key.usable && load<u64>(key_material(key)) == load<u64>(at)) found = true;
    }
    if (!found) return false;
  }
  return true;
}
