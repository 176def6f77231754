// Comparing strings of any length where they lie, by code point, which is the order of their UTF-8 bytes.
// (UTF-16 order, that of JavaScript's sort, differs above U+D7FF.)

import { OTHER_TEXT_READER, TEXT_READER } from "../memory";
import { Reader, reader_open, string_next } from "./reader";

const a = changetype<Reader>(TEXT_READER);
const b = changetype<Reader>(OTHER_TEXT_READER);

/**
 * Compares the string whose opening quote is at `left` of one document with the one at `right` of another.
 * Both were read before, so they are well formed. Negative, 0 or positive.
 */
export function text_compare(left_in: Reader, left: u32, right_in: Reader, right: u32): i32 {
  open(a, left_in, left);
  open(b, right_in, right);
  while (true) {
    const x = string_next(a);
    const y = string_next(b);
    if (x != y) return x - y;
    if (x < 0) return 0;
  }
}

function open(cursor: Reader, document: Reader, quote: u32): void {
  reader_open(cursor, document.area, document.base + quote + 1, document.length - quote - 1);
}
