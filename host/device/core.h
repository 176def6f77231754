/*
 * The core as a component of the device that it updates (host/README.md, "The core as a component"): which one a boot
 * runs, and what becomes of one that cannot. For boards that run the core under wasm3.
 *
 *   moult_core_slots slots = {.own = {.port = …, .module = …}, .component = 1, .map = …};
 *   moult_boot_start(…);
 *   status = moult_core_slots_open(&slots, &core);
 *   … as ever, with the statuses of moult.h and client.h …
 *   if (status < 0 && moult_core_slots_give_up(&slots, status)) reset;
 */
#ifndef MOULT_CORE_H
#define MOULT_CORE_H

#include <stdint.h>

#include "moult.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes before the module in a slot: docs/formats.md, "Image of a core". */
#define MOULT_CORE_HEADER 44u

/* Fill the first three and zero the rest. */
typedef struct moult_core_slots {
  /* The core that the firmware was built with; one in a slot is opened with the same, apart from the module. */
  moult_config own;
  /* Number of the component that the core is, 1 to 7, as the board lays out its flash; 0: it is part of the firmware. */
  int32_t component;
  /*
   * These bytes of an area in memory, unchanged until the core is closed: flash that is mapped, or a copy. The range lies
   * inside the area. NULL: they cannot be read.
   */
  const uint8_t *(*map)(void *user, int32_t area, uint32_t offset, uint32_t length);
  /* Why a confirmed core is not the one that runs, but `own` in its place: flash has lost it. 0: nothing is lost. */
  int32_t lost;
} moult_core_slots;

/*
 * After the boot decision: opens the core in the slot that it names. Its module is checked by the hash in its header
 * as moult_open does it, over the bytes that then run. `own` where the slot A has never held a core, and where header or
 * hash of a confirmed one do not fit; the other slot never, since what is there may not be verified.
 * 0, or MODULE_INVALID, ABI_VERSION, FLASH_READ: what the slot holds; or as moult_open, or what boot_state returned.
 */
int32_t moult_core_slots_open(moult_core_slots *slots, moult *core);

/*
 * After NOT_PROVISIONED. 0: this core came by an update and does not find the trust of its device. It must not be given
 * the first root again, for that would be a rollback to the factory's: a failure like any other.
 */
int moult_core_slots_may_provision(const moult_core_slots *slots);

/*
 * Ends a trial with this status, of opening, starting, stepping or answering: it takes no answer of the core. 1: reset
 * now; the slots before the trial return, at once or, where the flash does not take that, after the boots of a trial.
 * 0: there is no trial, or nothing has failed.
 */
int moult_core_slots_give_up(const moult_core_slots *slots, int32_t status);

#ifdef __cplusplus
}
#endif

#endif
