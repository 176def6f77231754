/* What is in the two banks; sim/machines.ts has it as well. Also read by the assembler. */
#ifndef MOULT_MAP_H
#define MOULT_MAP_H

#define FACTORY (BANK_0 + 0x00100000)
#define READY (BANK_0 + 0x00200000)
/* Where the loader shows the slot that it starts. The linker scripts have this one. */
#define WINDOW (BANK_0 + 0x00300000)

/* Area after area, as in a flash file (docs/formats.md). */
#define BLOCK 0x1000
#define UNIT 8
#define STORE_A 0x00000000
#define STORE_B 0x00008000
#define STORE_BYTES 0x8000
#define JOURNAL 0x00010000
#define JOURNAL_BYTES 0x2000
#define SLOT_A 0x00012000
#define SLOT_B 0x00052000
#define SLOT_BYTES 0x40000
#define BOOT_RECORD 0x00092000
#define BOOT_RECORD_BYTES 0x2000

/* Milliseconds until the watchdog, started by the loader, resets a machine that does not feed it. */
#define WATCHDOG 4000

#endif
