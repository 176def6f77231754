/*
 * NOR flash in a file, area after area, with its geometry beside it (PATH.json): the same two files as
 * host/node/flash.ts keeps, byte for byte, so either host can run the device.
 *
 * Written through: when an operation has returned, the file holds it, and has been handed to the disk. A write goes
 * to the file unit by unit and an erase in pieces, in rising order, so a process that is killed in one leaves it half
 * done, as a power cut does. What a kill does not leave: a unit of which some bits are programmed, or a block that
 * was erased to something else. The simulator has those (sim/power.ts).
 */
#ifndef MOULT_POSIX_FLASHFILE_H
#define MOULT_POSIX_FLASHFILE_H

#include "geometry.h"

typedef struct flash_file {
  const char *path;
  int file;
  /* A failed operation has been told of: one line is enough. */
  int told;
  geometry geometry;
} flash_file;

/*
 * Opens the flash at `path`. Where nothing is there it makes a new, erased one. Ends the process when the files are
 * not whole or do not belong together.
 */
void flash_open(flash_file *flash, const char *path);

/* As moult.h has them; also for area 5, the boot record. An operation that NOR flash does not have ends the process. */
int32_t flash_read(flash_file *flash, int32_t number, uint32_t offset, void *to, uint32_t length);
int32_t flash_write(flash_file *flash, int32_t number, uint32_t offset, const void *from, uint32_t length);
int32_t flash_erase(flash_file *flash, int32_t number, uint32_t offset, uint32_t length);

#endif
