/*
 * The loader's start-up, where the processor begins after a reset. Its vectors stay in force when an image runs, which has
 * none: interrupts are masked and only wake, and all else that comes is a reset.
 *
 * An image is linked for one address and may lie in either slot. Chips that swap their banks show either at that address;
 * this machine does not, so the loader copies the slot there, into memory that counts as flash.
 */
#include "machine.h"

  .syntax unified
  .thumb

  .section .vectors, "a"
  .word _stack_end
  .word _start
  .rept 14 /* whatever goes wrong in the loader or in an image, and the watchdog, which is an NMI */
  .word reset
  .endr

  .section .start, "ax"
  .globl _start
  .thumb_func
_start:
  cpsid i

  ldr r0, =_data
  ldr r1, =_data_end
  ldr r2, =_data_load
1:
  cmp r0, r1
  bhs 2f
  ldr r3, [r2], #4
  str r3, [r0], #4
  b 1b
2:
  ldr r0, =_bss
  ldr r1, =_bss_end
  movs r2, #0
3:
  cmp r0, r1
  bhs 4f
  str r2, [r0], #4
  b 3b
4:
  bl loader_decide
  mov r4, r0
  bl loader_image

  ldr r1, =WINDOW
  ldr r2, [r0, #4] /* its length */
5:
  ldr r3, [r0], #4
  str r3, [r1], #4
  subs r2, r2, #4
  bhi 5b
  dsb
  isb

  /* It resets at the second time that it runs out. The image feeds it by looking at the clock. */
  ldr r0, =WATCHDOG_TIMER
  ldr r1, =WATCHDOG / 2 * TICKS_PER_MILLISECOND
  str r1, [r0, #0]
  movs r1, #3
  str r1, [r0, #8]

  ldr r1, =WINDOW
  ldr r1, [r1, #12] /* its entry */
  mov r0, r4
  bx r1

  .thumb_func
reset:
  ldr r0, =0xe000ed0c
  ldr r1, =0x05fa0004
  str r1, [r0]
  dsb
  b .
