/* The boot record. The contract is in boot.h, the format in docs/formats.md. */
#include "boot.h"

#include <string.h>

#include "bytes.h"
#include "crc32.h"

#define MAGIC 0x3154424du
#define LENGTH 16u
#define CONFIRMED 1u
#define TRIAL 2u
/* Boots on trial before the slots before return. */
#define ATTEMPTS 3u
/* The largest write unit, and so the most from one record to the next. */
#define LARGEST_UNIT 32u

/* ---- the area, as the port describes it ---- */

static uint32_t size_of(const moult_boot *boot) { return boot->port->flash_size(boot->user, MOULT_BOOT_AREA); }

static uint32_t block_end(const moult_boot *boot, uint32_t offset) {
  return boot->port->flash_block_end(boot->user, MOULT_BOOT_AREA, offset);
}

static uint32_t unit(const moult_boot *boot) {
  return boot->port->flash_unit(boot->user, MOULT_BOOT_AREA) & 0xffff;
}

static uint8_t erased(const moult_boot *boot) {
  return (uint8_t)(boot->port->flash_unit(boot->user, MOULT_BOOT_AREA) >> 16);
}

static int flash_read(const moult_boot *boot, uint32_t offset, void *to, uint32_t length) {
  return boot->port->flash_read(boot->user, MOULT_BOOT_AREA, offset, to, length) == 0;
}

/* Bytes from one record to the next. */
static uint32_t stride(const moult_boot *boot) { return unit(boot) > LENGTH ? unit(boot) : LENGTH; }

/* Two blocks or more that follow one another up to the end of the area, with room for a record: all below rests on it. */
static int has_blocks(const moult_boot *boot) {
  uint32_t size = size_of(boot);
  uint32_t blocks = 0;
  if (unit(boot) == 0 || unit(boot) > LARGEST_UNIT) return 0;
  for (uint32_t offset = 0; offset < size; blocks++) {
    uint32_t end = block_end(boot, offset);
    if (end <= offset || end > size || end - offset < stride(boot)) return 0;
    offset = end;
  }
  return blocks >= 2;
}

/* ---- one record ---- */

static void encode(const moult_boot *record, uint8_t *bytes) {
  moult_store(bytes, MAGIC, 4);
  moult_store(bytes + 4, record->sequence, 4);
  moult_store(bytes + 8, record->kind | record->slots << 8 | record->boots << 16 | record->before << 24, 4);
  moult_store(bytes + 12, moult_crc32(0, bytes, 12), 4);
}

/* Whether these bytes are a record; then it is in `record`. */
static int decode(const uint8_t *bytes, moult_boot *record) {
  if (moult_load(bytes) != MAGIC || moult_load(bytes + 12) != moult_crc32(0, bytes, 12)) return 0;
  record->sequence = moult_load(bytes + 4);
  record->kind = bytes[8];
  record->slots = bytes[9];
  record->boots = bytes[10];
  record->before = bytes[11];
  return record->kind == CONFIRMED || record->kind == TRIAL;
}

/* ---- finding the latest ---- */

/* The newest record of one block, if it is newer than what `boot` has; `found` counts them. 0: unreadable. */
static int scan_block(moult_boot *boot, uint32_t start, uint32_t end, uint32_t *found) {
  uint8_t bytes[LENGTH];
  moult_boot record = *boot;
  for (uint32_t offset = start; end - offset >= LENGTH; offset += stride(boot)) {
    if (!flash_read(boot, offset, bytes, LENGTH)) return 0;
    if (!decode(bytes, &record) || (*found > 0 && record.sequence <= boot->sequence)) continue;
    ++*found;
    record.offset = offset;
    *boot = record;
  }
  return 1;
}

static int32_t find_latest(moult_boot *boot) {
  uint32_t found = 0;
  if (!has_blocks(boot)) return MOULT_STATUS_LAYOUT_INVALID;
  for (uint32_t start = 0; start < size_of(boot); start = block_end(boot, start)) {
    if (!scan_block(boot, start, block_end(boot, start), &found)) return MOULT_STATUS_FLASH_READ;
  }
  return MOULT_STATUS_OK;
}

/* ---- appending ---- */

static int is_erased(const moult_boot *boot, const uint8_t *bytes, uint32_t length) {
  while (length > 0 && bytes[length - 1] == erased(boot)) length--;
  return length == 0;
}

/* Behind the last byte of the block that is not erased, in whole records from its start. 0: unreadable. */
static int find_free(const moult_boot *boot, uint32_t start, uint32_t end, uint32_t *offset) {
  uint8_t bytes[LARGEST_UNIT];
  *offset = start;
  for (uint32_t next = start; next < end; next += stride(boot)) {
    uint32_t length = end - next < stride(boot) ? end - next : stride(boot);
    if (!flash_read(boot, next, bytes, length)) return 0;
    if (!is_erased(boot, bytes, length)) *offset = next + stride(boot);
  }
  return 1;
}

