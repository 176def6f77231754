// Canonical JSON as TUF uses it (OLPC): what signatures are made over. Members in the order of their names'
// code points, no white space, only `"` and `\` escaped, whole numbers in decimal.
//
// The value lies on flash and is streamed in one pass where its members are in order already, as most
// repositories write them. An object that is not in order is read again once for each of its members: slow,
// but in constant memory, and bounded by WORK_PER_BYTE.

import { BEST_NAME, CANONICAL_BUFFER, CANONICAL_SIZE, LAST_NAME, LEVELS, LEVELS_ROOM } from "../memory";
import { Status } from "../status";
import {
  MAX_DEPTH,
  Reader,
  reader_array,
  reader_element,
  reader_fail,
  reader_member,
  reader_object,
  reader_object_at,
  reader_peek,
  reader_scalar,
  reader_seek,
  reader_skip,
  string_next,
  TEXT_CAPACITY,
  utf8_byte,
} from "./reader";
import { Held, text_compare_held, text_hold } from "./text";

const enum Mode {
  ARRAY,
  /** an object whose members are in order */
  SORTED,
  /** an object whose members are searched in order */
  UNSORTED,
}

@unmanaged
class Level {
  mode: Mode;
  /** Where the object's bracket is. */
  start: u32;
  /** Unsorted: the quote of the name that was put last; 0: none. */
  last: u32;
  /** Nothing was put yet. */
  empty: bool;
}

const LEVEL_SIZE: i32 = 16;
if ((<i32>MAX_DEPTH + 1) * LEVEL_SIZE > LEVELS_ROOM) ERROR("the Levels do not fit their region");

/** Bytes that may be read for each byte of the file, and at least, before it counts as too complex. */
const WORK_PER_BYTE: u32 = 64;
const WORK_LEAST: u32 = 8 << 20;
/** What comparing two names costs, in bytes read, beside what must be read again of long ones. */
const COMPARISON: u32 = 16;

/** The name that was put last, or met last; and the best one after it. Within one search. */
const last = changetype<Held>(LAST_NAME);
const best = changetype<Held>(BEST_NAME);

let used: u32 = 0;
let work: u32 = 0;
type Sink = (pointer: usize, length: u32) => void;
let sink: Sink = nowhere;

function nowhere(_pointer: usize, _length: u32): void {}

/**
 * Streams the canonical form of the value at `start` in pieces to a Sink, `to`: as a number, because a function that is passed
 * as one takes a place on a stack that is of no other use here. The status of the reader says
 * whether the value was good; what was streamed before a fault is of no use.
 */
export function canonical_stream(r: Reader, start: u32, to: usize): Status {
  used = 0;
  sink = changetype<Sink>(to);
  work = max(r.length, WORK_LEAST / WORK_PER_BYTE) * WORK_PER_BYTE;
  reader_seek(r, start);
  let depth = put_opening(r, 0);
  while (depth != 0 && r.status == Status.OK) {
    if (next_value(r, level_at(depth))) depth = put_opening(r, depth);
    else depth--;
  }
  flush();
  return r.status;
}

function level_at(depth: u32): Level {
  return changetype<Level>(LEVELS + <usize>depth * LEVEL_SIZE);
}

/** Puts a scalar, or the bracket of an object or array; returns the depth after it. */
function put_opening(r: Reader, depth: u32): u32 {
  const c = reader_peek(r);
  if (c != 0x7b && c != 0x5b) {
    put_scalar(r, c);
    return depth;
  }
  if (depth == MAX_DEPTH) {
    reader_fail(r, Status.JSON_DEPTH);
    return depth;
  }
  const level = level_at(++depth);
  level.start = r.pos;
  level.last = 0;
  level.empty = true;
  level.mode = Mode.ARRAY;
  if (c == 0x7b) level.mode = in_order(r, r.pos) ? Mode.SORTED : Mode.UNSORTED;
  reader_seek(r, level.start);
  if (c == 0x7b) reader_object(r);
  else reader_array(r);
  put(c);
  return depth;
}

/** Puts what stands before the next value and moves there; false: puts the closing bracket instead. */
function next_value(r: Reader, level: Level): bool {
  let more: bool;
  if (level.mode == Mode.UNSORTED) more = seek_next_name(r, level);
  else {
    r.depth = 1;
    more = level.mode == Mode.SORTED ? reader_member(r) : reader_element(r);
  }
  if (r.status != Status.OK) return false;
  if (!more) {
    put(level.mode == Mode.ARRAY ? 0x5d : 0x7d);
    return false;
  }
  if (!level.empty) put(0x2c);
  level.empty = false;
  if (level.mode != Mode.ARRAY) put_name(r);
  return true;
}

