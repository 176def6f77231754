/*
 * The boot decision of a board whose bootloader has none of its own: the boot record of docs/formats.md, kept in
 * flash area 5 through the flash callbacks of the port. Power lost at any moment leaves the decision before or the
 * one after. The same bytes and the same decisions as host/node/boot.ts.
 *
 * At reset, once: moult_boot_start says which slots to run. Where a bootloader does that and the core runs in the
 * image that it starts, it hands over what it got, and the image calls moult_boot_continue. The other four are then
 * what the callbacks boot_state, boot_select, boot_confirm and boot_revert of the port return.
 */
#ifndef MOULT_BOOT_H
#define MOULT_BOOT_H

#include <stdint.h>

#include "moult.h"
#include "ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Slots as a bit map: bit k is set when component k is in its slot B. */
#define MOULT_BOOT_SLOTS 0xff

/* Added to them: they run on trial. */
#define MOULT_BOOT_ON_TRIAL 0x100

/* The latest record, and what runs. Owned by the caller; its fields are not the caller's. */
typedef struct moult_boot {
  moult_ring ring;
  /* What it decides: confirmed or trial, the slots, and of a trial its boots so far and the slots before it. */
  uint32_t kind;
  uint32_t slots;
  uint32_t boots;
  uint32_t before;
  /* What moult_boot_state returns. */
  int32_t state;
} moult_boot;

/*
 * The boot decision, to be made once after each reset: counts the boot of a trial, and gives the slots before it
 * back after the third. The slots to run, with MOULT_BOOT_ON_TRIAL; or
 * MOULT_STATUS_FLASH_READ: the record cannot be read. To guess could boot half an image: reset and try again.
 * MOULT_STATUS_LAYOUT_INVALID: area 5 has fewer than two erase blocks, or the port describes no flash.
 *
 * Of the port only the flash callbacks are used; the others may be NULL.
 */
int32_t moult_boot_start(moult_boot *boot, const moult_port *port, void *user);

/* In an image that was started with `state`: counts nothing and decides nothing. Results as above. */
int32_t moult_boot_continue(moult_boot *boot, const moult_port *port, void *user, int32_t state);

/* What runs since the reset, as moult_boot_start returned it; after a confirm without MOULT_BOOT_ON_TRIAL. */
int32_t moult_boot_state(const moult_boot *boot);

/* Each takes effect whole or not at all, from the next reset on. 0, or MOULT_STATUS_BOOT: the flash failed. */
int32_t moult_boot_select(moult_boot *boot, int32_t slots);
int32_t moult_boot_confirm(moult_boot *boot);
int32_t moult_boot_revert(moult_boot *boot);

#ifdef __cplusplus
}
#endif

#endif
