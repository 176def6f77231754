/* Little endian integers, as everything on flash and on the link has them. */
#ifndef MOULT_BYTES_H
#define MOULT_BYTES_H

#include <stdint.h>

static inline uint32_t moult_load(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* The low bytes of a value, so many of them. */
static inline void moult_store(uint8_t *to, uint32_t value, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * i);
}

#endif
