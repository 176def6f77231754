/*
 * The loader's start-up, where QEMU begins after a reset with flash in bank 0: machine mode, in place.
 *
 * An image is linked for one address and may lie in either slot. The ESP32-C3 has a unit that maps flash to addresses
 * for that; here the page table of supervisor mode does it: one for each slot, ready-made, in flash.
 */
#include "machine.h"

  .section .start, "ax"
  .globl _start
_start:
  la t0, reset
  csrw mtvec, t0
  csrw mie, zero
  la sp, _stack_end

  la t0, _data
  la t1, _data_end
  la t2, _data_load
1:
  bgeu t0, t1, 2f
  lw t3, 0(t2)
  sw t3, 0(t0)
  addi t0, t0, 4
  addi t2, t2, 4
  j 1b
2:
  la t0, _bss
  la t1, _bss_end
3:
  bgeu t0, t1, 4f
  sw zero, 0(t0)
  addi t0, t0, 4
  j 3b
4:
  call loader_decide
  mv s0, a0
  call loader_image
  lw s1, 12(a0) /* its entry */

  /* The watchdog: the image feeds it by looking at the clock. */
  call board_feed
  li t0, 0x80
  csrw mie, t0

  /* Supervisor mode may use all memory, read the counters and have a timer of its own (menvcfgh.STCE). */
  li t0, 0x80000000
  csrw 0x31a, t0
  li t0, 0x222 /* its interrupts */
  csrw mideleg, t0
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  li t0, 7
  csrw mcounteren, t0

  la t0, slot_a
  andi t1, s0, 1
  beqz t1, 5f
  la t0, slot_b
5:
  srli t0, t0, 12
  li t1, 0x80000000
  or t0, t0, t1
  csrw satp, t0
  sfence.vma

  li t0, 0x1800
  csrc mstatus, t0
  li t0, 0x0800
  csrs mstatus, t0
  csrw mepc, s1
  mv a0, s0
  mret

/* Whatever goes wrong in the loader or in an image, and the watchdog: a reset, which counts a trial. */
  .balign 4
reset:
  li t0, FINISHER
  li t1, FINISHER_RESET
  sw t1, 0(t0)
  j .

/* A root page table: 1024 entries of 4 MiB each, nothing but what is listed. */
#define READ 0x43 /* valid, readable, accessed */
#define READ_WRITE 0xc7
#define READ_EXECUTE 0x4b
#define ALL 0xcf

  .section .tables, "a"
  .balign 4096
#define TABLE(name, at, slot) \
  .org at ; \
name: ; \
  .org at + (FINISHER >> 22) * 4 ; .word (FINISHER >> 22) << 20 | READ_WRITE ; \
  .org at + (TIMER_COMPARE >> 22) * 4 ; .word (TIMER_COMPARE >> 22) << 20 | READ_WRITE ; \
  .org at + (INTERRUPTS >> 22) * 4 ; .word (INTERRUPTS >> 22) << 20 | READ_WRITE ; \
  .org at + (UART >> 22) * 4 ; .word (UART >> 22) << 20 | READ_WRITE ; \
  .org at + (BANK_0 >> 22) * 4 ; .word (BANK_0 >> 22) << 20 | READ ; \
  .org at + (BANK_1 >> 22) * 4 ; .word (BANK_1 >> 22) << 20 | READ_WRITE ; \
  .org at + ((BANK_1 + SLOT_A) >> 22) * 4 ; .word ((BANK_1 + SLOT_A) >> 22) << 20 | READ_WRITE ; \
  .org at + ((BANK_1 + SLOT_B) >> 22) * 4 ; .word ((BANK_1 + SLOT_B) >> 22) << 20 | READ_WRITE ; \
  .org at + (WINDOW >> 22) * 4 ; .word ((BANK_1 + slot) >> 22) << 20 | READ_EXECUTE ; \
  .org at + (RAM >> 22) * 4 ; .word (RAM >> 22) << 20 | ALL ; \
  .org at + 4096

  TABLE(slot_a, 0, SLOT_A)
  TABLE(slot_b, 4096, SLOT_B)
