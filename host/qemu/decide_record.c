/* The boot decision in the boot record: the loader (loader.c) has made it. */
#include "boot.h"
#include "board.h"
#include "device.h"
#include "image.h"

extern const struct image_header image_header;

static moult_boot boot;

void *device_user(void) { return &boot; }

static int32_t boot_state(void *user) { return moult_boot_state(user); }

static int32_t boot_select(void *user, int32_t slots) { return moult_boot_select(user, slots); }

static int32_t boot_confirm(void *user) { return moult_boot_confirm(user); }

static int32_t boot_revert(void *user) { return moult_boot_revert(user); }

int32_t device_open_boot(int32_t state) {
  device_port.boot_state = boot_state;
  device_port.boot_select = boot_select;
  device_port.boot_confirm = boot_confirm;
  device_port.boot_revert = boot_revert;
  return moult_boot_continue(&boot, &board_flash, &boot, state);
}

uint32_t device_image_length(void) { return image_header.length; }
