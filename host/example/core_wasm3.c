/* The core under wasm3: the module in flash (moult_add_module), and memory for it. */
#include "core.h"
#include "moult_module.h"

/* On a PC pointers are twice as long as on a microcontroller: docs/decisions/0009-compiled-code.md has a board's figures. */
static uint64_t memory[1024 * 1024 / sizeof(uint64_t)];

moult_config core_place(void) {
  return (moult_config){
      .module = moult_module,
      .module_length = moult_module_length,
      .module_sha256 = moult_module_sha256,
      .memory = memory,
      .memory_length = sizeof memory,
  };
}
