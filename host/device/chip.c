/* A port out of few functions. The contract is in chip.h. */
#include "chip.h"

#include <stddef.h>

/* The shim asks for no area that there is not, and for no range outside of one. */
static const moult_place *place_of(const moult_chip *chip, int32_t area) { return &chip->places[area]; }

static int32_t flash_read(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  const moult_chip *chip = user;
  return chip->read(chip->user, place_of(chip, area)->start + offset, to, length);
}

static int32_t flash_write(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  const moult_chip *chip = user;
  return chip->write(chip->user, place_of(chip, area)->start + offset, from, length);
}

static int32_t flash_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  const moult_chip *chip = user;
  return chip->erase(chip->user, place_of(chip, area)->start + offset, length);
}

static uint32_t flash_size(void *user, int32_t area) {
  return (uint32_t)area < MOULT_CHIP_PLACES ? place_of(user, area)->size : 0;
}

static uint32_t flash_block_end(void *user, int32_t area, uint32_t offset) {
  uint32_t block = place_of(user, area)->block;
  return (offset / block + 1) * block;
}

static uint32_t flash_unit(void *user, int32_t area) {
  const moult_chip *chip = user;
  (void)area;
  return (uint32_t)chip->erased << 16 | chip->unit;
}

static int32_t boot_state(void *user) { return moult_boot_state(&((const moult_chip *)user)->boot); }

static int32_t boot_select(void *user, int32_t slots) { return moult_boot_select(&((moult_chip *)user)->boot, slots); }

static int32_t boot_confirm(void *user) { return moult_boot_confirm(&((moult_chip *)user)->boot); }

static int32_t boot_revert(void *user) { return moult_boot_revert(&((moult_chip *)user)->boot); }

static uint32_t milliseconds(void *user) {
  const moult_chip *chip = user;
  return chip->milliseconds(chip->user);
}

static int32_t entropy(void *user, void *to, uint32_t length) {
  const moult_chip *chip = user;
  return chip->entropy(chip->user, to, length);
}

static const moult_port port = {
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
    .entropy = entropy,
};

moult_port moult_chip_port(const moult_chip *chip) {
  moult_port own = port;
  if (chip->milliseconds == NULL) own.milliseconds = NULL;
  if (chip->entropy == NULL) own.entropy = NULL;
  return own;
}

int32_t moult_chip_start(moult_chip *chip) { return moult_boot_start(&chip->boot, &port, chip); }

int32_t moult_chip_continue(moult_chip *chip, int32_t state) { return moult_boot_continue(&chip->boot, &port, chip, state); }
