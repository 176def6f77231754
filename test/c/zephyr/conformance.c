/*
 * Zephyr's flash map and kernel in a process: `zephyr_conformance IMAGE`, one for MCUboot, runs the conformance program over host/zephyr, from
 * reset to reset, with host/qemu/swap.c in the place of MCUboot. The exit status is the verdict.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <zephyr/dfu/mcuboot.h>
#include <zephyr/drivers/flash.h>
#include <zephyr/kernel.h>
#include <zephyr/random/random.h>
#include <zephyr/storage/flash_map.h>

#include "board.h"
#include "conformance.h"
#include "loader.h"
#include "mcuboot.h"
#include "moult_zephyr.h"

#define BLOCK 4096u
#define UNIT 8u
#define SLOT (24 * BLOCK)

/* ---- the flash: NOR, in units that are written once ---- */

static uint8_t chip[64 * BLOCK];

static const struct flash_area partitions[PARTITIONS] = {
    [PARTITION_slot0_partition] = {.fa_off = 0, .fa_size = SLOT},
    [PARTITION_slot1_partition] = {.fa_off = SLOT, .fa_size = SLOT},
    [PARTITION_moult_store_a] = {.fa_off = 48 * BLOCK, .fa_size = 4 * BLOCK},
    [PARTITION_moult_store_b] = {.fa_off = 52 * BLOCK, .fa_size = 4 * BLOCK},
    [PARTITION_moult_journal] = {.fa_off = 56 * BLOCK, .fa_size = 2 * BLOCK},
    [PARTITION_moult_boot] = {.fa_off = 58 * BLOCK, .fa_size = 2 * BLOCK},
};

static int inside(const struct flash_area *fa, off_t off, size_t len) {
  return off >= 0 && (size_t)off <= fa->fa_size && len <= fa->fa_size - (size_t)off;
}

int flash_area_open(uint8_t id, const struct flash_area **fa) {
  if (id >= PARTITIONS) return -2;
  *fa = &partitions[id];
  return 0;
}

int flash_area_read(const struct flash_area *fa, off_t off, void *dst, size_t len) {
  if (!inside(fa, off, len)) return -22;
  memcpy(dst, chip + fa->fa_off + off, len);
  return 0;
}

int flash_area_write(const struct flash_area *fa, off_t off, const void *src, size_t len) {
  uint8_t *to = chip + fa->fa_off + off;
  if (!inside(fa, off, len) || off % UNIT != 0 || len % UNIT != 0) return -22;
  for (size_t i = 0; i < len; i++) to[i] = (uint8_t)(to[i] & ((const uint8_t *)src)[i]);
  return 0;
}

int flash_area_erase(const struct flash_area *fa, off_t off, size_t len) {
  if (!inside(fa, off, len) || off % BLOCK != 0 || len % BLOCK != 0) return -22;
  memset(chip + fa->fa_off + off, 0xff, len);
  return 0;
}

uint32_t flash_area_align(const struct flash_area *fa) {
  (void)fa;
  return UNIT;
}

uint8_t flash_area_erased_val(const struct flash_area *fa) {
  (void)fa;
  return 0xff;
}

const struct device *flash_area_get_device(const struct flash_area *fa) { return fa->fa_dev; }

int flash_get_page_info_by_offs(const struct device *dev, off_t offset, struct flash_pages_info *info) {
  (void)dev;
  *info = (struct flash_pages_info){offset / BLOCK * BLOCK, BLOCK, (uint32_t)(offset / BLOCK)};
  return 0;
}

/* ---- the kernel ---- */

uint32_t k_uptime_get_32(void) {
  static uint32_t now;
  return now++;
}

int sys_csrand_get(void *dst, size_t len) { return getentropy(dst, len); }

/* ---- MCUboot: the model of host/qemu, over the same chip ---- */

static const struct flash_area *slot_of(int32_t area) { return &partitions[area - MOULT_AREA_SLOT_A]; }

static int32_t read_slot(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  (void)user;
  return flash_area_read(slot_of(area), (off_t)offset, to, length);
}

static int32_t write_slot(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  (void)user;
  return flash_area_write(slot_of(area), (off_t)offset, from, length);
}

static int32_t erase_slot(void *user, int32_t area, uint32_t offset, uint32_t length) {
  (void)user;
  return flash_area_erase(slot_of(area), (off_t)offset, length);
}

static uint32_t slot_size(void *user, int32_t area) {
  (void)user;
  (void)area;
  return SLOT;
}

static uint32_t slot_block_end(void *user, int32_t area, uint32_t offset) {
  (void)user;
  (void)area;
  return (offset / BLOCK + 1) * BLOCK;
}

static uint32_t slot_unit(void *user, int32_t area) {
  (void)user;
  (void)area;
  return 0xff0000u | UNIT;
}

const moult_port board_flash = {
    .flash_read = read_slot,
    .flash_write = write_slot,
    .flash_erase = erase_slot,
    .flash_size = slot_size,
    .flash_block_end = slot_block_end,
    .flash_unit = slot_unit,
};

int32_t board_flash_open(void) { return 0; }

void board_print(const char *text) { printf("%s", text); }

void board_off(int status) { exit(status == 0 ? 0 : 4); }

void board_reset(void) { exit(5); }

const struct image_header *loader_slot(int32_t slot) { return (const struct image_header *)(chip + slot_of(3 + slot)->fa_off); }

/* What Zephyr's own library tells of the primary's trailer. */
bool boot_is_img_confirmed(void) {
  return chip[SLOT - MOULT_TRAILER_IMAGE_OK] == 1;
}

/* ---- from reset to reset ---- */

static uint32_t load(const char *path, uint8_t *to) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) exit(3);
  uint32_t length = (uint32_t)fread(to, 1, SLOT, file);
  fclose(file);
  return length;
}

static void say(void *user, const char *line) {
  (void)user;
  printf("%s\n", line);
}

int main(int count, char **arguments) {
  static moult_conformance test;
  int32_t verdict = MOULT_CONFORMANCE_RESET;
  if (count != 2) return 3;
  memset(chip, 0xff, sizeof chip);
  test = (moult_conformance){.port = &moult_zephyr_port, .user = moult_zephyr_user(), .say = say};
  test.image_length = load(arguments[1], chip);
  for (int starts = 0; starts < 40 && verdict == MOULT_CONFORMANCE_RESET; starts++) {
    (void)loader_decide();
    int32_t state = moult_zephyr_start();
    if (state < 0) printf("BROKEN: moult_zephyr_start: %d\n", (int)state);
    verdict = state < 0 ? MOULT_CONFORMANCE_BROKEN : moult_conformance_run(&test);
  }
  return verdict;
}
