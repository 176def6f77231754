/*
 * The boot decision where MCUboot makes it, by swapping the images of its two slots: trailers, and a record beside them in
 * the boot area (docs/formats.md, "MCUboot's trailers"; docs/decisions/0023-mcuboot.md). The same bytes and the same
 * decisions as host/node/mcuboot.ts.
 *
 * The primary slot is area MOULT_AREA_SLOT_A of the port that is given here, the secondary MOULT_AREA_SLOT_B: whole, in
 * blocks that are alike, with units of 1 to 8 bytes. The core does not get that port but one whose flash callbacks pass on
 * what moult_mcuboot_area and moult_mcuboot_size say. After MCUboot has started the image, once: moult_mcuboot_start. The
 * other four are then what boot_state, boot_select, boot_confirm and boot_revert of the port return.
 */
#ifndef MOULT_MCUBOOT_H
#define MOULT_MCUBOOT_H

#include <stdint.h>

#include "moult.h"
#include "ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The two slots with their trailers. */
typedef struct moult_trailers {
  const moult_port *port;
  void *user;
  /* Bytes at the end of each slot that are the bootloader's: whole blocks. */
  uint32_t reserved;
} moult_trailers;

/* Owned by the caller; its fields are not the caller's. */
typedef struct moult_mcuboot {
  moult_trailers trailers;
  moult_ring ring;
  /* What moult_mcuboot_state returns. */
  int32_t state;
} moult_mcuboot;

/*
 * Finds out which slot of the core's the primary holds, and whether it is on trial: 0 or 1, with 0x100 added. Or
 * MOULT_STATUS_FLASH_READ, MOULT_STATUS_LAYOUT_INVALID, and MOULT_STATUS_BOOT when that cannot be recorded: reset and try again.
 * `reserved`: as MCUboot was configured; its trailer, and the sectors that it moves images with.
 */
int32_t moult_mcuboot_start(moult_mcuboot *boot, const moult_port *port, void *user, uint32_t reserved);

int32_t moult_mcuboot_state(const moult_mcuboot *boot);

/*
 * Each takes effect whole or not at all, from the next reset on. 0, or MOULT_STATUS_BOOT: the flash failed, or to select
 * there is no image that MCUboot would start.
 */
int32_t moult_mcuboot_select(moult_mcuboot *boot, int32_t slots);
int32_t moult_mcuboot_confirm(moult_mcuboot *boot);
int32_t moult_mcuboot_revert(moult_mcuboot *boot);

/* Which area an area of the core is now, and how many bytes of one that has `size` the core gets. */
int32_t moult_mcuboot_area(const moult_mcuboot *boot, int32_t area);
uint32_t moult_mcuboot_size(const moult_mcuboot *boot, int32_t area, uint32_t size);

/* ---- the trailers themselves; also for a bootloader ---- */

/* Bytes from the end of a slot, for a maximal alignment of 8. */
enum moult_trailer_field {
  MOULT_TRAILER_MAGIC = 16,
  MOULT_TRAILER_IMAGE_OK = 24,
  MOULT_TRAILER_COPY_DONE = 32,
  MOULT_TRAILER_SWAP_INFO = 40,
  MOULT_TRAILER_SWAP_SIZE = 48
};

/* Each is 1 or 0; what cannot be read is neither a magic nor erased. */
int moult_trailer_has_magic(const moult_trailers *trailers, int32_t area);
int moult_trailer_is_erased(const moult_trailers *trailers, int32_t area, uint32_t field);
/* The primary's image is on trial: MCUboot would swap back. */
int moult_trailer_awaits_verdict(const moult_trailers *trailers);

/* Each writes and reads back. 0: the flash failed. */
int moult_trailer_write_magic(const moult_trailers *trailers, int32_t area);
int moult_trailer_write_flag(const moult_trailers *trailers, int32_t area, uint32_t field);
/* Erases what is reserved at the end of a slot, unless it is erased. */
int moult_trailer_clear(const moult_trailers *trailers, int32_t area);
/* Asks for a swap, on trial or for good: the magic last. */
int moult_trailer_request(const moult_trailers *trailers, int permanent);

/* Bytes of the image at the start of an area with all its fields; 0: there is none that ends before `most`. */
uint32_t moult_trailer_image_length(const moult_trailers *trailers, int32_t area, uint32_t most);

#ifdef __cplusplus
}
#endif

#endif
