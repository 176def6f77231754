/*
 * The resident loader: it runs at each reset, makes the boot decision and names the slot to start. It never changes,
 * knows nothing of signatures, and writes nothing but the boot record.
 */
#include "loader.h"

#include <stddef.h>

#include "board.h"
#include "boot.h"
#include "crc32.h"

#define CHECKED_FROM 12u

static void __attribute__((noreturn)) stop(const char *why) {
  board_print(why);
  board_off(1);
}

/* Whether a slot holds an image from end to end. */
static int is_whole(const struct image_header *image, uint32_t capacity) {
  if (image->magic != MOULT_IMAGE_MAGIC || image->length < sizeof *image || image->length > capacity) return 0;
  return moult_crc32(0, (const uint8_t *)image + CHECKED_FROM, image->length - CHECKED_FROM) == image->crc;
}

int32_t loader_decide(void) {
  moult_boot boot;
  if (board_flash_open() != 0) stop("loader: no flash\n");
  int32_t state = moult_boot_start(&boot, &board_flash, NULL);
  if (state < 0) stop("loader: the boot record cannot be read\n");
  int32_t area = (state & 1) == 0 ? MOULT_AREA_SLOT_A : MOULT_AREA_SLOT_B;
  if (is_whole(loader_slot(state & 1), board_flash.flash_size(NULL, area))) return state;
  if ((state & MOULT_BOOT_ON_TRIAL) == 0 || moult_boot_revert(&boot) != 0) stop("loader: no whole image to start\n");
  board_reset();
}

const struct image_header *loader_image(int32_t state) { return loader_slot(state & 1); }
