#include "chip.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT 4u

static uint8_t *flash;
static FILE *trace;

/* Outlives the processes between two resets. */
static struct {
  /* Steps until the power fails; negative: never. */
  int64_t left;
  uint64_t taken;
} *power;

void chip_fail(const char *what) {
  fprintf(stderr, "chip: %s\n", what);
  exit(CHIP_FAILED);
}

static void *map(int file, size_t length) {
  int flags = file < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
  void *mapped = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, file, 0);
  if (mapped == MAP_FAILED) chip_fail("no memory");
  return mapped;
}

void chip_open(const char *path, const char *trace_path) {
  struct stat about;
  int file = open(path, O_RDWR);
  if (file < 0 || fstat(file, &about) != 0 || about.st_size != CHIP_FLASH + CHIP_SECTOR) chip_fail("no flash");
  flash = map(file, CHIP_FLASH + CHIP_SECTOR);
  power = map(-1, sizeof *power);
  power->left = -1;
  if (trace_path != NULL && (trace = fopen(trace_path, "a")) == NULL) chip_fail("no trace");
}

void chip_cut_after(int64_t steps) { power->left = steps; }

/* 1: the power fails now. */
static int fails(void) {
  power->taken++;
  return power->left >= 0 && power->left-- == 0;
}

static void note(const char *what, uint32_t address, uint32_t length) {
  if (trace == NULL) return;
  fprintf(trace, "%s %u %u %llu\n", what, address, length, (unsigned long long)power->taken);
  fflush(trace);
}

void chip_read(uint32_t address, void *to, uint32_t length) {
  if (address > CHIP_FLASH || length > CHIP_FLASH - address) chip_fail("a read outside of the flash");
  memcpy(to, flash + address, length);
}

void chip_write(uint32_t address, const void *from, uint32_t length) {
  const uint8_t *next = from;
  if (address > CHIP_FLASH || length > CHIP_FLASH - address) chip_fail("a write outside of the flash");
  for (uint32_t i = 0; i < length; i++)
    if (flash[address + i] != 0xff) chip_fail("written twice without an erase");
  note("write", address, length);
  for (uint32_t done = 0; done < length; done += UNIT) {
    int torn = fails();
    for (uint32_t i = done; i < done + UNIT && i < length; i++) flash[address + i] = torn ? next[i] | 0x55 : next[i];
    if (torn) _exit(CHIP_NO_POWER);
  }
}

void chip_erase(uint32_t address, uint32_t length) {
  if (address % CHIP_SECTOR != 0 || length % CHIP_SECTOR != 0) chip_fail("an erase of no whole sectors");
  if (address > CHIP_FLASH || length > CHIP_FLASH - address) chip_fail("an erase outside of the flash");
  note("erase", address, length);
  for (uint8_t *sector = flash + address; sector < flash + address + length; sector += CHIP_SECTOR) {
    if (fails()) _exit(CHIP_NO_POWER);
    for (uint32_t i = 0; i < CHIP_SECTOR; i++) sector[i] |= 0xaa;
    if (fails()) _exit(CHIP_NO_POWER);
    memset(sector, 0xff, CHIP_SECTOR / 2);
    if (fails()) _exit(CHIP_NO_POWER);
    memset(sector, 0xff, CHIP_SECTOR);
  }
}

uint32_t chip_secure_version(void) {
  uint32_t bits;
  memcpy(&bits, flash + CHIP_FLASH, sizeof bits);
  return (uint32_t)__builtin_popcount(bits);
}

void chip_burn_secure_version(uint32_t version) {
  for (uint32_t bit = 0; bit < version && bit < 32; bit++) {
    uint32_t bits;
    memcpy(&bits, flash + CHIP_FLASH, sizeof bits);
    if ((bits >> bit & 1) != 0) continue;
    note("fuse", bit, 0);
    if (fails()) _exit(CHIP_NO_POWER);
    bits |= 1u << bit;
    memcpy(flash + CHIP_FLASH, &bits, sizeof bits);
  }
}
