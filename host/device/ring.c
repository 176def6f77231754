/* Records in the boot area. The contract is in ring.h, the format in docs/formats.md. */
#include "ring.h"

#include <string.h>

#include "bytes.h"
#include "crc32.h"

/* Magic and sequence, and the CRC behind the fields. */
#define HEAD 8u
#define CRC 4u
/* The largest write unit, and so the most from one record to the next. */
#define LARGEST_UNIT 32u

/* ---- the area, as the port describes it ---- */

static uint32_t size_of(const moult_ring *ring) { return ring->port->flash_size(ring->user, MOULT_BOOT_AREA); }

static uint32_t block_end(const moult_ring *ring, uint32_t offset) {
  return ring->port->flash_block_end(ring->user, MOULT_BOOT_AREA, offset);
}

static uint32_t unit(const moult_ring *ring) {
  return ring->port->flash_unit(ring->user, MOULT_BOOT_AREA) & 0xffff;
}

static uint8_t erased(const moult_ring *ring) {
  return (uint8_t)(ring->port->flash_unit(ring->user, MOULT_BOOT_AREA) >> 16);
}

static int flash_read(const moult_ring *ring, uint32_t offset, void *to, uint32_t length) {
  return ring->port->flash_read(ring->user, MOULT_BOOT_AREA, offset, to, length) == 0;
}

/* Bytes from one record to the next. */
static uint32_t stride(const moult_ring *ring) { return unit(ring) > ring->length ? unit(ring) : ring->length; }

/* Two blocks or more that follow one another up to the end of the area, with room for a record: all below rests on it. */
static int has_blocks(const moult_ring *ring) {
  uint32_t size = size_of(ring);
  uint32_t blocks = 0;
  if (unit(ring) == 0 || unit(ring) > LARGEST_UNIT) return 0;
  for (uint32_t offset = 0; offset < size; blocks++) {
    uint32_t end = block_end(ring, offset);
    if (end <= offset || end > size || end - offset < stride(ring)) return 0;
    offset = end;
  }
  return blocks >= 2;
}

/* ---- one record ---- */

static void encode(const moult_ring *record, uint8_t *bytes) {
  uint32_t covered = record->length - CRC;
  moult_store(bytes, record->magic, 4);
  moult_store(bytes + 4, record->sequence, 4);
  memcpy(bytes + HEAD, record->fields, covered - HEAD);
  moult_store(bytes + covered, moult_crc32(0, bytes, covered), 4);
}

/* Whether these bytes are a record; then it is in `record`. */
static int decode(const uint8_t *bytes, moult_ring *record) {
  uint32_t covered = record->length - CRC;
  if (moult_load(bytes) != record->magic || moult_load(bytes + covered) != moult_crc32(0, bytes, covered)) return 0;
  record->sequence = moult_load(bytes + 4);
  memcpy(record->fields, bytes + HEAD, covered - HEAD);
  return 1;
}

/* ---- finding the latest ---- */

/* The newest record of one block, if it is newer than what `ring` has; `found` counts them. 0: unreadable. */
static int scan_block(moult_ring *ring, uint32_t start, uint32_t end, uint32_t *found,
                      int (*is_known)(const uint8_t *fields)) {
  uint8_t bytes[LARGEST_UNIT];
  moult_ring record = *ring;
  for (uint32_t offset = start; end - offset >= ring->length; offset += stride(ring)) {
    if (!flash_read(ring, offset, bytes, ring->length)) return 0;
    if (!decode(bytes, &record) || !is_known(record.fields)) continue;
    if (*found > 0 && record.sequence <= ring->sequence) continue;
    ++*found;
    record.offset = offset;
    *ring = record;
  }
  return 1;
}

int32_t moult_ring_open(moult_ring *ring, const moult_port *port, void *user, uint32_t magic, uint32_t length,
                        int (*is_known)(const uint8_t *fields)) {
  uint32_t found = 0;
  memset(ring, 0, sizeof *ring);
  ring->port = port;
  ring->user = user;
  ring->magic = magic;
  ring->length = length;
  if (!has_blocks(ring)) return MOULT_STATUS_LAYOUT_INVALID;
  for (uint32_t start = 0; start < size_of(ring); start = block_end(ring, start)) {
    if (!scan_block(ring, start, block_end(ring, start), &found, is_known)) return MOULT_STATUS_FLASH_READ;
  }
  return MOULT_STATUS_OK;
}

/* ---- appending ---- */

static int is_erased(const moult_ring *ring, const uint8_t *bytes, uint32_t length) {
  while (length > 0 && bytes[length - 1] == erased(ring)) length--;
  return length == 0;
}

/* Behind the last byte of the block that is not erased, in whole records from its start. 0: unreadable. */
static int find_free(const moult_ring *ring, uint32_t start, uint32_t end, uint32_t *offset) {
  uint8_t bytes[LARGEST_UNIT];
  *offset = start;
  for (uint32_t next = start; next < end; next += stride(ring)) {
    uint32_t length = end - next < stride(ring) ? end - next : stride(ring);
    if (!flash_read(ring, next, bytes, length)) return 0;
    if (!is_erased(ring, bytes, length)) *offset = next + stride(ring);
  }
  return 1;
}

/* Where the next record goes; erases the next block when this one is full. 0: the flash failed. */
static int find_room(const moult_ring *ring, uint32_t *offset) {
  uint32_t start = 0;
  uint32_t end = block_end(ring, start);
  while (end <= ring->offset) {
    start = end;
    end = block_end(ring, start);
  }
  if (!find_free(ring, start, end, offset)) return 0;
  if (*offset <= end && end - *offset >= stride(ring)) return 1;
  *offset = end < size_of(ring) ? end : 0;
  uint32_t length = block_end(ring, *offset) - *offset;
  return ring->port->flash_erase(ring->user, MOULT_BOOT_AREA, *offset, length) == 0;
}

/* Writes a record and reads it back: flash that lies is noticed now, and not at the next boot. */
static int append(const moult_ring *record) {
  uint8_t bytes[LARGEST_UNIT];
  uint8_t read[LARGEST_UNIT];
  uint32_t length = stride(record);
  memset(bytes, erased(record), sizeof bytes);
  encode(record, bytes);
  if (record->port->flash_write(record->user, MOULT_BOOT_AREA, record->offset, bytes, length) != 0) return 0;
  return flash_read(record, record->offset, read, length) && memcmp(read, bytes, length) == 0;
}

int32_t moult_ring_append(moult_ring *ring, const uint8_t *fields) {
  moult_ring record = *ring;
  record.sequence++;
  memcpy(record.fields, fields, ring->length - HEAD - CRC);
  if (!find_room(ring, &record.offset) || !append(&record)) return MOULT_STATUS_BOOT;
  *ring = record;
  return MOULT_STATUS_OK;
}
