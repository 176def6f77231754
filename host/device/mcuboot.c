/* The boot decision of MCUboot. The contract is in mcuboot.h, the format in docs/formats.md. */
#include "mcuboot.h"

#include <string.h>

#include "bytes.h"
#include "crc32.h"

#define PRIMARY MOULT_AREA_SLOT_A
#define SECONDARY MOULT_AREA_SLOT_B
#define LARGEST_UNIT 8u
#define SET 0x01u

#define IMAGE_MAGIC 0x96f3b83du
#define IMAGE_HEADER 32u
#define FIELDS_MAGIC 0x6907u
#define FIELDS_HEADER 4u

#define RECORD_MAGIC 0x314d424du
#define RECORD 32u
/* The primary holds the slot that the record names. */
#define SETTLED 1u
/* It held the other one when this one, in the secondary, was selected. */
#define SELECTED 2u
/* Then this one was on trial, and about to be confirmed. */
#define CONFIRMING 3u

#define ON_TRIAL 0x100
/* Bytes that are read at once. */
#define PIECE 64u

static const uint8_t magic[] = {0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f,
                                0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80};

/* ---- the slots, as the port describes them ---- */

static uint32_t size_of(const moult_trailers *trailers, int32_t area) {
  return trailers->port->flash_size(trailers->user, area);
}

static uint32_t unit(const moult_trailers *trailers, int32_t area) {
  return trailers->port->flash_unit(trailers->user, area) & 0xffff;
}

static uint8_t erased(const moult_trailers *trailers, int32_t area) {
  return (uint8_t)(trailers->port->flash_unit(trailers->user, area) >> 16);
}

static int flash_read(const moult_trailers *trailers, int32_t area, uint32_t offset, void *to, uint32_t length) {
  return trailers->port->flash_read(trailers->user, area, offset, to, length) == 0;
}

/* ---- trailers ---- */

static int read_field(const moult_trailers *trailers, int32_t area, uint32_t field, void *to, uint32_t length) {
  return flash_read(trailers, area, size_of(trailers, area) - field, to, length);
}

/* Writes a field and reads it back. */
static int write_field(const moult_trailers *trailers, int32_t area, uint32_t field, const uint8_t *bytes,
                       uint32_t length) {
  uint8_t read[sizeof magic];
  uint32_t offset = size_of(trailers, area) - field;
  if (trailers->port->flash_write(trailers->user, area, offset, bytes, length) != 0) return 0;
  return read_field(trailers, area, field, read, length) && memcmp(read, bytes, length) == 0;
}

int moult_trailer_has_magic(const moult_trailers *trailers, int32_t area) {
  uint8_t bytes[sizeof magic];
  return read_field(trailers, area, MOULT_TRAILER_MAGIC, bytes, sizeof bytes) && memcmp(bytes, magic, sizeof magic) == 0;
}

int moult_trailer_is_erased(const moult_trailers *trailers, int32_t area, uint32_t field) {
  uint8_t byte = 0;
  return read_field(trailers, area, field, &byte, 1) && byte == erased(trailers, area);
}

int moult_trailer_awaits_verdict(const moult_trailers *trailers) {
  return moult_trailer_has_magic(trailers, PRIMARY) &&
         moult_trailer_is_erased(trailers, PRIMARY, MOULT_TRAILER_IMAGE_OK) &&
         !moult_trailer_is_erased(trailers, PRIMARY, MOULT_TRAILER_COPY_DONE);
}

int moult_trailer_write_magic(const moult_trailers *trailers, int32_t area) {
  return write_field(trailers, area, MOULT_TRAILER_MAGIC, magic, sizeof magic);
}

int moult_trailer_write_flag(const moult_trailers *trailers, int32_t area, uint32_t field) {
  uint8_t bytes[LARGEST_UNIT];
  memset(bytes, erased(trailers, area), sizeof bytes);
  bytes[0] = SET;
  return write_field(trailers, area, field, bytes, unit(trailers, area));
}

