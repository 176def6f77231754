/* Between the files of the conformance program. A check returns 1, or 0 when it found something, and has said so. */
#ifndef MOULT_CONFORMANCE_CHECKS_H
#define MOULT_CONFORMANCE_CHECKS_H

#include "conformance.h"

/* ---- say.c ---- */

/* A finding: the contract is broken. Always 0. */
int conformance_broken(moult_conformance *self, const char *what);

/* The same at an offset of an area. */
int conformance_broken_at(moult_conformance *self, int32_t area, uint32_t offset, const char *what);

/* The same of a callback that answered with neither 0 nor a negative number, or failed where it must not. 1 when `result` is 0. */
int conformance_done(moult_conformance *self, const char *callback, int32_t result);

/* What is no finding: "WHAT NUMBER UNIT". */
void conformance_note(moult_conformance *self, const char *what, uint32_t number, const char *unit);

/* The same of an area. */
void conformance_note_area(moult_conformance *self, int32_t area, const char *what, uint32_t number, const char *unit);

/* ---- layout.c ---- */

/* Whether the port has the area; 5 is never asked for. */
int conformance_has(const moult_conformance *self, int32_t area);

uint32_t conformance_size(const moult_conformance *self, int32_t area);
uint32_t conformance_block_end(const moult_conformance *self, int32_t area, uint32_t offset);
uint32_t conformance_unit(const moult_conformance *self, int32_t area);
uint8_t conformance_erased(const moult_conformance *self, int32_t area);

/* Sizes, erase blocks, write units and erased values of all areas. */
int conformance_check_layout(moult_conformance *self);

/* ---- flash.c ---- */

/* Reading, writing and erasing in every area but the slots that run. */
int conformance_check_flash(moult_conformance *self, int32_t running);

/* Erases an area as the core does. */
int conformance_erase_area(moult_conformance *self, int32_t area);

/* Reads into `self->read`, at most MOULT_CONFORMANCE_PIECE bytes. */
int conformance_read(moult_conformance *self, int32_t area, uint32_t offset, uint32_t length);

/* Writes `self->written`. */
int conformance_write(moult_conformance *self, int32_t area, uint32_t offset, uint32_t length);

/* ---- rest.c ---- */

/* Milliseconds, 0 without a clock. Looks whether they rise, and lets a port feed its watchdog. */
uint32_t conformance_look_at_clock(moult_conformance *self);

int conformance_check_clock(moult_conformance *self);
int conformance_check_hash(moult_conformance *self);

/* `digest` is then of random bytes, 0 without a source of them. */
int conformance_check_entropy(moult_conformance *self, uint32_t *digest);

/* `value` is then what the counter must have after a reset, 0 without one. */
int conformance_check_counter(moult_conformance *self, uint32_t *value);

/* FNV-1a of bytes, going on from `digest`; CONFORMANCE_NOTHING is that of none. */
#define CONFORMANCE_NOTHING 2166136261u
uint32_t conformance_digest(uint32_t digest, const uint8_t *bytes, uint32_t length);

#endif
