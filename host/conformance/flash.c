/* What the flash callbacks do, area by area. */
#include <string.h>

#include "checks.h"

#define PIECE MOULT_CONFORMANCE_PIECE
/* What the core erases at most in one call, where blocks are smaller, and on whose boundaries. */
#define ERASE_STEP 65536u
#define GUARD 0xa5

/* An erase block. */
typedef struct block {
  uint32_t start;
  uint32_t end;
} block;

static block block_at(const moult_conformance *self, int32_t area, uint32_t start) {
  return (block){start, conformance_block_end(self, area, start)};
}

/* The block that holds `offset`. */
static block block_around(const moult_conformance *self, int32_t area, uint32_t offset) {
  block found = block_at(self, area, 0);
  while (found.end <= offset) found = block_at(self, area, found.end);
  return found;
}

static uint32_t least(uint32_t one, uint32_t other) { return one < other ? one : other; }

/* ---- single operations ---- */

int conformance_read(moult_conformance *self, int32_t area, uint32_t offset, uint32_t length) {
  (void)conformance_look_at_clock(self);
  return conformance_done(self, "flash_read", self->port->flash_read(self->user, area, offset, self->read, length));
}

int conformance_write(moult_conformance *self, int32_t area, uint32_t offset, uint32_t length) {
  (void)conformance_look_at_clock(self);
  return conformance_done(self, "flash_write", self->port->flash_write(self->user, area, offset, self->written, length));
}

/* `longest` rises to the milliseconds that it took. */
static int erase(moult_conformance *self, int32_t area, uint32_t from, uint32_t to, uint32_t *longest) {
  uint32_t began = conformance_look_at_clock(self);
  int32_t result = self->port->flash_erase(self->user, area, from, to - from);
  uint32_t took = conformance_look_at_clock(self) - began;
  if (took > *longest) *longest = took;
  return conformance_done(self, "flash_erase", result);
}

static int erase_block(moult_conformance *self, int32_t area, block of) {
  uint32_t longest = 0;
  return erase(self, area, of.start, of.end, &longest);
}

/* Where an erase of the core ends that begins at `from`. */
static uint32_t range_end(const moult_conformance *self, int32_t area, uint32_t from) {
  return conformance_block_end(self, area, least(conformance_size(self, area) - 1, from | (ERASE_STEP - 1)));
}

static int erase_all(moult_conformance *self, int32_t area, uint32_t *longest) {
  for (uint32_t from = 0, to; from < conformance_size(self, area); from = to) {
    to = range_end(self, area, from);
    if (!erase(self, area, from, to, longest)) return 0;
  }
  return 1;
}

int conformance_erase_area(moult_conformance *self, int32_t area) {
  uint32_t longest = 0;
  return erase_all(self, area, &longest);
}

/* ---- what lies there ---- */

/* A byte that is different in each area and at each offset, as far as a byte can be. */
static uint8_t pattern(int32_t area, uint32_t offset) {
  uint32_t mixed = (offset + 0x9e3779b9u * (uint32_t)(area + 1)) * 2654435761u;
  return (uint8_t)(mixed >> 24 ^ mixed >> 11);
}

/* From any alignment of the memory. */
static int write_pattern(moult_conformance *self, int32_t area, uint32_t offset, uint32_t length) {
  uint32_t shift = offset / conformance_unit(self, area) % 4;
  uint8_t *bytes = self->written + shift;
  for (uint32_t part; length > 0; offset += part, length -= part) {
    part = least(length, PIECE);
    for (uint32_t i = 0; i < part; i++) bytes[i] = pattern(area, offset + i);
    (void)conformance_look_at_clock(self);
    if (!conformance_done(self, "flash_write", self->port->flash_write(self->user, area, offset, bytes, part))) return 0;
  }
  return 1;
}

/* The pattern, or erased bytes. */
static int expect(moult_conformance *self, int32_t area, uint32_t offset, uint32_t length, int erased, const char *otherwise) {
  uint8_t empty = conformance_erased(self, area);
  for (uint32_t part; length > 0; offset += part, length -= part) {
    part = least(length, PIECE);
    if (!conformance_read(self, area, offset, part)) return 0;
    for (uint32_t i = 0; i < part; i++)
      if (self->read[i] != (erased ? empty : pattern(area, offset + i)))
        return conformance_broken_at(self, area, offset + i, otherwise);
  }
  return 1;
}