static int is_clear(const moult_trailers *trailers, int32_t area) {
  uint8_t bytes[PIECE];
  uint32_t size = size_of(trailers, area);
  for (uint32_t offset = size - trailers->reserved; offset < size;) {
    uint32_t length = size - offset < PIECE ? size - offset : PIECE;
    if (!flash_read(trailers, area, offset, bytes, length)) return 0;
    for (uint32_t i = 0; i < length; i++)
      if (bytes[i] != erased(trailers, area)) return 0;
    offset += length;
  }
  return 1;
}

int moult_trailer_clear(const moult_trailers *trailers, int32_t area) {
  uint32_t start = size_of(trailers, area) - trailers->reserved;
  if (is_clear(trailers, area)) return 1;
  return trailers->port->flash_erase(trailers->user, area, start, trailers->reserved) == 0;
}

int moult_trailer_request(const moult_trailers *trailers, int permanent) {
  if (!moult_trailer_clear(trailers, SECONDARY)) return 0;
  if (permanent && !moult_trailer_write_flag(trailers, SECONDARY, MOULT_TRAILER_IMAGE_OK)) return 0;
  return moult_trailer_write_magic(trailers, SECONDARY);
}

/* ---- images ---- */

static uint32_t load16(const uint8_t *bytes) { return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8; }

uint32_t moult_trailer_image_length(const moult_trailers *trailers, int32_t area, uint32_t most) {
  uint8_t header[IMAGE_HEADER];
  uint8_t fields[FIELDS_HEADER];
  if (!flash_read(trailers, area, 0, header, sizeof header)) return 0;
  uint32_t payload = moult_load(header + 12);
  /* No overflow below: the header and the protected fields are less than 2^17 bytes. */
  if (moult_load(header) != IMAGE_MAGIC || payload > most) return 0;
  uint32_t length = load16(header + 8) + load16(header + 10) + payload;
  if (length > most || most - length < FIELDS_HEADER) return 0;
  if (!flash_read(trailers, area, length, fields, sizeof fields)) return 0;
  length += load16(fields + 2);
  return load16(fields) == FIELDS_MAGIC && length <= most ? length : 0;
}

/* 0: unreadable. */
static int image_crc(const moult_trailers *trailers, int32_t area, uint32_t length, uint32_t *crc) {
  uint8_t bytes[PIECE];
  *crc = 0;
  for (uint32_t offset = 0, now; offset < length; offset += now) {
    now = length - offset < PIECE ? length - offset : PIECE;
    if (!flash_read(trailers, area, offset, bytes, now)) return 0;
    *crc = moult_crc32(*crc, bytes, now);
  }
  return 1;
}

/* ---- which slot of the core's the primary holds ---- */

static int is_known(const uint8_t *fields) { return fields[0] >= SETTLED && fields[0] <= CONFIRMING; }

static int32_t record(moult_mcuboot *boot, uint32_t kind, uint32_t slot, uint32_t length, uint32_t crc) {
  uint8_t fields[MOULT_RING_FIELDS] = {(uint8_t)kind, (uint8_t)slot};
  moult_store(fields + 4, length, 4);
  moult_store(fields + 8, crc, 4);
  return moult_ring_append(&boot->ring, fields);
}

static uint32_t held(const moult_mcuboot *boot) { return (uint32_t)boot->state & 1; }

/* Notes what the primary holds, unless that is noted. No record: it holds A. */
static int32_t settle(moult_mcuboot *boot) {
  const uint8_t *fields = boot->ring.fields;
  if (fields[0] < SELECTED && fields[1] == held(boot)) return MOULT_STATUS_OK;
  return record(boot, SETTLED, held(boot), 0, 0);
}

/* What was selected and is no trial was not swapped, or swapped back; to confirm may have come too late. */
static int32_t find_held(moult_mcuboot *boot) {
  const uint8_t *fields = boot->ring.fields;
  uint32_t length = moult_load(fields + 4);
  uint32_t crc = 0;
  boot->state = fields[1];
  if (fields[0] < SELECTED) return MOULT_STATUS_OK;
  if (moult_trailer_awaits_verdict(&boot->trailers)) {
    boot->state |= ON_TRIAL;
    return MOULT_STATUS_OK;
  }
  if (length > size_of(&boot->trailers, PRIMARY)) return MOULT_STATUS_LAYOUT_INVALID;
  if (fields[0] == CONFIRMING && !image_crc(&boot->trailers, PRIMARY, length, &crc)) return MOULT_STATUS_FLASH_READ;
  if (fields[0] != CONFIRMING || crc != moult_load(fields + 8)) boot->state = 1 - boot->state;
  return MOULT_STATUS_OK;
}

