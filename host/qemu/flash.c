/* The flash areas, all in bank 1 of any machine: where they lie is in its machine.h. */
#include <string.h>

#include "board.h"
#include "boot.h"
#include "loader.h"
#include "machine.h"
#include "nor.h"

#define ERASED 0xffu

/* In blocks. */
struct area {
  uint16_t start;
  uint16_t length;
};

#define AREA(start, bytes) {(start) / BLOCK, (bytes) / BLOCK}

static const struct area areas[] = {
    [MOULT_AREA_STORE_A] = AREA(STORE_A, STORE_BYTES),   [MOULT_AREA_STORE_B] = AREA(STORE_B, STORE_BYTES),
    [MOULT_AREA_JOURNAL] = AREA(JOURNAL, JOURNAL_BYTES), [MOULT_AREA_SLOT_A] = AREA(SLOT_A, SLOT_BYTES),
    [MOULT_AREA_SLOT_B] = AREA(SLOT_B, SLOT_BYTES),      [MOULT_BOOT_AREA] = AREA(BOOT_RECORD, BOOT_RECORD_BYTES),
};

static uint32_t start_of(int32_t area) { return (uint32_t)areas[area].start * BLOCK; }

int32_t board_flash_open(void) { return nor_open() == 0 ? 0 : MOULT_STATUS_LAYOUT_INVALID; }

static int32_t flash_read(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  (void)user;
  memcpy(to, (const uint8_t *)BANK_1 + start_of(area) + offset, length);
  return 0;
}

static int32_t flash_write(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  (void)user;
  return nor_write(start_of(area) + offset, from, length);
}

static int32_t flash_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  (void)user;
  return nor_erase(start_of(area) + offset, length);
}

static uint32_t flash_size(void *user, int32_t area) {
  (void)user;
  return (uint32_t)area < sizeof areas / sizeof *areas ? (uint32_t)areas[area].length * BLOCK : 0;
}

static uint32_t flash_block_end(void *user, int32_t area, uint32_t offset) {
  (void)user;
  (void)area;
  return (offset / BLOCK + 1) * BLOCK;
}

static uint32_t flash_unit(void *user, int32_t area) {
  (void)user;
  (void)area;
  return ERASED << 16 | UNIT;
}

const moult_port board_flash = {
    .flash_read = flash_read,
    .flash_write = flash_write,
    .flash_erase = flash_erase,
    .flash_size = flash_size,
    .flash_block_end = flash_block_end,
    .flash_unit = flash_unit,
};

const struct image_header *loader_slot(int32_t slot) {
  return (const struct image_header *)(BANK_1 + start_of(slot == 0 ? MOULT_AREA_SLOT_A : MOULT_AREA_SLOT_B));
}