static int expect_pattern(moult_conformance *self, int32_t area, uint32_t from, uint32_t to, const char *otherwise) {
  return expect(self, area, from, to - from, 0, otherwise);
}

static int expect_erased(moult_conformance *self, int32_t area, uint32_t from, uint32_t to, const char *otherwise) {
  return expect(self, area, from, to - from, 1, otherwise);
}

#define NOT_WRITTEN "flash_write has not written what it was given"
#define WRITTEN_BESIDE "flash_write has changed what is beside the range"
#define NOT_ERASED "flash_erase has not erased all, or to another value than flash_unit says"
#define ERASED_BESIDE "flash_erase has changed what is beside the range"
#define NOT_READ "flash_read gives other bytes at another offset, length or alignment"

/* ---- checks of one area ---- */

/* Single units, of an erased block: in the middle, the first, the last. */
static int check_units(moult_conformance *self, int32_t area, block of) {
  uint32_t unit = conformance_unit(self, area);
  uint32_t units = (of.end - of.start) / unit;
  uint32_t middle = of.start + units / 2 * unit;
  uint32_t last = of.end - unit;
  if (units < 3) return 1;
  int whole = write_pattern(self, area, middle, unit) && expect_pattern(self, area, middle, middle + unit, NOT_WRITTEN) &&
              expect_erased(self, area, of.start, middle, WRITTEN_BESIDE) &&
              expect_erased(self, area, middle + unit, of.end, WRITTEN_BESIDE);
  whole = whole && write_pattern(self, area, of.start, unit) && write_pattern(self, area, last, unit);
  return whole && expect_pattern(self, area, of.start, of.start + unit, NOT_WRITTEN) &&
         expect_erased(self, area, of.start + unit, middle, WRITTEN_BESIDE) &&
         expect_pattern(self, area, middle, middle + unit, WRITTEN_BESIDE) &&
         expect_erased(self, area, middle + unit, last, WRITTEN_BESIDE) &&
         expect_pattern(self, area, last, of.end, NOT_WRITTEN);
}

/* One long write that begins and ends inside of pages; then the whole block, which stays. */
static int check_pages(moult_conformance *self, int32_t area, block of) {
  uint32_t unit = conformance_unit(self, area);
  uint32_t from = of.start + unit;
  uint32_t to = from + least(PIECE, (of.end - of.start) / unit / 2 * unit);
  if (!erase_block(self, area, of) || !expect_erased(self, area, of.start, of.end, NOT_ERASED)) return 0;
  int whole = write_pattern(self, area, from, to - from) && expect_pattern(self, area, from, to, NOT_WRITTEN) &&
              expect_erased(self, area, of.start, from, WRITTEN_BESIDE) &&
              expect_erased(self, area, to, of.end, WRITTEN_BESIDE);
  if (!whole || !erase_block(self, area, of)) return 0;
  uint32_t began = conformance_look_at_clock(self);
  whole = write_pattern(self, area, of.start, of.end - of.start);
  conformance_note_area(self, area, "writing one erase block takes", conformance_look_at_clock(self) - began, "ms");
  return whole && expect_pattern(self, area, of.start, of.end, NOT_WRITTEN);
}

/* One read of the pattern into memory of some alignment, with nothing written beside it. */
static int check_read(moult_conformance *self, int32_t area, uint32_t offset, uint32_t length, uint32_t shift) {
  memset(self->read, GUARD, sizeof self->read);
  int32_t result = self->port->flash_read(self->user, area, offset, self->read + 1 + shift, length);
  if (!conformance_done(self, "flash_read", result)) return 0;
  if (self->read[shift] != GUARD || self->read[1 + shift + length] != GUARD)
    return conformance_broken_at(self, area, offset, "flash_read writes beside the memory that it is given");
  for (uint32_t i = 0; i < length; i++)
    if (self->read[1 + shift + i] != pattern(area, offset + i)) return conformance_broken_at(self, area, offset, NOT_READ);
  return 1;
}

/* In a block that holds the pattern: at its start, at its end, off any boundary. */
static int check_reads(moult_conformance *self, int32_t area, block of) {
  static const uint32_t lengths[] = {0, 1, 2, 3, 5, 8, 31, 33, 257};
  for (uint32_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    uint32_t length = lengths[i];
    for (uint32_t shift = 0; shift < 4 && length + shift <= of.end - of.start; shift++) {
      if (!check_read(self, area, of.start + shift, length, (shift + i) % 4)) return 0;
      if (!check_read(self, area, of.end - length - shift, length, shift)) return 0;
    }
  }
  return 1;
}

