/* The core under wasm3: the module in flash, and RAM for what it is compiled to. */
#include "board.h"
#include "sdkconfig.h"

/* ../../qemu/module.S */
extern const uint8_t moult_module[];
extern const uint8_t moult_module_end[];
extern const uint8_t moult_module_sha256[];

static uint64_t memory[CONFIG_MOULT_WASM3_MEMORY / sizeof(uint64_t)];

moult_config esp32_core_place(void) {
  return (moult_config){
      .module = moult_module,
      .module_length = (uint32_t)(moult_module_end - moult_module),
      .module_sha256 = moult_module_sha256,
      .memory = memory,
      .memory_length = sizeof memory,
      .compile_late = 1,
  };
}
