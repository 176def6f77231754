/* NOR flash with the common flash interface and Intel's command set: two chips of 16 bits side by side. */
#ifndef MOULT_NOR_H
#define MOULT_NOR_H

#include <stdint.h>

typedef struct nor {
  volatile uint32_t *base;
  /* Bytes in the bank, in an erase block, and in the chips' write buffers; powers of two. */
  uint32_t size;
  uint32_t block;
  uint32_t buffer;
} nor;

/* Asks the chips what they are. 0, or negative: there is no such flash. */
int32_t nor_open(nor *bank, uintptr_t base);

/*
 * Offset and length are multiples of 4, the range is in the bank and was erased; `from` is not in the same bank, but
 * may have any alignment. 0, or negative: the chips report an error, and the range may hold anything.
 */
int32_t nor_write(const nor *bank, uint32_t offset, const void *from, uint32_t length);

/* Offset and length are multiples of an erase block. 0, or negative as above. */
int32_t nor_erase(const nor *bank, uint32_t offset, uint32_t length);

#endif
