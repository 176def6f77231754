// What is wrong with an image, in the words of the device: the codes are the statuses with which it would refuse it
// (docs/formats.md, "Formats of images"). This reads the same formats by code of its own, so that each is a check on the other.

export type FindingCode =
  | 'IMAGE_FORMAT'
  | 'WRONG_CHIP'
  | 'IMAGE_TRAILING'
  | 'IMAGE_CORRUPT'
  | 'IMAGE_UNPROTECTED'
  | 'IMAGE_COUNTER';

export interface Finding {
  readonly code: FindingCode;
  /** One sentence without a full stop. */
  readonly text: string;
}

/** Whether a hash or checksum in an image is that of its bytes. */
export type Agreement = 'right' | 'wrong' | 'none';

/** Compares the end of an image by its format with that of the file. */
export function findingsAtEnd(end: number, length: number): Finding[] {
  if (end > length)
    return [
      { code: 'IMAGE_FORMAT', text: `it is cut off: ${end} bytes by its headers, ${length} in the file` },
    ];
  if (end === length) return [];
  return [{ code: 'IMAGE_TRAILING', text: `${length - end} bytes lie behind its end at ${end}` }];
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
