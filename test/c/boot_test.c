/*
 * The boot record in C, and MCUboot's trailers, against a record of what host/node/boot.ts and host/node/mcuboot.ts do: a
 * script on standard input, written by test/host/device-boot.test.ts and device-mcuboot.test.ts, one command a line:
 *
 *   flash UNIT ERASED BLOCK…   new flash, erased
 *   slots COUNT BLOCK RESERVED   behind it two slots of so many blocks: from here on the trailers decide
 *   load HEX   the flash has these bytes now
 *   start|select SLOT|confirm|revert RESULT STATE CRC   the call returns this, moult_boot_state that, the flash has this CRC
 *   cut OPERATION HEX   power is lost in so many writes and erases from now, and leaves these bytes; the next call ends so
 *   fail|lie   in the next call writes and erases fail, or writes program something else
 *   deaf 1|0   reads fail, or work again
 *   continue   from here on the decision is in the hands of the image that was started
 *
 * Ends with 0, or 1 and a line that says what was not as it must be.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "crc32.h"
#include "mcuboot.h"

#define MOST_BYTES 2048u
#define NEVER 0xffffffffu

static struct {
  uint8_t bytes[MOST_BYTES];
  uint32_t size;
  /* Of the boot area; the slots lie behind it. */
  uint32_t boot_size;
  uint32_t ends[16];
  uint32_t slot_size, slot_block, reserved;
  uint32_t unit;
  uint8_t erased;
  int deaf;
  int fails, lies;
  uint32_t operations, cut_at;
  uint8_t after_cut[MOST_BYTES];
} chip;

static unsigned line;
static jmp_buf power_lost;

static void require(int holds, const char *what, long is, long wanted) {
  if (holds) return;
  printf("line %u: %s: %ld instead of %ld\n", line, what, is, wanted);
  exit(1);
}

static uint32_t flash_size(void *user, int32_t area) {
  (void)user;
  if (area == MOULT_BOOT_AREA) return chip.boot_size;
  return area == MOULT_AREA_SLOT_A || area == MOULT_AREA_SLOT_B ? chip.slot_size : 0;
}

/* Where a range of an area lies. */
static uint8_t *bytes_at(int32_t area, uint32_t offset, uint32_t length) {
  uint32_t size = flash_size(NULL, area);
  require(offset <= size && length <= size - offset, "a range in the area", (long)offset, (long)size);
  uint32_t slot = area == MOULT_BOOT_AREA ? 0 : (uint32_t)(area - MOULT_AREA_SLOT_A) * chip.slot_size;
  return chip.bytes + (area == MOULT_BOOT_AREA ? 0 : chip.boot_size + slot) + offset;
}

static int32_t flash_read(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  (void)user;
  const uint8_t *from = bytes_at(area, offset, length);
  if (chip.deaf) return -1;
  memcpy(to, from, length);
  return 0;
}

/* Counts an operation, unless it fails. 0: it does. */
static int operates(void) {
  if (chip.fails) return 0;
  if (chip.operations++ != chip.cut_at) return 1;
  memcpy(chip.bytes, chip.after_cut, chip.size);
  longjmp(power_lost, 1);
}

static int32_t flash_write(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  (void)user;
  uint8_t *to = bytes_at(area, offset, length);
  require(offset % chip.unit == 0 && length % chip.unit == 0, "whole units", (long)length, (long)chip.unit);
  for (uint32_t i = 0; i < length; i++) require(to[i] == chip.erased, "written once", to[i], chip.erased);
  if (!operates()) return -1;
  memcpy(to, from, length);
  if (chip.lies) *to = chip.erased;
  return 0;
}

static uint32_t block_end(void *user, int32_t area, uint32_t offset) {
  uint32_t block = 0;
  (void)user;
  require(offset < flash_size(NULL, area), "an offset in the area", (long)offset, (long)flash_size(NULL, area));
  if (area != MOULT_BOOT_AREA) return (offset / chip.slot_block + 1) * chip.slot_block;
  while (chip.ends[block] <= offset) block++;
  return chip.ends[block];
}

/* From the boot area one block, from a slot any. */
static int32_t flash_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  uint32_t end = offset;
  while (end < offset + length && (end == offset || area != MOULT_BOOT_AREA)) end = block_end(user, area, end);
  require(end == offset + length, "whole blocks", (long)offset, (long)length);
  if (!operates()) return -1;
  memset(bytes_at(area, offset, length), chip.erased, length);
  return 0;
}

static uint32_t flash_unit(void *user, int32_t area) {
  (void)user;
  (void)area;
  return (uint32_t)chip.erased << 16 | chip.unit;
}

static const moult_port port = {
    .flash_read = flash_read,
    .flash_write = flash_write,
    .flash_erase = flash_erase,
    .flash_size = flash_size,
    .flash_block_end = block_end,
    .flash_unit = flash_unit,
};

static void plan_nothing(void) {
  chip.operations = 0;
  chip.cut_at = NEVER;
  chip.fails = chip.lies = 0;
}

static long number(char **rest) { return strtol(*rest, rest, 10); }

