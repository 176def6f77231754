/* The core under wasm3: the module in flash, and all the RAM that is left. */
#include "device.h"

extern const uint8_t moult_module[];
extern const uint8_t moult_module_end[];
extern const uint8_t moult_module_sha256[];

static uint64_t memory[MOULT_BOARD_MEMORY / sizeof(uint64_t)] __attribute__((section(".memory")));

moult_config device_core_place(void) {
  return (moult_config){
      .module = moult_module,
      .module_length = (uint32_t)(moult_module_end - moult_module),
      .module_sha256 = moult_module_sha256,
      .memory = memory,
      .memory_length = sizeof memory,
      .linear_memory = MOULT_BOARD_LINEAR_MEMORY,
      .compile_late = 1,
  };
}
