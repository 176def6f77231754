/* CRC-32 (IEEE 802.3, reflected, initial and final value 0xFFFFFFFF), as docs/formats.md has it. */
#ifndef MOULT_CRC32_H
#define MOULT_CRC32_H

#include <stdint.h>

/* The CRC of what has `crc` and of these bytes behind it; 0 is the CRC of nothing. */
uint32_t moult_crc32(uint32_t crc, const void *bytes, uint32_t length);

#endif
