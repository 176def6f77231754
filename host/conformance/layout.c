/* What a port says of its areas: moult.h and docs/formats.md, "Flash areas". */
#include "checks.h"

/* The boot record's: the core never asks for it. */
#define BOOT_AREA 5

/* Erase blocks that are walked through in one area; there may be more. */
#define MOST_BLOCKS 65536u

uint32_t conformance_size(const moult_conformance *self, int32_t area) {
  return area == BOOT_AREA ? 0 : self->port->flash_size(self->user, area);
}

int conformance_has(const moult_conformance *self, int32_t area) { return conformance_size(self, area) > 0; }

uint32_t conformance_block_end(const moult_conformance *self, int32_t area, uint32_t offset) {
  return self->port->flash_block_end(self->user, area, offset);
}

uint32_t conformance_unit(const moult_conformance *self, int32_t area) {
  return self->port->flash_unit(self->user, area) & 0xffff;
}

uint8_t conformance_erased(const moult_conformance *self, int32_t area) {
  return (uint8_t)(self->port->flash_unit(self->user, area) >> 16);
}

static int check_unit(moult_conformance *self, int32_t area) {
  uint32_t unit = conformance_unit(self, area);
  uint8_t erased = conformance_erased(self, area);
  if (unit == 0 || unit > 32 || (unit & (unit - 1)) != 0)
    return conformance_broken_at(self, area, 0, "flash_unit: the write unit is none of 1, 2, 4, 8, 16 and 32");
  if (erased != 0 && erased != 0xff) return conformance_broken_at(self, area, 0, "flash_unit: the erased byte is neither 0x00 nor 0xFF");
  if (self->port->flash_unit(self->user, area) >> 24 != 0)
    return conformance_broken_at(self, area, 0, "flash_unit: bits 24 to 31 are not 0");
  return 1;
}

/* One block, whose end must be the same from each offset in it. */
static int check_block(moult_conformance *self, int32_t area, uint32_t start, uint32_t end) {
  uint32_t size = conformance_size(self, area);
  if (end <= start) return conformance_broken_at(self, area, start, "flash_block_end is not behind the offset");
  if (end > size) return conformance_broken_at(self, area, start, "flash_block_end is behind the end of the area");
  if ((end - start) % conformance_unit(self, area) != 0)
    return conformance_broken_at(self, area, start, "the erase block is no multiple of the write unit");
  if (conformance_block_end(self, area, end - 1) != end || conformance_block_end(self, area, start + (end - start) / 2) != end)
    return conformance_broken_at(self, area, start, "flash_block_end differs inside of one erase block");
  return 1;
}

static int check_blocks(moult_conformance *self, int32_t area) {
  uint32_t size = conformance_size(self, area);
  uint32_t blocks = 0;
  for (uint32_t start = 0; start < size && blocks < MOST_BLOCKS; blocks++) {
    uint32_t end = conformance_block_end(self, area, start);
    if (!check_block(self, area, start, end)) return 0;
    start = end;
  }
  conformance_note_area(self, area, "erase blocks", blocks, "");
  if ((area == MOULT_AREA_JOURNAL || area == MOULT_AREA_LOG) && blocks < 2)
    return conformance_broken_at(self, area, 0, "the area has fewer than two erase blocks");
  return 1;
}

static int check_area(moult_conformance *self, int32_t area) {
  uint32_t size = conformance_size(self, area);
  if (size == 0) return 1;
  conformance_note_area(self, area, "size", size, "B");
  if (conformance_size(self, area) != size) return conformance_broken_at(self, area, 0, "flash_size is another one each time");
  return check_unit(self, area) && check_blocks(self, area);
}

/* Both banks, and both slots of each component. */
static int check_pair(moult_conformance *self, int32_t one) {
  if (conformance_size(self, one) == conformance_size(self, one + 1)) return 1;
  return conformance_broken_at(self, one, 0, "the area after it, which goes with it, has another size");
}

int conformance_check_layout(moult_conformance *self) {
  static const int32_t needed[] = {MOULT_AREA_STORE_A, MOULT_AREA_STORE_B, MOULT_AREA_JOURNAL, MOULT_AREA_SLOT_A,
                                   MOULT_AREA_SLOT_B};
  int whole = 1;
  for (uint32_t i = 0; i < sizeof needed / sizeof *needed; i++)
    if (!conformance_has(self, needed[i])) whole = conformance_broken_at(self, needed[i], 0, "there is no such area");
  for (int32_t area = 0; area < (int32_t)MOULT_CONFORMANCE_AREAS; area++) whole &= check_area(self, area);
  whole &= check_pair(self, MOULT_AREA_STORE_A) & check_pair(self, MOULT_AREA_SLOT_A);
  for (int32_t area = 10; area < (int32_t)MOULT_CONFORMANCE_AREAS; area += 2) whole &= check_pair(self, area);
  return whole;
}