static void new_flash(char *rest) {
  memset(&chip, 0, sizeof chip);
  chip.unit = (uint32_t)number(&rest);
  chip.erased = (uint8_t)number(&rest);
  for (int block = 0; *rest != '\n' && block < 16; block++) {
    chip.boot_size += (uint32_t)number(&rest);
    chip.ends[block] = chip.boot_size;
  }
  chip.size = chip.boot_size;
  require(chip.size <= MOST_BYTES, "a small flash", (long)chip.size, (long)MOST_BYTES);
  memset(chip.bytes, chip.erased, chip.size);
  plan_nothing();
}

static void new_slots(char *rest) {
  uint32_t count = (uint32_t)number(&rest);
  chip.slot_block = (uint32_t)number(&rest);
  chip.reserved = (uint32_t)number(&rest);
  chip.slot_size = count * chip.slot_block;
  chip.size = chip.boot_size + 2 * chip.slot_size;
  require(chip.size <= MOST_BYTES, "a small flash", (long)chip.size, (long)MOST_BYTES);
  memset(chip.bytes, chip.erased, chip.size);
}

static void parse(const char *hex, uint8_t *to) {
  for (uint32_t i = 0; i < chip.size; i++) {
    char digits[3] = {hex[1 + 2 * i], hex[2 + 2 * i], 0};
    to[i] = (uint8_t)strtol(digits, NULL, 16);
  }
}

static void plan_cut(char *rest) {
  chip.cut_at = chip.operations + (uint32_t)number(&rest);
  parse(rest, chip.after_cut);
}

static moult_boot boot;
static moult_mcuboot mcuboot;

static int32_t state(void) { return chip.reserved > 0 ? moult_mcuboot_state(&mcuboot) : moult_boot_state(&boot); }

static int32_t call_mcuboot(const char *name, char **rest) {
  if (strcmp(name, "start") == 0) return moult_mcuboot_start(&mcuboot, &port, NULL, chip.reserved);
  if (strcmp(name, "select") == 0) return moult_mcuboot_select(&mcuboot, (int32_t)number(rest));
  if (strcmp(name, "confirm") == 0) return moult_mcuboot_confirm(&mcuboot);
  require(strcmp(name, "revert") == 0, "a command", 0, 0);
  return moult_mcuboot_revert(&mcuboot);
}

static int32_t call(const char *name, char **rest) {
  if (chip.reserved > 0) return call_mcuboot(name, rest);
  if (strcmp(name, "start") == 0) return moult_boot_start(&boot, &port, NULL);
  if (strcmp(name, "select") == 0) return moult_boot_select(&boot, (int32_t)number(rest));
  if (strcmp(name, "confirm") == 0) return moult_boot_confirm(&boot);
  require(strcmp(name, "revert") == 0, "a command", 0, 0);
  return moult_boot_revert(&boot);
}

/* A call, and what must come of it. */
static void check_call(const char *name, char *rest) {
  if (setjmp(power_lost) != 0) {
    plan_nothing();
    return;
  }
  int32_t result = call(name, &rest);
  require(chip.cut_at == NEVER, "the power is lost in this call", result, 0);
  long wanted = number(&rest);
  require(result == wanted, name, result, wanted);
  long runs = number(&rest);
  if (result >= 0) require(state() == runs, "what runs", state(), runs);
  uint32_t crc = (uint32_t)strtoul(rest, NULL, 10);
  require(moult_crc32(0, chip.bytes, chip.size) == crc, "the bytes on flash", moult_crc32(0, chip.bytes, chip.size), crc);
  chip.fails = chip.lies = 0;
}

/* An image that a bootloader has started goes on with the same decision, and counts nothing. */
static void check_continue(void) {
  moult_boot image;
  uint32_t before = chip.operations;
  if (chip.deaf) return;
  int32_t continues = moult_boot_continue(&image, &port, NULL, state());
  require(continues == state(), "the image continues", continues, state());
  require(chip.operations == before, "it writes nothing", chip.operations, before);
  boot = image;
}

static void obey(char *text) {
  char name[16];
  int used = 0;
  require(sscanf(text, "%15s%n", name, &used) == 1, "a command", 0, 0);
  char *rest = text + used;
  if (strcmp(name, "flash") == 0) new_flash(rest);
  else if (strcmp(name, "slots") == 0) new_slots(rest);
  else if (strcmp(name, "load") == 0) parse(rest, chip.bytes);
  else if (strcmp(name, "cut") == 0) plan_cut(rest);
  else if (strcmp(name, "fail") == 0) chip.fails = 1;
  else if (strcmp(name, "lie") == 0) chip.lies = 1;
  else if (strcmp(name, "deaf") == 0) chip.deaf = (int)number(&rest);
  else if (strcmp(name, "continue") == 0) check_continue();
  else check_call(name, rest);
}

int main(void) {
  static char text[2 * MOST_BYTES + 64];
  while (fgets(text, sizeof text, stdin) != NULL) {
    line++;
    obey(text);
  }
  printf("%u lines\n", line);
  return line == 0;
}
