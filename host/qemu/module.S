/* The core and what its build knows of it. */
  .section .rodata.moult_module, "a"
  .balign 4
  .globl moult_module
moult_module:
  .incbin MODULE
  .globl moult_module_end
moult_module_end:
  .globl moult_module_sha256
moult_module_sha256:
  .incbin MODULE_SHA256

  .section .note.GNU-stack, "", %progbits