/** Whether the members of the object at `start` are in order. Equal names are a fault in any order. */
function in_order(r: Reader, start: u32): bool {
  let ordered = true;
  last.quote = 0;
  reader_object_at(r, start);
  while (ordered && reader_member(r)) {
    if (last.quote != 0) {
      const order = compare(r, last);
      if (order == 0) reader_fail(r, Status.JSON_DUPLICATE);
      ordered = order > 0;
    }
    text_hold(r, last);
    reader_skip(r);
  }
  spend(r, r.pos - start);
  return ordered;
}

/**
 * Moves to the value of the member whose name follows the one at `level.last`; false: there is none, and the
 * reader stands behind the object.
 */
function seek_next_name(r: Reader, level: Level): bool {
  last.quote = level.last;
  if (level.last != 0) {
    seek_member(r, level.last);
    text_hold(r, last);
  }
  best.quote = 0;
  reader_object_at(r, level.start);
  while (reader_member(r)) {
    const order = best.quote == 0 ? -1 : compare(r, best);
    if (order == 0) reader_fail(r, Status.JSON_DUPLICATE);
    if (order < 0 && (last.quote == 0 || compare(r, last) > 0)) text_hold(r, best);
    reader_skip(r);
  }
  spend(r, r.pos - level.start);
  if (best.quote == 0 || r.status != Status.OK) return false;
  level.last = best.quote;
  seek_member(r, best.quote);
  return true;
}

/** Reads the name at `quote` again, as a member of an object that was entered. */
function seek_member(r: Reader, quote: u32): void {
  reader_seek(r, quote);
  r.depth = 1;
  reader_member(r);
}

/** Compares the name in hand with one that is held. */
function compare(r: Reader, held: Held): i32 {
  const again = held.length > TEXT_CAPACITY ? held.length : 0;
  spend(r, COMPARISON + again);
  return text_compare_held(r, held);
}

function spend(r: Reader, bytes: u32): void {
  if (bytes > work) reader_fail(r, Status.JSON_COMPLEX);
  else work -= bytes;
}

// ---- output ----

/** Puts the name of the member in hand and its colon; the reader stays before the value. */
function put_name(r: Reader): void {
  const value = r.pos;
  const depth = r.depth;
  r.pos = r.text_at;
  put_string(r);
  put(0x3a);
  r.pos = value;
  r.depth = depth;
}

function put_scalar(r: Reader, first: i32): void {
  if (first == 0x22) return put_string(r);
  const start = r.pos;
  reader_scalar(r);
  const end = r.pos;
  if (r.status != Status.OK) return;
  if (first == 0x2d && end - start == 2 && byte_at(r, start + 1) == 0x30) put(0x30); // -0 is 0
  else for (let at = start; at < end; at++) put(byte_at(r, at));
  r.pos = end;
}

function byte_at(r: Reader, at: u32): i32 {
  r.pos = at;
  return reader_peek(r);
}

/** Line ends are put as `\n`, as in JSON. */
let escapes: bool = false;

/** Says whether line ends are escaped from now on. */
export function canonical_escape(on: bool): void {
  escapes = on;
}

function put_string(r: Reader): void {
  r.pos++;
  r.fresh = false;
  put(0x22);
  for (let c = string_next(r); c >= 0; c = string_next(r)) {
    const is_escaped = !isDefined(SMALL) && escapes && c == 0x0a;
    if (c == 0x22 || c == 0x5c || is_escaped) put(0x5c);
    if (is_escaped) c = 0x6e;
    if (c < 0x80) put(c);
    else put_utf8(c);
  }
  put(0x22);
}

function put_utf8(c: i32): void {
  const more = c >= 0x10000 ? 3 : c >= 0x800 ? 2 : 1;
  put(utf8_byte(c, more));
  for (let left = more - 1; left >= 0; left--) put(0x80 | ((c >> (6 * left)) & 0x3f));
}

function put(byte: i32): void {
  if (used == CANONICAL_SIZE) flush();
  store<u8>(CANONICAL_BUFFER + used++, byte);
}

function flush(): void {
  sink(CANONICAL_BUFFER, used);
  used = 0;
}
