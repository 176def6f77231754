/* NOR flash with the common flash interface and Intel's command set: two chips of 16 bits side by side. */
#ifndef MOULT_NOR_H
#define MOULT_NOR_H

#include <stdint.h>

/* Asks the chips of bank 1 what they are. 0, or negative: there is no such flash, or not with blocks of BLOCK bytes. */
int32_t nor_open(void);

/*
 * Offsets are from the start of the bank. Offset and length are multiples of 4, the range is in the bank and was erased;
 * `from` is not in the same bank, but may have any alignment. 0, or negative: the chips report an error, and the range may
 * hold anything.
 */
int32_t nor_write(uint32_t offset, const void *from, uint32_t length);

/* Offset and length are multiples of BLOCK. 0, or negative as above. */
int32_t nor_erase(uint32_t offset, uint32_t length);

#endif
