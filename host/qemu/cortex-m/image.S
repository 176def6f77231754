/* The start of an image: its header (image.h), and its start-up as the loader starts it: interrupts masked. */
  .syntax unified
  .thumb

  .section .header, "a"
  .globl image_header
image_header:
  .word 0x3149514d
  .word 0 /* length and CRC: when it is sealed */
  .word 0
  .word _start
  .space 48

  .section .start, "ax"
  .globl _start
  .thumb_func
_start:
  ldr r1, =_stack_end
  mov sp, r1

  /* Painted, so that it shows how deep the stack was. */
  ldr r2, =_stack
  ldr r3, =0xa5a5a5a5
1:
  str r3, [r2], #4
  cmp r2, r1
  blo 1b

  ldr r1, =_data
  ldr r2, =_data_end
  ldr r3, =_data_load
2:
  cmp r1, r2
  bhs 3f
  ldr r4, [r3], #4
  str r4, [r1], #4
  b 2b
3:
  ldr r1, =_bss
  ldr r2, =_bss_end
  movs r3, #0
4:
  cmp r1, r2
  bhs 5f
  str r3, [r1], #4
  b 4b
5:
  bl image_main /* what the loader decided is in r0 still */
