/*
 * The conformance program and a board in memory with one defect: `conformance_test [DEFECT]`. Its flash behaves like a
 * NOR chip in pages of 256 bytes; a reset is a new turn of the loop, and loses what the board has in variables. Prints
 * what the program says; the exit status is its verdict. `conformance_test list` prints the names of the defects.
 */
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "conformance.h"
#include "sha256.h"

#define DEFECTS(X)                                                                                                    \
  X(NONE) X(READ_ALIGNED) X(READ_SHORT_AT_END) X(READ_ROUNDS_UP) X(READ_COUNTS) X(READ_STOPS_AT_BLOCK)                 \
  X(WRITE_WRAPS_IN_PAGE) X(WRITE_STOPS_AT_BLOCK) X(WRITE_NOTHING) X(WRITE_DROPS_LAST_UNIT) X(WRITE_PADS)               \
  X(WRITE_ALIGNS_SOURCE) X(WRITE_BUFFERED) X(WRITE_FAILS) X(ERASE_NOTHING) X(ERASE_ONE_BLOCK) X(ERASE_SECTOR)          \
  X(ERASE_TO_END) X(ERASE_SHORT) X(ERASED_VALUE) X(ERASED_ODD) X(UNIT_ODD) X(UNIT_HIGH_BITS) X(ADDRESS_LINE)           \
  X(AREAS_OVERLAP) X(SIZE_GROWS) X(SLOTS_DIFFER) X(AREA_MISSING) X(JOURNAL_OF_ONE_BLOCK) X(BLOCK_END_OFF_BY_ONE)       \
  X(BLOCK_END_BACK) X(BLOCK_END_BEYOND) X(COUNTER_HALF) X(COUNTER_FALLS) X(COUNTER_FORGETS) X(COUNTER_LIES)            \
  X(ENTROPY_CONSTANT) X(ENTROPY_SEEDED) X(ENTROPY_SHORT) X(ENTROPY_BEYOND) X(CLOCK_STANDS) X(CLOCK_BACKWARDS)          \
  X(HASH_ALIGNED) X(HASH_WRONG) X(SELECT_AT_ONCE) X(SELECT_FOR_GOOD) X(SELECT_NOTHING) X(SELECT_BUFFERED)              \
  X(CONFIRM_NOTHING) X(CONFIRM_STAYS_ON_TRIAL) X(REVERT_NOTHING) X(REVERT_FAILS_TWICE) X(TRIAL_ENDLESS)                \
  X(TRIAL_ENDS_ELSEWHERE) X(BOOT_MISSING)

enum defect {
#define X(name) name,
  DEFECTS(X)
#undef X
};

static const char *const names[] = {
#define X(name) #name,
    DEFECTS(X)
#undef X
};

static enum defect defect;

/* ---- the chip ---- */

#define KIB 1024u
#define CHIP (256 * KIB)
#define PAGE 256u
#define UNIT 4u

struct place {
  uint32_t start, blocks, block;
};

static struct place places[24] = {
    [0] = {0, 4, KIB},           [1] = {4 * KIB, 4, KIB},         [2] = {8 * KIB, 2, KIB},
    [3] = {16 * KIB, 20, 4 * KIB}, [4] = {96 * KIB, 20, 4 * KIB}, [5] = {176 * KIB, 2, KIB},
    [6] = {178 * KIB, 2, KIB},   [10] = {180 * KIB, 3, KIB},      [11] = {183 * KIB, 3, KIB},
};

static uint8_t chip[CHIP];
/* A write that is kept back until the next operation. */
static uint8_t kept[4 * KIB];
static uint32_t kept_at, kept_length;

static uint32_t size_of(int32_t area) { return places[area].blocks * places[area].block; }

static uint8_t *at(int32_t area, uint32_t offset) {
  uint32_t address = places[area].start + offset;
  if (defect == ADDRESS_LINE && area == 4) address &= ~0x8000u;
  return chip + address;
}

static void program(uint8_t *to, const uint8_t *from, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) to[i] &= from[i];
}

static void flush(void) {
  program(chip + kept_at, kept, kept_length);
  kept_length = 0;
}

static int32_t flash_read(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  (void)user;
  if (defect == READ_ALIGNED) offset &= ~3u;
  if (defect == READ_SHORT_AT_END && length > 0 && offset + length == size_of(area)) length--;
  if (defect == READ_STOPS_AT_BLOCK && area == 4 && length > 0 && offset / (4 * KIB) != (offset + length - 1) / (4 * KIB))
    length = 4 * KIB - offset % (4 * KIB);
  if (defect == READ_ROUNDS_UP) length = (length + 3) & ~3u;
  flush();
  memcpy(to, at(area, offset), length);
  return defect == READ_COUNTS ? (int32_t)length : 0;
}