int32_t moult_mcuboot_start(moult_mcuboot *boot, const moult_port *port, void *user, uint32_t reserved) {
  boot->trailers = (moult_trailers){port, user, reserved};
  if (unit(&boot->trailers, PRIMARY) > LARGEST_UNIT || reserved < MOULT_TRAILER_SWAP_SIZE ||
      reserved >= size_of(&boot->trailers, PRIMARY))
    return MOULT_STATUS_LAYOUT_INVALID;
  int32_t status = moult_ring_open(&boot->ring, port, user, RECORD_MAGIC, RECORD, is_known);
  if (status == MOULT_STATUS_OK) status = find_held(boot);
  if (status == MOULT_STATUS_OK && (boot->state & ON_TRIAL) == 0) status = settle(boot);
  return status < 0 ? status : boot->state;
}

int32_t moult_mcuboot_state(const moult_mcuboot *boot) { return boot->state; }

/* The record first: a swap that it does not know would be a swap of names. Without the magic, written last, nothing is asked for. */
int32_t moult_mcuboot_select(moult_mcuboot *boot, int32_t slots) {
  const moult_trailers *trailers = &boot->trailers;
  uint32_t crc = 0;
  if (slots != 1 - boot->state) return MOULT_STATUS_BOOT; /* on trial it is none */
  uint32_t length = moult_trailer_image_length(trailers, SECONDARY, size_of(trailers, SECONDARY) - trailers->reserved);
  if (length == 0 || !image_crc(trailers, SECONDARY, length, &crc)) return MOULT_STATUS_BOOT;
  if (record(boot, SELECTED, (uint32_t)slots, length, crc) != MOULT_STATUS_OK) return MOULT_STATUS_BOOT;
  return moult_trailer_request(trailers, 0) ? MOULT_STATUS_OK : MOULT_STATUS_BOOT;
}

/* The record first: without it a confirmation looks as a swap back does. */
int32_t moult_mcuboot_confirm(moult_mcuboot *boot) {
  const uint8_t *fields = boot->ring.fields;
  if ((boot->state & ON_TRIAL) == 0) return MOULT_STATUS_OK;
  if (record(boot, CONFIRMING, held(boot), moult_load(fields + 4), moult_load(fields + 8)) != MOULT_STATUS_OK)
    return MOULT_STATUS_BOOT;
  if (!moult_trailer_write_flag(&boot->trailers, PRIMARY, MOULT_TRAILER_IMAGE_OK)) return MOULT_STATUS_BOOT;
  boot->state &= ~ON_TRIAL;
  (void)settle(boot); /* or at the next boot */
  return MOULT_STATUS_OK;
}

/* On trial MCUboot would swap back by itself, unless what it notes at the end of a swap was torn: so it is asked to. */
int32_t moult_mcuboot_revert(moult_mcuboot *boot) {
  if ((boot->state & ON_TRIAL) != 0)
    return moult_trailer_request(&boot->trailers, 1) ? MOULT_STATUS_OK : MOULT_STATUS_BOOT;
  return moult_trailer_clear(&boot->trailers, SECONDARY) ? settle(boot) : MOULT_STATUS_BOOT;
}

/* ---- what the core gets ---- */

static int is_slot(int32_t area) { return area == PRIMARY || area == SECONDARY; }

int32_t moult_mcuboot_area(const moult_mcuboot *boot, int32_t area) {
  return held(boot) == 1 && is_slot(area) ? PRIMARY + SECONDARY - area : area;
}

uint32_t moult_mcuboot_size(const moult_mcuboot *boot, int32_t area, uint32_t size) {
  return is_slot(area) ? size - boot->trailers.reserved : size;
}
