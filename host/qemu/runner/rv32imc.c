/* QEMU's `virt`: under `-icount shift=0` minstret counts every instruction. */
#include "machine.h"

uint64_t machine_instructions(void) {
  uint32_t high, low, again;
  do {
    __asm__ volatile("csrr %0, minstreth\n csrr %1, minstret\n csrr %2, minstreth" : "=r"(high), "=r"(low), "=r"(again));
  } while (high != again);
  return (uint64_t)high << 32 | low;
}
