/*
 * Records of one kind in the boot area, appended one behind the other; the latest counts (docs/formats.md, "Boot record").
 * Power lost in an append leaves the record before it or this one. Two erase blocks or more. The same bytes as
 * host/node/ring.ts.
 */
#ifndef MOULT_RING_H
#define MOULT_RING_H

#include <stdint.h>

#include "moult.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Behind the core's areas and out of its reach. */
#define MOULT_BOOT_AREA 5

/* The most that a record holds between its sequence and its CRC. */
#define MOULT_RING_FIELDS 20

/* Owned by the caller; its fields are not the caller's, but for `fields`, to be read. */
typedef struct moult_ring {
  const moult_port *port;
  void *user;
  uint32_t magic;
  /* Of a record in bytes: 12 and its fields, at most 32. */
  uint32_t length;
  /* Where the latest record lies, and its sequence; both 0 when there is none. */
  uint32_t offset;
  uint32_t sequence;
  /* What it holds; zeros when there is none. */
  uint8_t fields[MOULT_RING_FIELDS];
} moult_ring;

/*
 * Finds the latest record, of those that `is_known` takes. Of the port only the flash callbacks are used. 0;
 * MOULT_STATUS_FLASH_READ: the area cannot be read. To guess could boot half an image: reset and try again.
 * MOULT_STATUS_LAYOUT_INVALID: it has fewer than two erase blocks, or the port describes no flash.
 */
int32_t moult_ring_open(moult_ring *ring, const moult_port *port, void *user, uint32_t magic, uint32_t length,
                        int (*is_known)(const uint8_t *fields));

/* Makes these fields the latest. 0, or MOULT_STATUS_BOOT: the flash failed, and those before count. */
int32_t moult_ring_append(moult_ring *ring, const uint8_t *fields);

#ifdef __cplusplus
}
#endif

#endif
