/*
 * A loader in the place of MCUboot: what that does at a reset, as far as an image can tell. It swaps the images of the two
 * slots when a trailer asks for that, on trial, for good or back, and goes on with a swap that was broken off. A model, not
 * MCUboot's code: the trailers are its own (docs/formats.md), and of what it checks in an image only the hash is. It
 * writes what sim/mcuboot.ts writes.
 *
 * A swap moves the primary's image one block up, then block by block the secondary's down into the primary and the primary's
 * over into the secondary. Each step can be repeated, and is noted in the primary's trailer when it is done.
 */
#include <stddef.h>
#include <string.h>

#include "board.h"
#include "loader.h"
#include "mcuboot.h"
#include "sha256.h"

#define PRIMARY MOULT_AREA_SLOT_A
#define SECONDARY MOULT_AREA_SLOT_B
/* Of a block: up, down, over. */
#define STEPS 3u
#define HASH_FIELD 0x10u
#define SHA256_BYTES 32u
#define FIELD_HEADER 4u

/* The blocks of the trailer; the one before them is kept free. */
static moult_trailers trailers;
static uint32_t block;
static uint32_t slot;

static void __attribute__((noreturn)) stop(const char *why) {
  board_print(why);
  board_off(1);
}

static void must(int done) {
  if (!done) board_reset();
}

/* ---- images ---- */

static const uint8_t *image_at(int32_t area) {
  return (const uint8_t *)loader_slot(area == PRIMARY ? 0 : 1);
}

static uint32_t load16(const uint8_t *bytes) { return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8; }

static uint32_t load32(const uint8_t *bytes) { return load16(bytes) | load16(bytes + 2) << 16; }

static uint32_t image_length(int32_t area) {
  return moult_trailer_image_length(&trailers, area, slot - trailers.reserved - block);
}

/* Its header, its fields and its hash fit. */
static int is_whole(int32_t area) {
  const uint8_t *image = image_at(area);
  uint8_t digest[SHA256_BYTES];
  uint32_t length = image_length(area);
  if (length == 0) return 0;
  uint32_t end = load16(image + 8) + load16(image + 10) + load32(image + 12);
  moult_sha256(image, end, digest);
  for (uint32_t at = end + FIELD_HEADER; at + FIELD_HEADER <= length; at += FIELD_HEADER + load16(image + at + 2)) {
    if (load16(image + at) != HASH_FIELD) continue;
    return at + FIELD_HEADER + SHA256_BYTES <= length && memcmp(image + at + FIELD_HEADER, digest, SHA256_BYTES) == 0;
  }
  return 0;
}

/* ---- a swap ---- */

static uint32_t note_at(uint32_t step) {
  return slot - trailers.reserved + step * (board_flash.flash_unit(NULL, PRIMARY) & 0xffff);
}

/* What was torn was written behind what it notes. */
static uint32_t steps_done(uint32_t most) {
  uint32_t step = 0;
  while (step < most && !moult_trailer_is_erased(&trailers, PRIMARY, slot - note_at(step))) step++;
  return step;
}

static void copy(int32_t from, uint32_t number, int32_t to, uint32_t to_number) {
  must(board_flash.flash_erase(NULL, to, to_number * block, block) == 0);
  must(board_flash.flash_write(NULL, to, to_number * block, image_at(from) + number * block, block) == 0);
}

/* The last block first goes up; then from the first on down and over, in turn. */
static void move(uint32_t step, uint32_t blocks) {
  if (step < blocks)
    copy(PRIMARY, blocks - 1 - step, PRIMARY, blocks - step);
  else if ((step - blocks) % 2 == 0)
    copy(SECONDARY, (step - blocks) / 2, PRIMARY, (step - blocks) / 2);
  else
    copy(PRIMARY, (step - blocks) / 2 + 1, SECONDARY, (step - blocks) / 2);
}

static int is_swapping(void) {
  return moult_trailer_has_magic(&trailers, PRIMARY) &&
         moult_trailer_is_erased(&trailers, PRIMARY, MOULT_TRAILER_COPY_DONE) &&
         !moult_trailer_is_erased(&trailers, PRIMARY, MOULT_TRAILER_SWAP_INFO);
}

/* From the magic on the swap is in progress; until then it is only asked for. */
static void begin(void) {
  int permanent = !moult_trailer_is_erased(&trailers, SECONDARY, MOULT_TRAILER_IMAGE_OK);
  uint32_t here = image_length(PRIMARY);
  uint32_t there = image_length(SECONDARY);
  uint32_t size[2] = {here > there ? here : there, 0xffffffff};
  must(moult_trailer_clear(&trailers, PRIMARY));
  must(board_flash.flash_write(NULL, PRIMARY, slot - MOULT_TRAILER_SWAP_SIZE, size, sizeof size) == 0);
  must(moult_trailer_write_flag(&trailers, PRIMARY, MOULT_TRAILER_SWAP_INFO));
  if (permanent) must(moult_trailer_write_flag(&trailers, PRIMARY, MOULT_TRAILER_IMAGE_OK));
  must(moult_trailer_write_magic(&trailers, PRIMARY));
}

static void swap(void) {
  uint32_t blocks = (load32(image_at(PRIMARY) + slot - MOULT_TRAILER_SWAP_SIZE) + block - 1) / block;
  for (uint32_t step = steps_done(STEPS * blocks); step < STEPS * blocks; step++) {
    move(step, blocks);
    must(moult_trailer_write_flag(&trailers, PRIMARY, slot - note_at(step)));
  }
  must(moult_trailer_clear(&trailers, SECONDARY));
  must(moult_trailer_write_flag(&trailers, PRIMARY, MOULT_TRAILER_COPY_DONE));
}

/* A swap is asked for. One of an image that is not whole is forgotten. */
static void serve(void) {
  if (!is_whole(SECONDARY)) {
    must(moult_trailer_clear(&trailers, SECONDARY));
    return;
  }
  begin();
  swap();
}

/* The bootloader has its own say of what runs: to the image that is not passed on. */
int32_t loader_decide(void) {
  if (board_flash_open() != 0) stop("loader: no flash\n");
  block = board_flash.flash_block_end(NULL, PRIMARY, 0);
  slot = board_flash.flash_size(NULL, PRIMARY);
  trailers = (moult_trailers){&board_flash, NULL, BOARD_RESERVED - block};
  if (is_swapping())
    swap();
  else if (!moult_trailer_has_magic(&trailers, SECONDARY) && moult_trailer_awaits_verdict(&trailers) &&
           is_whole(SECONDARY))
    /* Nobody has confirmed what was on trial: what was there before returns, for good. */
    must(moult_trailer_request(&trailers, 1));
  if (moult_trailer_has_magic(&trailers, SECONDARY)) serve();
  if (!is_whole(PRIMARY)) stop("loader: no whole image to start\n");
  return 0;
}

/* The payload of an image is one as in image.h. */
const struct image_header *loader_image(int32_t state) {
  const uint8_t *image = image_at(PRIMARY);
  (void)state;
  return (const struct image_header *)(image + load16(image + 8));
}
