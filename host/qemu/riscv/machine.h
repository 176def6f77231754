/* Where QEMU's `virt` machine has its devices. Also read by the assembler. */
#ifndef MOULT_MACHINE_H
#define MOULT_MACHINE_H

/* Ends or resets the machine. */
#define FINISHER 0x00100000
#define FINISHER_PASS 0x5555
#define FINISHER_FAIL 0x3333
#define FINISHER_RESET 0x7777

/* Nanoseconds since 1970; the low word is read first. */
#define RTC 0x00101000

/* The timer of machine mode: it counts at 10 MHz, and interrupts when it reaches what it is compared with. */
#define TIMER_COMPARE 0x02004000
#define TICKS_PER_MILLISECOND 10000

/* The interrupt controller: what it may pass on to supervisor mode, and what it has. */
#define INTERRUPTS 0x0c000000
#define INTERRUPTS_ENABLED 0x0c002080
#define INTERRUPT_CLAIM 0x0c201004

#define UART 0x10000000
#define UART_INTERRUPT 10

/* Two banks of CFI NOR flash, 32 MiB each, in erase blocks of 256 KiB. */
#define BANK_0 0x20000000
#define BANK_1 0x22000000

/* Where the loader shows the slot that it starts. The linker scripts have these two as well. */
#define WINDOW 0x40000000
#define RAM 0x80000000

/* What is in the banks: see board.h. */
#define FACTORY (BANK_0 + 0x00100000)
#define READY (BANK_0 + 0x00200000)

/* The areas in bank 1. The slots begin where pages of 4 MiB do. */
#define BLOCK 0x40000
#define UNIT 4
#define STORE_A 0x00000000
#define STORE_B 0x00040000
#define STORE_BYTES BLOCK
#define JOURNAL 0x00080000
#define JOURNAL_BYTES (2 * BLOCK)
#define BOOT_RECORD 0x00100000
#define BOOT_RECORD_BYTES (2 * BLOCK)
#define SLOT_A 0x00400000
#define SLOT_B 0x00800000
#define SLOT_BYTES (2 * BLOCK)

/* Milliseconds until the watchdog, started by the loader, resets a machine that does not feed it. */
#define WATCHDOG 4000

#endif
