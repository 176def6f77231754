/* A module under wasm3. */
#include "wasm3.h"

#include "engine.h"
#include "heap.h"
#include "m3_env.h" /* for the limit of linear memory, as in moult.c */

#define ARGUMENTS 4u
#define STACK 4096u
#define HEAP (512u * 1024)

static uint64_t heap_memory[HEAP / sizeof(uint64_t)];
static moult_heap heap;
static IM3Runtime runtime;
static IM3Function found;

static void succeed(M3Result result, const char *what) { require(result == m3Err_none, what, result); }

void engine_load(uint32_t limit, const uint8_t *bytes, uint32_t length) {
  IM3Module module = NULL;
  moult_heap_init(&heap, heap_memory, sizeof heap_memory);
  moult_heap_active = &heap;
  if (setjmp(moult_heap_exhausted) != 0) require(0, "load", "too little memory");
  IM3Environment environment = m3_NewEnvironment();
  runtime = m3_NewRuntime(environment, STACK, NULL);
  runtime->memoryLimit = limit;
  succeed(m3_ParseModule(environment, &module, bytes, length), "parse");
  succeed(m3_LoadModule(runtime, module), "load");
}

uint8_t *engine_memory(uint32_t *length) { return m3_GetMemory(runtime, length, 0); }

void engine_find(const char *name) {
  if (setjmp(moult_heap_exhausted) != 0) require(0, name, "too little memory");
  succeed(m3_FindFunction(&found, runtime, name), name);
}

uint32_t engine_call(const uint32_t *arguments) {
  const void *pointers[ARGUMENTS];
  uint32_t result = 0;
  const void *results[] = {&result};
  if (setjmp(moult_heap_exhausted) != 0) require(0, "call", "too little memory");
  for (uint32_t i = 0; i < ARGUMENTS; i++) pointers[i] = &arguments[i];
  succeed(m3_Call(found, m3_GetArgCount(found), pointers), "call");
  if (m3_GetRetCount(found) == 1) succeed(m3_GetResults(found, 1, results), "result");
  return result;
}

uint32_t engine_bytes(void) { return heap.peak; }
