/*
 * Arm MPS2 with the AN386 image: under `-icount shift=0` an instruction takes 1 ns, and the counter of the FPGA's I/O
 * block rises every 40 ns.
 */
#include "machine.h"

#define FPGAIO_COUNTER ((volatile const uint32_t *)0x40028018)

uint64_t machine_instructions(void) { return (uint64_t)*FPGAIO_COUNTER * 40; }
