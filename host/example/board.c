/*
 * A board in a process: replace what stands in these functions by the drivers of yours, and the table by its flash. Bytes
 * of the array outlive a "reset" of the example, and nothing else does.
 */
#include "board.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- 1, 2, 3: the flash ---- */

#define BLOCK 4096u
#define CHIP (64u * BLOCK)

static uint8_t chip[CHIP];

static int32_t chip_read(void *user, uint32_t address, void *to, uint32_t length) {
  (void)user;
  memcpy(to, chip + address, length);
  return 0;
}

/* NOR flash: a write takes bits away. */
static int32_t chip_write(void *user, uint32_t address, const void *from, uint32_t length) {
  const uint8_t *bytes = from;
  (void)user;
  for (uint32_t i = 0; i < length; i++) chip[address + i] &= bytes[i];
  return 0;
}

static int32_t chip_erase(void *user, uint32_t address, uint32_t length) {
  (void)user;
  memset(chip + address, 0xff, length);
  return 0;
}

/* ---- 4: a clock ---- */

static uint32_t chip_milliseconds(void *user) {
  (void)user;
  return (uint32_t)((uint64_t)clock() * 1000 / CLOCKS_PER_SEC);
}

uint32_t board_seconds(void) { return (uint32_t)time(NULL); }

moult_chip board_chip = {
    .read = chip_read,
    .write = chip_write,
    .erase = chip_erase,
    .milliseconds = chip_milliseconds,
    .unit = 4,
    .erased = 0xff,
    .places =
        {
            [MOULT_AREA_STORE_A] = {0 * BLOCK, 4 * BLOCK, BLOCK},
            [MOULT_AREA_STORE_B] = {4 * BLOCK, 4 * BLOCK, BLOCK},
            [MOULT_AREA_JOURNAL] = {8 * BLOCK, 2 * BLOCK, BLOCK},
            [MOULT_BOOT_AREA] = {10 * BLOCK, 2 * BLOCK, BLOCK},
            [MOULT_AREA_SLOT_A] = {12 * BLOCK, 24 * BLOCK, BLOCK},
            [MOULT_AREA_SLOT_B] = {36 * BLOCK, 24 * BLOCK, BLOCK},
        },
};

/* ---- 5: the network ---- */

static FILE *open_in(const char *folder, const char *part, const char *name) {
  char path[512];
  int length = snprintf(path, sizeof path, "%s/%s%s", folder, part, name);
  return length > 0 && (size_t)length < sizeof path ? fopen(path, "rb") : NULL;
}

int32_t board_fetch(void *user, int32_t kind, const char *name, uint32_t offset, uint32_t wanted, moult_piece *piece) {
  static const char *const parts[] = {"metadata/", "targets/", "director/"}; /* by enum moult_fetch_kind */
  static uint8_t bytes[512];
  FILE *file = (uint32_t)kind < sizeof parts / sizeof *parts ? open_in(user, parts[kind], name) : NULL;
  if (file == NULL) return MOULT_STATUS_NOT_FOUND;
  if (wanted > sizeof bytes) wanted = sizeof bytes;
  int found = fseek(file, (long)offset, SEEK_SET) == 0;
  piece->bytes = bytes;
  piece->offset = offset;
  piece->length = found ? (uint32_t)fread(bytes, 1, wanted, file) : 0;
  piece->last = found && fgetc(file) == EOF;
  fclose(file);
  return found ? 0 : MOULT_STATUS_NETWORK;
}

int32_t board_load(const char *folder, const char *name, void *to, uint32_t capacity) {
  FILE *file = open_in(folder, "", name);
  if (file == NULL) return -1;
  int32_t length = (int32_t)fread(to, 1, capacity, file);
  fclose(file);
  return length;
}