/* Byte by byte into one page, and around in it. */
static void program_wrapping(int32_t area, uint32_t offset, const uint8_t *from, uint32_t length) {
  uint32_t page = offset / PAGE * PAGE;
  for (uint32_t i = 0; i < length; i++) program(at(area, page + (offset + i) % PAGE), from + i, 1);
}

static int32_t flash_write(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  static const uint8_t zeros[8];
  const uint8_t *bytes = from;
  uint32_t block = places[area].block;
  (void)user;
  flush();
  if (defect == WRITE_NOTHING) return 0;
  if (defect == WRITE_FAILS && offset + length == size_of(area)) return -5;
  if (defect == WRITE_DROPS_LAST_UNIT && length > UNIT) length -= UNIT;
  if (defect == WRITE_STOPS_AT_BLOCK && offset % block + length > block) length = block - offset % block;
  if (defect == WRITE_PADS && length % 8 != 0) program(at(area, offset + length), zeros, UNIT);
  if (defect == WRITE_ALIGNS_SOURCE) bytes -= (uintptr_t)bytes & 3;
  if (defect == WRITE_BUFFERED) {
    memcpy(kept, bytes, length);
    kept_at = (uint32_t)(at(area, offset) - chip);
    kept_length = length;
  } else if (defect == WRITE_WRAPS_IN_PAGE) {
    program_wrapping(area, offset, bytes, length);
  } else {
    program(at(area, offset), bytes, length);
  }
  return 0;
}

static int32_t flash_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  uint32_t block = places[area].block;
  (void)user;
  flush();
  if (defect == ERASE_NOTHING) return 0;
  if (defect == ERASE_ONE_BLOCK && length > block) length = block;
  if (defect == ERASE_SHORT && length >= 64 * KIB) length -= block;
  if (defect == ERASE_TO_END) length = size_of(area) - offset;
  if (defect == ERASE_SECTOR) {
    length += offset % (2 * block);
    offset -= offset % (2 * block);
  }
  memset(at(area, offset), defect == ERASED_VALUE && area == 4 ? 0xfe : 0xff, length);
  return 0;
}

static uint32_t flash_size(void *user, int32_t area) {
  static uint32_t grown;
  (void)user;
  if (defect == SIZE_GROWS && area == 2) return size_of(area) - (grown ^= KIB);
  if (defect == AREA_MISSING && area == 2) return 0;
  if (defect == JOURNAL_OF_ONE_BLOCK && area == 2) return KIB;
  if (defect == SLOTS_DIFFER && area == 4) return 64 * KIB;
  return size_of(area);
}

static uint32_t flash_block_end(void *user, int32_t area, uint32_t offset) {
  uint32_t block = places[area].block;
  (void)user;
  if (defect == BLOCK_END_OFF_BY_ONE && area == 3 && offset % block == block - 1) return offset + 1 + block;
  if (defect == BLOCK_END_BACK && area == 3) return offset / block * block;
  if (defect == BLOCK_END_BEYOND && area == 3 && offset / block == 19) return 21 * block;
  return (offset / block + 1) * block;
}

static uint32_t flash_unit(void *user, int32_t area) {
  (void)user;
  if (defect == ERASED_ODD && area == 1) return 0x7f0000u | UNIT;
  if (defect == UNIT_ODD && area == 1) return 0xff0003u;
  if (defect == UNIT_HIGH_BITS && area == 1) return 0xffff0000u | UNIT;
  return 0xff0000u | UNIT;
}

/* ---- the rest of the board ---- */

static uint32_t counter = 7;
static uint32_t counter_after_reset = 7;

static int32_t counter_read(void *user) {
  (void)user;
  return (int32_t)counter;
}

static int32_t counter_advance(void *user, uint32_t value) {
  (void)user;
  if (defect == COUNTER_LIES) return 0;
  if (value > counter || defect == COUNTER_FALLS) counter = value;
  if (defect != COUNTER_FORGETS) counter_after_reset = counter;
  return 0;
}

static uint32_t noise = 1;

static int32_t entropy(void *user, void *to, uint32_t length) {
  uint8_t *bytes = to;
  (void)user;
  if (defect == ENTROPY_SHORT) length--;
  if (defect == ENTROPY_BEYOND) length++;
  for (uint32_t i = 0; i < length; i++) {
    noise = noise * 1664525u + 1013904223u;
    bytes[i] = (uint8_t)(defect == ENTROPY_CONSTANT ? i * 37u : noise >> 24);
  }
  return 0;
}

static uint32_t now;

