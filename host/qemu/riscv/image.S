/* The start of an image: its header (image.h), and its start-up in the mode in which the loader starts it. */
#include "machine.h"

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
_start:
  mv s0, a0 /* what the loader decided */
  la sp, _stack_end

  /* Painted, so that it shows how deep the stack was. */
  la t0, _stack
  li t1, 0xa5a5a5a5
1:
  sw t1, 0(t0)
  addi t0, t0, 4
  bltu t0, sp, 1b

  la t0, _data
  la t1, _data_end
  la t2, _data_load
2:
  bgeu t0, t1, 3f
  lw t3, 0(t2)
  sw t3, 0(t0)
  addi t0, t0, 4
  addi t2, t2, 4
  j 2b
3:
  la t0, _bss
  la t1, _bss_end
4:
  bgeu t0, t1, 5f
  sw zero, 0(t0)
  addi t0, t0, 4
  j 4b
5:
  fence.i /* functions were copied */
  mv a0, s0
  call image_main
