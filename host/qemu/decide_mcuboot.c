/* The boot decision in MCUboot's trailers, and the flash in which each image stays in its slot. */
#include <stddef.h>

#include "board.h"
#include "device.h"
#include "mcuboot.h"

static moult_mcuboot boot;

void *device_user(void) { return &boot; }

static int32_t flash_read(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  return board_flash.flash_read(user, moult_mcuboot_area(user, area), offset, to, length);
}

static int32_t flash_write(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  return board_flash.flash_write(user, moult_mcuboot_area(user, area), offset, from, length);
}

static int32_t flash_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  return board_flash.flash_erase(user, moult_mcuboot_area(user, area), offset, length);
}

/* The slots are alike in all else. */
static uint32_t flash_size(void *user, int32_t area) {
  return moult_mcuboot_size(user, area, board_flash.flash_size(user, area));
}

static int32_t boot_state(void *user) { return moult_mcuboot_state(user); }

static int32_t boot_select(void *user, int32_t slots) { return moult_mcuboot_select(user, slots); }

static int32_t boot_confirm(void *user) { return moult_mcuboot_confirm(user); }

static int32_t boot_revert(void *user) { return moult_mcuboot_revert(user); }

int32_t device_open_boot(int32_t state) {
  (void)state;
  device_port.flash_read = flash_read;
  device_port.flash_write = flash_write;
  device_port.flash_erase = flash_erase;
  device_port.flash_size = flash_size;
  device_port.boot_state = boot_state;
  device_port.boot_select = boot_select;
  device_port.boot_confirm = boot_confirm;
  device_port.boot_revert = boot_revert;
  return moult_mcuboot_start(&boot, &board_flash, &boot, BOARD_RESERVED);
}

uint32_t device_image_length(void) {
  moult_trailers trailers = {&board_flash, NULL, BOARD_RESERVED};
  return moult_trailer_image_length(&trailers, MOULT_AREA_SLOT_A, device_port.flash_size(&boot, MOULT_AREA_SLOT_A));
}
