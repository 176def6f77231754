/*
 * The chip that ESP-IDF's calls are faked on: 4 MB of NOR flash in a file, with the partition table in it, and behind them
 * eFuses. Everything that changes it takes steps, and the power fails when they are used up.
 */
#ifndef FAKE_CHIP_H
#define FAKE_CHIP_H

#include <stdint.h>

#include "esp_partition.h"

#define CHIP_FLASH (4u << 20)
#define CHIP_SECTOR 4096u

/* How a process ends that is the chip between two resets. */
enum chip_end { CHIP_DONE = 0, CHIP_FAILED = 1, CHIP_RESET = 70, CHIP_NO_POWER = 71 };

/*
 * Once, before the processes that are the chip between two resets. `path` has CHIP_FLASH bytes and one sector for eFuses;
 * `trace`, unless NULL, gets a line for each operation: what, where, how long, and the steps before it.
 */
void chip_open(const char *path, const char *trace);

/* The power fails in the step behind so many; negative: never. */
void chip_cut_after(int64_t steps);

/* A slot's image, or anything else that is wrong with a test, ends the process with CHIP_FAILED. */
void chip_fail(const char *what) __attribute__((noreturn));

void chip_read(uint32_t address, void *to, uint32_t length);
/* Bits only fall, and a unit of four bytes is one step; a torn one has every other bit of what was to fall. */
void chip_write(uint32_t address, const void *from, uint32_t length);
/* Whole sectors; each takes three steps: it is untouched, garbled, half erased. */
void chip_erase(uint32_t address, uint32_t length);

uint32_t chip_secure_version(void);
/* Unary: a step a bit. */
void chip_burn_secure_version(uint32_t version);

/* ---- system.c ---- */

/* How many times as fast as others the timer runs: 1. */
extern int chip_hurry;

/* ---- ota.c ---- */

/* The bootloader, with rollback: decides, and sets what esp_ota_get_running_partition says. NULL: nothing boots. */
const esp_partition_t *chip_boot(void);

/* The length of an application image that is whole and may run; 0: it is not. */
uint32_t chip_image_length(const esp_partition_t *partition);

#endif
