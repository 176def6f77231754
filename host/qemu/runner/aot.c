/* A module compiled ahead of time: the bytes in the inputs are not looked at. */
#include "aot.h"

#include <string.h>

#include "engine.h"

struct export {
  const char *name;
  uint32_t (*call)(const uint32_t *values);
};

static const struct export exports[] = {
#define X(name, parameters, results) {#name, aot_##name},
    AOT_EXPORT_LIST(X)
#undef X
};

static const struct export *found;

void aot_trap(void) {
  require(0, "call", "a trap");
  __builtin_unreachable();
}

void engine_load(uint32_t limit, const uint8_t *module, uint32_t length) {
  (void)module;
  (void)length;
  require(limit <= AOT_MEMORY, "load", "less memory");
  aot_reset();
}

uint8_t *engine_memory(uint32_t *length) {
  *length = AOT_MEMORY;
  return aot_memory();
}

void engine_find(const char *name) {
  found = NULL;
  for (uint32_t i = 0; i < sizeof exports / sizeof *exports; i++)
    if (strcmp(exports[i].name, name) == 0) found = &exports[i];
  require(found != NULL, name, "no such export");
}

uint32_t engine_call(const uint32_t *arguments) { return found->call(arguments); }

uint32_t engine_bytes(void) { return AOT_MEMORY; }
