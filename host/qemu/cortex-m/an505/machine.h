/* Where Arm's MPS2 has its devices with the AN505 image, a Cortex-M33, for a program in secure state. Also read by the assembler. */
#ifndef MOULT_MACHINE_H
#define MOULT_MACHINE_H

/* The first memory: the loader, what the factory left, what lies ready to be counted with, and the program that runs. */
#define BANK_0 0x10000000
/* The memory that a file stands behind: the flash. */
#define BANK_1 0x80000000

#define UART 0x50200000
#define UART_LINES 0x3 /* its interrupts, and in which word of 32 they are */
#define UART_LINES_WORD 1

#define WATCHDOG_TIMER 0x50081000

/* Ticks of this counter, of the watchdog and of the processor are of the same clock, of 20 MHz. */
#define COUNTER 0x50302018
#define TICKS_PER_MILLISECOND 20000
/* With `-icount shift=0`. */
#define INSTRUCTIONS_PER_TICK 50

#include "../map.h"

#endif
