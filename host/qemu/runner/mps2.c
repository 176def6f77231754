/*
 * Arm's MPS2: under `-icount shift=0` an instruction takes 1 ns, and the counter of the FPGA's I/O block rises with the clock
 * of the board: every 40 ns, and with the AN505 image (a Cortex-M33) every 50.
 */
#include "machine.h"

#ifdef __ARM_FEATURE_CMSE
#define COUNTER 0x50302018
#define TICK 50
#else
#define COUNTER 0x40028018
#define TICK 40
#endif

uint64_t machine_instructions(void) { return (uint64_t)*(volatile const uint32_t *)COUNTER * TICK; }
