#include "flash.h"

#include <string.h>

#include "sha256.h"

static uint32_t size_of(int32_t area) { return area < 2 ? BANK : area == 2 ? JOURNAL : SLOT; }

static uint8_t *at(board *b, int32_t area, uint32_t offset) {
  uint32_t start = 0;
  for (int32_t i = 0; i < area; i++) start += size_of(i);
  return b->flash + start + offset;
}

static int32_t flash_read(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  board *b = user;
  if (b->intrude != NULL) b->intrude();
  if (b->lie == READ_FAILS) return -1;
  if (b->lie == SIZE_HUGE && offset + length > size_of(area)) return -1;
  if (b->lie != READS_NOTHING) memcpy(to, at(b, area, offset), length);
  return b->lie == ODD_RESULTS ? 7 : 0;
}

static int32_t flash_write(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  board *b = user;
  const uint8_t *bytes = from;
  if (b->lie == WRITE_FAILS || (b->lie == SIZE_HUGE && offset + length > size_of(area))) return -1;
  if (b->lie == WRITES_NOTHING) return 0;
  for (uint32_t i = 0; i < length; i++) at(b, area, offset)[i] &= bytes[i];
  if (b->lie == WRITES_WRONG && length > 0) at(b, area, offset)[length / 2] &= 0xfe;
  return b->lie == ODD_RESULTS ? 7 : 0;
}

static int32_t flash_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  board *b = user;
  if (b->lie == ERASE_FAILS || (b->lie == SIZE_HUGE && offset + length > size_of(area))) return -1;
  if (b->lie != ERASES_NOTHING) memset(at(b, area, offset), 0xff, length);
  return b->lie == ODD_RESULTS ? 7 : 0;
}

static uint32_t flash_size(void *user, int32_t area) {
  board *b = user;
  if (area >= (int32_t)AREAS) return 0;
  return b->lie == SIZE_HUGE ? 0xfffffffcu : b->lie == SIZE_NONE ? 0 : size_of(area);
}

static uint32_t flash_block_end(void *user, int32_t area, uint32_t offset) {
  board *b = user;
  (void)area;
  return b->lie == BLOCK_END_BACK ? offset : b->lie == BLOCK_END_FAR ? 0xffffffffu : (offset / BLOCK + 1) * BLOCK;
}

static uint32_t flash_unit(void *user, int32_t area) {
  board *b = user;
  (void)area;
  return b->lie == UNIT_ODD ? 0xff0003u : 0xff0000u | UNIT;
}

static int32_t boot_state(void *user) {
  board *b = user;
  return b->lie == BOOT_ODD ? 0x7777 : b->slot;
}

static int32_t boot_select(void *user, int32_t slot) {
  board *b = user;
  if (b->lie == BOOT_FAILS) return -1;
  b->slot = slot | 0x100;
  return 0;
}

static int32_t boot_confirm(void *user) {
  board *b = user;
  if (b->lie == BOOT_FAILS) return -1;
  b->slot &= 1;
  return 0;
}

static int32_t boot_revert(void *user) {
  board *b = user;
  if (b->lie == BOOT_FAILS) return -1;
  if (b->slot & 0x100) b->slot = (b->slot & 1) ^ 1;
  return 0;
}

static uint32_t milliseconds(void *user) {
  board *b = user;
  b->now += b->tick;
  return b->now;
}

static int32_t sha256_compress(void *user, uint32_t *state, const void *block) {
  board *b = user;
  b->blocks++;
  if (b->hashes) return moult_sha256_compress(NULL, state, block);
  memset(state, 0xa5, 32); /* of no consequence: it says that it does not */
  return -1;
}

static int32_t entropy(void *user, void *to, uint32_t length) {
  board *b = user;
  if (b->lie == ENTROPY_FAILS) return 1; /* a result that the contract does not have */
  b->random += length;
  memset(to, 0x5a, length);
  return 0;
}

const moult_port board_port = {
    .flash_read = flash_read,
    .flash_write = flash_write,
    .flash_erase = flash_erase,
    .flash_size = flash_size,
    .flash_block_end = flash_block_end,
    .flash_unit = flash_unit,
    .boot_state = boot_state,
    .boot_select = boot_select,
    .boot_confirm = boot_confirm,
    .boot_revert = boot_revert,
    .milliseconds = milliseconds,
    .sha256_compress = sha256_compress,
    .entropy = entropy,
};