/* One write that begins in one block and ends in the next. */
static int check_crossing(moult_conformance *self, int32_t area, block one, block other) {
  uint32_t unit = conformance_unit(self, area);
  uint32_t half = least(least(one.end - one.start, other.end - other.start), PIECE / 2) / unit * unit;
  if (!erase_block(self, area, one) || !erase_block(self, area, other)) return 0;
  return write_pattern(self, area, one.end - half, 2 * half) &&
         expect_pattern(self, area, one.end - half, other.start + half, "flash_write over the end of an erase block is not whole") &&
         expect_erased(self, area, one.start, one.end - half, WRITTEN_BESIDE) &&
         expect_erased(self, area, other.start + half, other.end, WRITTEN_BESIDE);
}

/* The first and the last unit of a block that is erased. */
static int mark(moult_conformance *self, int32_t area, block of) {
  uint32_t unit = conformance_unit(self, area);
  return write_pattern(self, area, of.start, unit) &&
         (of.end - unit == of.start || write_pattern(self, area, of.end - unit, unit));
}

static int expect_marks(moult_conformance *self, int32_t area, block of) {
  uint32_t unit = conformance_unit(self, area);
  return expect_pattern(self, area, of.start, of.start + unit, ERASED_BESIDE) &&
         expect_pattern(self, area, of.end - unit, of.end, ERASED_BESIDE);
}

/* The second of two or three blocks alone, then the first alone, then both at once. */
static int check_erases(moult_conformance *self, int32_t area, const block *blocks, uint32_t count) {
  uint32_t longest = 0;
  for (uint32_t i = 0; i < count; i++)
    if (!erase_block(self, area, blocks[i]) || !mark(self, area, blocks[i])) return 0;
  for (uint32_t i = 2; i-- > 0;) {
    if (!erase_block(self, area, blocks[i])) return 0;
    if (!expect_erased(self, area, blocks[i].start, blocks[i].end, NOT_ERASED)) return 0;
    if (!expect_marks(self, area, blocks[1 - i]) || (count > 2 && !expect_marks(self, area, blocks[2]))) return 0;
    if (!mark(self, area, blocks[i])) return 0;
  }
  return erase(self, area, blocks[0].start, blocks[1].end, &longest) &&
         expect_erased(self, area, blocks[0].start, blocks[1].end, "flash_erase of two blocks has not erased both") &&
         (count < 3 || expect_marks(self, area, blocks[2]));
}

/* From the second block on as far as one erase goes: as after a power cut, when the first block stays. */
static int check_range(moult_conformance *self, int32_t area, block first) {
  uint32_t longest = 0;
  uint32_t to = range_end(self, area, first.end);
  for (block of = {0, 0}; of.end < to;) {
    of = block_at(self, area, of.end);
    if (!erase_block(self, area, of) || !mark(self, area, of)) return 0;
  }
  return erase(self, area, first.end, to, &longest) && expect_erased(self, area, first.end, to, NOT_ERASED) &&
         expect_marks(self, area, first);
}

/* The next block of those around 0, 1, 2, 4, 8 … and the end; `step` is 0 before the first. 0: there is none. */
static int next_far(const moult_conformance *self, int32_t area, uint32_t *step, block *of) {
  uint32_t size = conformance_size(self, area);
  uint32_t after = *step == 0 ? 0 : of->end;
  while (*step < size) {
    *step = *step == 0 ? 1 : 2 * *step;
    *of = block_around(self, area, least(*step == 1 ? 0 : *step, size - 1));
    if (of->start >= after) return 1;
  }
  return 0;
}

/* Blocks far apart hold what was written to each of them: no address line is missing. */
static int check_addresses(moult_conformance *self, int32_t area) {
  block of = {0, 0};
  for (uint32_t step = 0; next_far(self, area, &step, &of);)
    if (!erase_block(self, area, of)) return 0;
  for (uint32_t step = 0; next_far(self, area, &step, &of);)
    if (!mark(self, area, of)) return 0;
  for (uint32_t step = 0; next_far(self, area, &step, &of);) {
    uint32_t unit = conformance_unit(self, area);
    if (!expect_pattern(self, area, of.start, of.start + unit, "two offsets are the same place of the flash")) return 0;
  }
  return 1;
}

