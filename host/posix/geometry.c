#include "geometry.h"

#include <stdio.h>
#include <string.h>

/* Slot A of component 1. */
#define FIRST_SLOT 10u

/* ---- reading ---- */

static int literal(const char **cursor, const char *text) {
  size_t length = strlen(text);
  if (strncmp(*cursor, text, length) != 0) return 0;
  *cursor += length;
  return 1;
}

/* Decimal digits, up to MOST_FLASH. Nothing overflows: 2^28 * 10 + 9 < 2^32. */
static int number(const char **cursor, uint32_t *value) {
  const char *from = *cursor;
  *value = 0;
  for (; **cursor >= '0' && **cursor <= '9' && *value <= MOST_FLASH; ++*cursor)
    *value = *value * 10 + (uint32_t)(**cursor - '0');
  return *cursor > from && *value <= MOST_FLASH;
}

/* The lengths of an area's blocks, "n,n,n"; their ends go behind the `used` that are taken. */
static int parse_blocks(geometry *flash, area *into, const char **cursor, uint32_t used) {
  into->ends = flash->ends + used;
  if (**cursor == ']') return 1;
  do {
    uint32_t length = 0;
    if (used + into->blocks == MOST_BLOCKS || !number(cursor, &length) || length == 0) return 0;
    if (flash->size + into->size + length > MOST_FLASH) return 0;
    into->size += length;
    flash->ends[used + into->blocks++] = into->size;
  } while (literal(cursor, ","));
  return 1;
}

static int units_fit(const area *of) {
  if (of->unit == 0 || of->unit > 32 || (of->unit & (of->unit - 1)) != 0) return 0;
  for (uint32_t i = 0; i < of->blocks; i++)
    if (of->ends[i] % of->unit != 0) return 0;
  return 1;
}

static int parse_area(geometry *flash, area *into, const char **cursor, uint32_t used) {
  uint32_t erased = 0;
  int read = literal(cursor, "{\"blocks\":[") && parse_blocks(flash, into, cursor, used) &&
             literal(cursor, "],\"unit\":") && number(cursor, &into->unit) &&
             literal(cursor, ",\"erased\":") && number(cursor, &erased) && literal(cursor, "}");
  into->erased = (uint8_t)erased;
  return read && (erased == 0 || erased == 0xff) && units_fit(into);
}

int geometry_parse(geometry *flash, const char *text) {
  uint32_t used = 0;
  memset(flash, 0, sizeof *flash);
  for (uint32_t i = 0; i < AREAS; i++) {
    area *into = &flash->areas[i];
    into->start = flash->size;
    if (i >= LEAST_AREAS && *text != ',') break;
    if (!literal(&text, i == 0 ? "[" : ",") || !parse_area(flash, into, &text, used)) return -1;
    if (i < LEAST_AREAS && into->size == 0) return -1;
    used += into->blocks;
    flash->size += into->size;
  }
  return literal(&text, "]") && text[strspn(text, " \r\n")] == 0 ? 0 : -1;
}

/* ---- using ---- */

uint32_t geometry_block_end(const area *of, uint32_t offset) {
  uint32_t low = 0; /* the block lies between these two */
  uint32_t high = of->blocks - 1;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (of->ends[middle] > offset) high = middle;
    else low = middle + 1;
  }
  return of->ends[low];
}

int geometry_is_edge(const area *of, uint32_t offset) {
  return offset == 0 || (offset <= of->size && geometry_block_end(of, offset - 1) == offset);
}

int32_t geometry_core(const geometry *flash) {
  for (uint32_t slot = FIRST_SLOT; slot < AREAS; slot += 2)
    if (flash->areas[slot].blocks == CORE_BLOCKS) return (int32_t)(slot - FIRST_SLOT) / 2 + 1;
  return 0;
}

/* ---- a new device ---- */

#define BLOCK 4096

void geometry_default(char *text, uint32_t capacity) {
  static const uint32_t blocks[] = {16, 16, 2, 512, 512, 2, 4}; /* 64 KiB a bank, 2 MiB a slot, 16 KiB of log */
  int length = 0;
  for (uint32_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    const char *before = i == 0 ? "[{\"blocks\":[" : ",{\"blocks\":[";
    length += snprintf(text + length, capacity - (uint32_t)length, "%s", before);
    for (uint32_t block = 0; block < blocks[i]; block++)
      length += snprintf(text + length, capacity - (uint32_t)length, "%s%d", block == 0 ? "" : ",", BLOCK);
    length += snprintf(text + length, capacity - (uint32_t)length, "],\"unit\":4,\"erased\":255}");
  }
  snprintf(text + length, capacity - (uint32_t)length, "]\n");
}
