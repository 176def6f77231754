// Canonical JSON that the core itself writes, in the buffer: pieces of fixed text, and values between them.

import { decimal_encode, hex_encode } from "../bytes";
import { canonical_stream } from "../json/canonical";
import { Name } from "../json/names";
import { Reader, reader_find, reader_open } from "../json/reader";
import { IO_BUFFER, IO_CAPACITY, READER } from "../memory";
import { Status } from "../status";
import { Kind, store_bank, store_entry } from "../storage/record";

/** The texts; a piece ends where a | stands in the comment. */
// @ts-ignore: decorator
@lazy const TEXTS = memory.data<u8>([
  // {"attacks_detected":"|status -|
  123, 34, 97, 116, 116, 97, 99, 107, 115, 95, 100, 101, 116, 101, 99, 116, 101, 100, 34, 58, 34, 0, 115, 116, 97, 116, 117, 115, 32, 45, 0,
  // ","ecu_serial":|,"installed_image":|,"report_counter":|,"timeserver_time":"|Z"}|
  34, 44, 34, 101, 99, 117, 95, 115, 101, 114, 105, 97, 108, 34, 58, 0, 44, 34, 105, 110, 115, 116, 97, 108, 108, 101, 100, 95, 105, 109, 97, 103, 101, 34, 58, 0, 44, 34, 114, 101, 112, 111, 114, 116, 95, 99, 111, 117, 110, 116, 101, 114, 34, 58, 0, 44, 34, 116, 105, 109, 101, 115, 101, 114, 118, 101, 114, 95, 116, 105, 109, 101, 34, 58, 34, 0, 90, 34, 125, 0,
  // {"fileinfo":{"hashes":{"sha256":"|"},"length":|},"filepath":|}|
  123, 34, 102, 105, 108, 101, 105, 110, 102, 111, 34, 58, 123, 34, 104, 97, 115, 104, 101, 115, 34, 58, 123, 34, 115, 104, 97, 50, 53, 54, 34, 58, 34, 0, 34, 125, 44, 34, 108, 101, 110, 103, 116, 104, 34, 58, 0, 125, 44, 34, 102, 105, 108, 101, 112, 97, 116, 104, 34, 58, 0, 125, 0,
]);
/** Where they begin. */
export const enum Text {
  FINDING = 0,
  REPORT = 31,
  IMAGE = 111,
}

/** Bytes at the end of the buffer that are left for pieces and numbers, and for a signature behind them. */
const SPARE: usize = 160;

/** Where the next byte goes. */
export let compose_end: usize = 0;
/** What was wrong with a value: TOO_LONG, or what a reader found. */
export let compose_fault: Status = Status.OK;
/** The next piece. */
let piece: usize = 0;

/** Begins in the buffer, with the first piece of a text. */
export function compose_begin(text: Text): void {
  compose_end = IO_BUFFER;
  compose_fault = Status.OK;
  compose_next(text);
}

/** Puts the first piece of another text. */
export function compose_next(text: Text): void {
  piece = text;
  compose_piece();
}

/** Puts the next piece. */
export function compose_piece(): void {
  for (let c: u32 = load<u8>(TEXTS + piece++); c != 0; c = load<u8>(TEXTS + piece++)) put(c);
}

function put(byte: u32): void {
  store<u8>(compose_end++, byte);
}

/** Puts bytes as they are. */
export function compose_put(pointer: usize, length: u32): void {
  if (compose_end + length > IO_BUFFER + IO_CAPACITY - SPARE) {
    compose_fault = Status.TOO_LONG;
    return;
  }
  memory.copy(compose_end, pointer, length);
  compose_end += length;
}

export function compose_number(value: u32): void {
  compose_end = decimal_encode(value, compose_end);
}

export function compose_hex(bytes: usize, length: u32): void {
  hex_encode(bytes, length, compose_end);
  compose_end += length << 1;
}

/** Puts a character and two digits. */
export function compose_two(before: u32, value: u32): void {
  put(before);
  put(0x30 + value / 10);
  put(0x30 + (value % 10));
}

/** Puts a value that a reader stands before. */
export function compose_value(r: Reader): void {
  const status = canonical_stream(r, r.pos, changetype<usize>(compose_put));
  if (status != Status.OK) compose_fault = status;
}

/** Puts a record, or a member of the object that it is. CONFIG_INVALID: it has none of this name. */
export function compose_record(kind: Kind, name: Name): void {
  const r = changetype<Reader>(READER);
  const entry = store_entry(kind);
  reader_open(r, store_bank(), entry.offset, entry.length);
  if (name == Name.OTHER || reader_find(r, name)) compose_value(r);
  else compose_fault = Status.CONFIG_INVALID;
}
