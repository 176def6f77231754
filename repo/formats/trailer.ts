// MCUboot's trailer at the end of a slot (maximal alignment 8): what its bootloader is to do, and what it has done.

/** Bytes from the end of the slot. */
const MAGIC_AT = 16;
const IMAGE_OK_AT = 24;
const COPY_DONE_AT = 32;
const SWAP_SIZE_AT = 48;
const MAGIC = Buffer.from('77c295f360d2ef7f3552500f2cb67980', 'hex');
const SET = 0x01;

export interface McubootTrailer {
  /** torn: some of its bytes are written, and others are not or are wrong. */
  readonly magic: 'good' | 'torn' | 'unset';
  readonly imageOk: boolean;
  readonly copyDone: boolean;
}

/** Of a whole slot whose erased bytes are `erased`. */
export function readTrailer(slot: Buffer, erased = 0xff): McubootTrailer {
  const at = (fromEnd: number) => slot[slot.length - fromEnd];
  const magic = slot.subarray(slot.length - MAGIC_AT);
  const unset = magic.every((byte) => byte === erased);
  return {
    magic: magic.equals(MAGIC) ? 'good' : unset ? 'unset' : 'torn',
    imageOk: at(IMAGE_OK_AT) === SET,
    copyDone: at(COPY_DONE_AT) === SET,
  };
}

/** The last 48 bytes of a slot in which the bootloader finds an image to run: on trial, or `confirmed`. */
export function writeTrailer(confirmed: boolean, erased = 0xff): Buffer {
  const bytes = Buffer.alloc(SWAP_SIZE_AT, erased);
  MAGIC.copy(bytes, SWAP_SIZE_AT - MAGIC_AT);
  if (confirmed) bytes[SWAP_SIZE_AT - IMAGE_OK_AT] = SET;
  return bytes;
}
