/* A port to Zephyr. The contract is in moult_zephyr.h. */
#include <zephyr/dfu/mcuboot.h>
#include <zephyr/drivers/flash.h>
#include <zephyr/kernel.h>
#include <zephyr/random/random.h>
#include <zephyr/storage/flash_map.h>

#include "boot.h"
#include "mcuboot.h"
#include "moult_zephyr.h"
#include "sha256.h"

#define ON_TRIAL 0x100

/* ---- the partitions, as MCUboot has them ---- */

static const uint8_t partitions[] = {
    [MOULT_AREA_STORE_A] = FIXED_PARTITION_ID(moult_store_a), [MOULT_AREA_STORE_B] = FIXED_PARTITION_ID(moult_store_b),
    [MOULT_AREA_JOURNAL] = FIXED_PARTITION_ID(moult_journal), [MOULT_AREA_SLOT_A] = FIXED_PARTITION_ID(slot0_partition),
    [MOULT_AREA_SLOT_B] = FIXED_PARTITION_ID(slot1_partition), [MOULT_BOOT_AREA] = FIXED_PARTITION_ID(moult_boot),
};

#define AREAS (sizeof partitions / sizeof *partitions)

static const struct flash_area *areas[AREAS];

/* Errors of Zephyr are negative, as here. */
static int32_t raw_read(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  (void)user;
  return flash_area_read(areas[area], (off_t)offset, to, length);
}

static int32_t raw_write(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  (void)user;
  return flash_area_write(areas[area], (off_t)offset, from, length);
}

static int32_t raw_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  (void)user;
  return flash_area_erase(areas[area], (off_t)offset, length);
}

static uint32_t raw_size(void *user, int32_t area) {
  (void)user;
  return (uint32_t)area < AREAS ? (uint32_t)areas[area]->fa_size : 0;
}

/* 0: the driver does not know; the core then takes no such layout. */
static uint32_t raw_block_end(void *user, int32_t area, uint32_t offset) {
  const struct flash_area *in = areas[area];
  struct flash_pages_info page;
  (void)user;
  if (flash_get_page_info_by_offs(flash_area_get_device(in), in->fa_off + (off_t)offset, &page) != 0) return 0;
  return (uint32_t)(page.start_offset + (off_t)page.size - in->fa_off);
}

static uint32_t raw_unit(void *user, int32_t area) {
  (void)user;
  return flash_area_align(areas[area]) | (uint32_t)flash_area_erased_val(areas[area]) << 16;
}

static const moult_port raw = {
    .flash_read = raw_read,
    .flash_write = raw_write,
    .flash_erase = raw_erase,
    .flash_size = raw_size,
    .flash_block_end = raw_block_end,
    .flash_unit = raw_unit,
};

/* ---- the flash as the core sees it: each image stays in its slot, whatever MCUboot has swapped ---- */

static moult_mcuboot boot;

void *moult_zephyr_user(void) { return &boot; }

static int32_t flash_read(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  return raw_read(user, moult_mcuboot_area(user, area), offset, to, length);
}

static int32_t flash_write(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  return raw_write(user, moult_mcuboot_area(user, area), offset, from, length);
}

static int32_t flash_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  return raw_erase(user, moult_mcuboot_area(user, area), offset, length);
}

static uint32_t flash_size(void *user, int32_t area) { return moult_mcuboot_size(user, area, raw_size(user, area)); }

static int32_t boot_state(void *user) { return moult_mcuboot_state(user); }

static int32_t boot_select(void *user, int32_t slots) { return moult_mcuboot_select(user, slots); }

static int32_t boot_confirm(void *user) { return moult_mcuboot_confirm(user); }

static int32_t boot_revert(void *user) { return moult_mcuboot_revert(user); }

static uint32_t milliseconds(void *user) {
  (void)user;
  return k_uptime_get_32();
}

static int32_t entropy(void *user, void *to, uint32_t length) {
  (void)user;
  return sys_csrand_get(to, length) == 0 ? 0 : -1;
}

const moult_port moult_zephyr_port = {
    .flash_read = flash_read,
    .flash_write = flash_write,
    .flash_erase = flash_erase,
    .flash_size = flash_size,
    .flash_block_end = raw_block_end,
    .flash_unit = raw_unit,
    .boot_state = boot_state,
    .boot_select = boot_select,
    .boot_confirm = boot_confirm,
    .boot_revert = boot_revert,
    .milliseconds = milliseconds,
    .entropy = entropy,
    .sha256_compress = moult_sha256_compress,
};

int32_t moult_zephyr_start(void) {
  for (uint32_t i = 0; i < AREAS; i++)
    if (flash_area_open(partitions[i], &areas[i]) != 0) return MOULT_STATUS_LAYOUT_INVALID;
  int32_t state = moult_mcuboot_start(&boot, &raw, &boot, CONFIG_MOULT_RESERVED);
  if (state < 0) return state;
  /* Nothing that Zephyr's own library calls confirmed is on trial; what the factory left may be neither. */
  return (state & ON_TRIAL) != 0 && boot_is_img_confirmed() ? MOULT_STATUS_BOOT : state;
}
