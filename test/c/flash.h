/*
 * NOR flash and a boot decision in memory, for tests of the shim: the board behind moult_port, with faults
 * that a test switches on. 4 KiB blocks, units of 4 bytes, erased to 0xFF: as test/host/shim.test.ts writes it.
 */
#ifndef MOULT_TEST_FLASH_H
#define MOULT_TEST_FLASH_H

#include <stdint.h>

#include "moult.h"

#define BLOCK 4096u
#define UNIT 4u
#define AREAS 5u
#define BANK (8 * BLOCK)
#define JOURNAL (2 * BLOCK)
#define SLOT (16 * BLOCK)
#define FLASH_BYTES (2 * BANK + JOURNAL + 2 * SLOT)

enum lie {
  HONEST,
  READS_NOTHING,   /* says that it has read */
  WRITES_NOTHING,  /* says that it has written */
  ERASES_NOTHING,  /* says that it has erased */
  WRITES_WRONG,    /* one bit is lost */
  READ_FAILS,
  WRITE_FAILS,
  ERASE_FAILS,
  ODD_RESULTS,     /* results that the contract does not have */
  SIZE_HUGE,
  SIZE_NONE,
  BLOCK_END_BACK,  /* not beyond the offset */
  BLOCK_END_FAR,
  UNIT_ODD,
  BOOT_ODD,
  BOOT_FAILS,
  ENTROPY_FAILS,
  LIES
};

typedef struct board {
  uint8_t flash[FLASH_BYTES];
  enum lie lie;
  int32_t slot;
  uint32_t now;
  /* How far the clock goes on with each look at it, in milliseconds. */
  uint32_t tick;
  /* Called from within flash_read when set. */
  void (*intrude)(void);
  /* Whether it hashes blocks for the core, and how often it was asked. */
  int hashes;
  uint32_t blocks;
  /* Random bytes that were asked for. */
  uint32_t random;
} board;

extern const moult_port board_port;

#endif
