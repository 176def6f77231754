/*
 * A test program for ports: it calls what a moult_port has, on the target, and says what breaks the contract of moult.h.
 * The core is no part of it. Everything that the port's areas hold is lost, but for the slots that run; so it belongs on
 * a board that is not provisioned yet. It cannot cut the power: what that may leave stays a matter of the data sheet.
 *
 *   static moult_conformance test = {.port = &port, .user = &board, .say = print, .image_length = ...};
 *   int32_t verdict = moult_conformance_run(&test);      at each start, until it is something else than RESET
 *   if (verdict == MOULT_CONFORMANCE_RESET) reset();
 *
 * What must outlive a reset it notes in both banks of the trust store. The order, from one start to the next:
 *
 *   1  flash, counter, random bytes, clock and hash; then it selects the other slot, into which it has copied itself
 *   2  there, on trial: all has outlived the reset; it reverts
 *   3  in the first slot again: it selects the other one once more
 *   4  there, on trial: it confirms
 *   5  there, for good: it selects the first slot
 *   6  there, on trial, as often as the bootloader tries it: it does nothing
 *   7  in the other slot, which the bootloader has given back: it selects the first slot a last time
 *   8  there, on trial: it confirms
 */
#ifndef MOULT_CONFORMANCE_H
#define MOULT_CONFORMANCE_H

#include <stdint.h>

#include "moult.h"

#ifdef __cplusplus
extern "C" {
#endif

enum moult_conformance_verdict {
  /* Nothing was found. */
  MOULT_CONFORMANCE_PASSED = 0,
  /* Nothing was found so far: reset the board and call again. */
  MOULT_CONFORMANCE_RESET = 1,
  /* The lines that begin with "BROKEN" say what. The next call begins anew. */
  MOULT_CONFORMANCE_BROKEN = 2
};

/* The most bytes that are written or read in one call. */
#define MOULT_CONFORMANCE_PIECE 1088u
#define MOULT_CONFORMANCE_AREAS 24u

/* Fill the first five, zero the rest. Owned by the caller. */
typedef struct moult_conformance {
  const moult_port *port;
  void *user;
  /* One line for people, without its end; `user` as above. */
  void (*say)(void *user, const char *line);
  /*
   * Bytes of the program that runs, from the start of its slot: they are copied into the other slot, which is then
   * tried. 0: what is started does not lie in the slots.
   */
  uint32_t image_length;
  /* Whether a hardware counter may be raised, by one: some can be only a few times. */
  int raise_counter;
  /* Not the caller's. */
  uint32_t findings;
  uint32_t milliseconds;
  uint32_t digests[MOULT_CONFORMANCE_AREAS];
  uint8_t written[MOULT_CONFORMANCE_PIECE + 8];
  uint8_t read[MOULT_CONFORMANCE_PIECE + 8];
} moult_conformance;

/* An `enum moult_conformance_verdict`. Takes as long as the erases take: each area is erased about twice. */
int32_t moult_conformance_run(moult_conformance *self);

#ifdef __cplusplus
}
#endif

#endif
