/*
 * The flash. Each store is one that happens: whoever kills the emulator between two of them leaves what a power cut in a
 * write or an erase leaves, units that are programmed in part among it.
 */
#include "nor.h"

#include "machine.h"

#define ERASED 0xffffffffu
#define WORD 4u

static volatile uint32_t *word_at(uint32_t offset) { return (volatile uint32_t *)(BANK_1 + offset); }

static uint32_t load(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* As on chips that keep a checksum of each unit: what is programmed cannot be programmed again. */
static int is_erased(uint32_t unit) {
  for (uint32_t at = 0; at < UNIT; at += WORD)
    if (*word_at(unit + at) != ERASED) return 0;
  return 1;
}

int32_t nor_write(uint32_t offset, const void *from, uint32_t length) {
  const uint8_t *bytes = from;
  for (uint32_t done = 0; done < length; done += UNIT) {
    if (!is_erased(offset + done)) return -1;
    for (uint32_t at = done; at < done + UNIT; at += WORD) *word_at(offset + at) &= load(bytes + at);
  }
  return 0;
}

int32_t nor_erase(uint32_t offset, uint32_t length) {
  for (uint32_t at = offset; at < offset + length; at += WORD) *word_at(at) = ERASED;
  return 0;
}