/* Where the next record goes; erases the next block when this one is full. 0: the flash failed. */
static int find_room(const moult_boot *boot, uint32_t *offset) {
  uint32_t start = 0;
  uint32_t end = block_end(boot, start);
  while (end <= boot->offset) {
    start = end;
    end = block_end(boot, start);
  }
  if (!find_free(boot, start, end, offset)) return 0;
  if (*offset <= end && end - *offset >= stride(boot)) return 1;
  *offset = end < size_of(boot) ? end : 0;
  uint32_t length = block_end(boot, *offset) - *offset;
  return boot->port->flash_erase(boot->user, MOULT_BOOT_AREA, *offset, length) == 0;
}

/* Writes a record and reads it back: flash that lies is noticed now, and not at the next boot. */
static int append(const moult_boot *record) {
  uint8_t bytes[LARGEST_UNIT];
  uint8_t read[LARGEST_UNIT];
  uint32_t length = stride(record);
  memset(bytes, erased(record), sizeof bytes);
  encode(record, bytes);
  if (record->port->flash_write(record->user, MOULT_BOOT_AREA, record->offset, bytes, length) != 0) return 0;
  return flash_read(record, record->offset, read, length) && memcmp(read, bytes, length) == 0;
}

/* Makes a decision the latest, unless it is that already. 0, or BOOT and nothing has changed. */
static int32_t decide(moult_boot *boot, moult_boot record) {
  if (boot->kind == record.kind && boot->slots == record.slots && boot->boots == record.boots) return MOULT_STATUS_OK;
  record.sequence++;
  if (!find_room(boot, &record.offset) || !append(&record)) return MOULT_STATUS_BOOT;
  *boot = record;
  return MOULT_STATUS_OK;
}

static int32_t decide_confirmed(moult_boot *boot, uint32_t slots) {
  moult_boot record = *boot;
  record.kind = CONFIRMED;
  record.slots = slots;
  record.boots = 0;
  record.before = 0;
  return decide(boot, record);
}

static int32_t decide_trial(moult_boot *boot, uint32_t slots, uint32_t boots) {
  moult_boot record = *boot;
  record.kind = TRIAL;
  record.slots = slots;
  record.boots = boots;
  if (boot->kind != TRIAL) record.before = boot->slots;
  return decide(boot, record);
}

/* ---- the boot decision ---- */

static int32_t read_record(moult_boot *boot, const moult_port *port, void *user) {
  memset(boot, 0, sizeof *boot);
  boot->port = port;
  boot->user = user;
  boot->kind = CONFIRMED; /* all in slot A, when there is no record */
  return find_latest(boot);
}

static int32_t count_trial(moult_boot *boot) {
  if (boot->boots >= ATTEMPTS) return decide_confirmed(boot, boot->before);
  return decide_trial(boot, boot->slots, boot->boots + 1);
}

int32_t moult_boot_start(moult_boot *boot, const moult_port *port, void *user) {
  int32_t status = read_record(boot, port, user);
  if (status < 0) return status;
  int counted = boot->kind != TRIAL || count_trial(boot) == MOULT_STATUS_OK;
  /* A trial that cannot be counted would never end: then the slots before it run. */
  boot->state = (int32_t)(counted ? boot->slots : boot->before);
  if (counted && boot->kind == TRIAL) boot->state |= MOULT_BOOT_ON_TRIAL;
  return boot->state;
}

int32_t moult_boot_continue(moult_boot *boot, const moult_port *port, void *user, int32_t state) {
  int32_t status = read_record(boot, port, user);
  if (status < 0) return status;
  boot->state = state;
  return state;
}

int32_t moult_boot_state(const moult_boot *boot) { return boot->state; }

int32_t moult_boot_select(moult_boot *boot, int32_t slots) {
  return slots >= 0 && slots <= MOULT_BOOT_SLOTS ? decide_trial(boot, (uint32_t)slots, 0) : MOULT_STATUS_BAD_ARGUMENT;
}

int32_t moult_boot_confirm(moult_boot *boot) {
  int32_t status = decide_confirmed(boot, (uint32_t)(boot->state & MOULT_BOOT_SLOTS));
  if (status == MOULT_STATUS_OK) boot->state &= MOULT_BOOT_SLOTS;
  return status;
}

int32_t moult_boot_revert(moult_boot *boot) {
  return boot->kind != TRIAL ? MOULT_STATUS_OK : decide_confirmed(boot, boot->before);
}