static uint32_t milliseconds(void *user) {
  (void)user;
  if (defect == CLOCK_STANDS) return 1;
  return defect == CLOCK_BACKWARDS ? now-- : now++;
}

static int32_t sha256_compress(void *user, uint32_t *state, const void *block) {
  const uint8_t *bytes = block;
  if (defect == HASH_ALIGNED) bytes -= (uintptr_t)bytes & 3;
  int32_t result = moult_sha256_compress(user, state, bytes);
  if (defect == HASH_WRONG) state[7] ^= 1;
  return result;
}

/* ---- the boot decision: that of host/device/boot.c, bent ---- */

static moult_boot boot;
static const moult_port port;
/* A decision that a board keeps in a variable for too long. */
static int32_t selected = -1;
static int reverted;

static int32_t boot_state(void *user) {
  (void)user;
  return boot.state;
}

static int32_t boot_select(void *user, int32_t slots) {
  (void)user;
  if (defect == SELECT_NOTHING) return 0;
  if (defect == SELECT_AT_ONCE) boot.state = slots | 0x100;
  if (defect == SELECT_BUFFERED) {
    selected = slots;
    return 0;
  }
  if (defect != SELECT_FOR_GOOD) return moult_boot_select(&boot, slots);
  int32_t running = boot.state;
  boot.state = slots;
  int32_t status = moult_boot_confirm(&boot);
  boot.state = running;
  return status;
}

static int32_t boot_confirm(void *user) {
  (void)user;
  if (defect == CONFIRM_NOTHING) {
    boot.state &= 0xff;
    return 0;
  }
  int32_t status = moult_boot_confirm(&boot);
  if (defect == CONFIRM_STAYS_ON_TRIAL) boot.state |= 0x100;
  return status;
}

static int32_t boot_revert(void *user) {
  (void)user;
  if (defect == REVERT_NOTHING) return 0;
  if (defect == REVERT_FAILS_TWICE && reverted) return -1;
  reverted = 1;
  return moult_boot_revert(&boot);
}

static const moult_port port = {
    .flash_read = flash_read,
    .flash_write = flash_write,
    .flash_erase = flash_erase,
    .flash_size = flash_size,
    .flash_block_end = flash_block_end,
    .flash_unit = flash_unit,
    .counter_read = counter_read,
    .counter_advance = counter_advance,
    .boot_state = boot_state,
    .boot_select = boot_select,
    .boot_confirm = boot_confirm,
    .boot_revert = boot_revert,
    .milliseconds = milliseconds,
    .entropy = entropy,
    .sha256_compress = sha256_compress,
};

/* What is in variables is gone. */
static void reset(void) {
  kept_length = 0;
  counter = counter_after_reset;
  selected = -1;
  reverted = 0;
  if (defect == ENTROPY_SEEDED) noise = 1;
  if (moult_boot_start(&boot, &port, NULL) < 0) printf("no boot decision\n");
  /* Two ways in which a trial does not end as it must. */
  if (defect == TRIAL_ENDLESS && boot.boots == 3) (void)moult_boot_select(&boot, (int32_t)boot.slots);
  if (defect == TRIAL_ENDS_ELSEWHERE && boot.boots == 2) (void)moult_boot_confirm(&boot);
}

static void say(void *user, const char *line) {
  (void)user;
  printf("%s\n", line);
}

static int list(void) {
  for (size_t i = 1; i < sizeof names / sizeof *names; i++) printf("%s\n", names[i]);
  return 0;
}

int main(int count, char **arguments) {
  moult_port used = port;
  moult_conformance test = {.port = &used, .say = say, .image_length = 10001, .raise_counter = 1};
  int32_t verdict = MOULT_CONFORMANCE_RESET;
  if (count > 1 && strcmp(arguments[1], "list") == 0) return list();
  for (size_t i = 0; count > 1 && i < sizeof names / sizeof *names; i++)
    if (strcmp(arguments[1], names[i]) == 0) defect = (enum defect)i;
  memset(chip, 0xff, sizeof chip);
  memset(at(3, 0), 0x5a, 10001); /* the program that runs */
  if (defect == AREAS_OVERLAP) places[2].start = 100 * KIB;
  if (defect == COUNTER_HALF) used.counter_advance = NULL;
  if (defect == BOOT_MISSING) used.boot_revert = NULL;
  for (int starts = 0; starts < 100 && verdict == MOULT_CONFORMANCE_RESET; starts++) {
    reset();
    verdict = moult_conformance_run(&test);
  }
  if (verdict == MOULT_CONFORMANCE_PASSED && memcmp(at(4, 0), at(3, 0), 10001) != 0) printf("no image in the other slot\n");
  return verdict;
}
