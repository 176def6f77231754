/*
 * NOR flash, modelled in memory that a file stands behind: what is stored there outlives the emulator. A write sets bits of
 * erased units to 0 and nothing else, unit after unit; an erase sets all bits of a block, word after word.
 */
#ifndef MOULT_NOR_H
#define MOULT_NOR_H

#include <stdint.h>

/* 0: there is nothing to ask. */
static inline int32_t nor_open(void) { return 0; }

/*
 * Offset and length are multiples of UNIT; `from` may have any alignment. 0, or negative: a unit was not erased, and is as
 * before, with all that follow.
 */
int32_t nor_write(uint32_t offset, const void *from, uint32_t length);

/* Offset and length are multiples of BLOCK. 0. */
int32_t nor_erase(uint32_t offset, uint32_t length);

#endif