/* Something in each block, so that it shows when they are erased, and when they are another area's too. */
static int dirty(moult_conformance *self, int32_t area) {
  uint8_t empty = conformance_erased(self, area);
  uint32_t unit = conformance_unit(self, area);
  for (block of = {0, 0}; of.end < conformance_size(self, area);) {
    of = block_at(self, area, of.end);
    if (!conformance_read(self, area, of.start, unit)) return 0;
    uint32_t used = 0;
    while (used < unit && self->read[used] == empty) used++;
    if (used == unit && !write_pattern(self, area, of.start, unit)) return 0;
  }
  return 1;
}

static int check_whole(moult_conformance *self, int32_t area) {
  uint32_t longest = 0;
  uint32_t began = conformance_look_at_clock(self);
  if (!dirty(self, area) || !erase_all(self, area, &longest)) return 0;
  uint32_t erased = conformance_look_at_clock(self);
  int whole = expect_erased(self, area, 0, conformance_size(self, area), NOT_ERASED);
  conformance_note_area(self, area, "erasing all of it takes", erased - began, "ms");
  conformance_note_area(self, area, "the longest call of flash_erase takes", longest, "ms");
  conformance_note_area(self, area, "reading all of it takes", conformance_look_at_clock(self) - erased, "ms");
  return whole;
}

static int check_area(moult_conformance *self, int32_t area) {
  block blocks[3] = {block_at(self, area, 0)};
  uint32_t size = conformance_size(self, area);
  uint32_t count = 1;
  for (; count < 3 && blocks[count - 1].end < size; count++) blocks[count] = block_at(self, area, blocks[count - 1].end);
  block last = block_around(self, area, size - 1);
  int whole = conformance_erase_area(self, area) && expect_erased(self, area, 0, size, NOT_ERASED) &&
              check_units(self, area, blocks[0]) && (last.start == 0 || check_units(self, area, last)) &&
              check_pages(self, area, last) && check_reads(self, area, last) && check_addresses(self, area);
  if (count > 1)
    whole = whole && check_crossing(self, area, blocks[0], blocks[1]) && check_erases(self, area, blocks, count) &&
            check_range(self, area, blocks[0]);
  return whole && check_whole(self, area) && dirty(self, area);
}

/* ---- areas beside one another ---- */

static int digest_of(moult_conformance *self, int32_t area, uint32_t *digest) {
  *digest = CONFORMANCE_NOTHING;
  for (uint32_t offset = 0, part; offset < conformance_size(self, area); offset += part) {
    part = least(conformance_size(self, area) - offset, PIECE);
    if (!conformance_read(self, area, offset, part)) return 0;
    *digest = conformance_digest(*digest, self->read, part);
  }
  return 1;
}

/* Every area holds what it did, but for the one that was written; 5 has none of this. */
static int check_others(moult_conformance *self, int32_t written) {
  int whole = 1;
  for (int32_t area = 0; area < (int32_t)MOULT_CONFORMANCE_AREAS; area++) {
    uint32_t digest = 0;
    if (!digest_of(self, area, &digest)) return 0;
    if (area != written && digest != self->digests[area])
      whole = conformance_broken_at(self, area, 0, "an operation on another area has changed this one");
    self->digests[area] = digest;
  }
  return whole;
}

/* Whether it is a slot that runs, as `running` has them. */
static int runs(int32_t area, int32_t running) {
  if (area == MOULT_AREA_SLOT_A || area == MOULT_AREA_SLOT_B) return (running & 1) == area - MOULT_AREA_SLOT_A;
  return area >= 10 && (running >> (area - 8) / 2 & 1) == (area & 1);
}

int conformance_check_flash(moult_conformance *self, int32_t running) {
  int whole = 1;
  for (int32_t area = 0; area < (int32_t)MOULT_CONFORMANCE_AREAS; area++)
    if (!digest_of(self, area, &self->digests[area])) return 0;
  for (int32_t area = 0; area < (int32_t)MOULT_CONFORMANCE_AREAS; area++)
    if (conformance_has(self, area) && !runs(area, running)) whole &= check_area(self, area) & check_others(self, area);
  return whole;
}
