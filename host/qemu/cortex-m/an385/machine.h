/* Where Arm's MPS2 has its devices with the AN385 image, a Cortex-M3, and the AN386 image, a Cortex-M4. Also read by the assembler. */
#ifndef MOULT_MACHINE_H
#define MOULT_MACHINE_H

/* The first memory: the loader, what the factory left, what lies ready to be counted with, and the program that runs. */
#define BANK_0 0x00000000
/* The memory that a file stands behind: the flash. */
#define BANK_1 0x21000000

#define UART 0x40004000
#define UART_LINES 0x1 /* its interrupts, and in which word of 32 they are */
#define UART_LINES_WORD 0

#define WATCHDOG_TIMER 0x40008000

/* Ticks of this counter, of the watchdog and of the processor are of the same clock, of 25 MHz. */
#define COUNTER 0x40028018
#define TICKS_PER_MILLISECOND 25000
/* With `-icount shift=0`. */
#define INSTRUCTIONS_PER_TICK 40

#include "../map.h"

#endif
