/* Where the memory is that wasm3 has taken, in all and for the code of each function. */
#include <setjmp.h>

#include "board.h"
#include "device.h"
#include "figures.h"
#include "heap.h"
#include "m3_env.h"

/* The most that was in use, of all boots. */
static uint32_t peak;

void figures_engine_closes(void) {
  if (device_core.heap.peak > peak) peak = device_core.heap.peak;
}

static void memory(void) {
  IM3Runtime runtime = device_core.runtime;
  IM3Module module = device_core.instance;
  figures_engine_closes();
  figures_row("memory-peak", peak);
  figures_row("memory-linear", MOULT_BOARD_LINEAR_MEMORY);
  figures_row("memory-functions", module->numFunctions * sizeof *module->functions);
  figures_row("memory-runtime", sizeof *runtime);
  figures_row("memory-stack", runtime->numStackSlots * sizeof(m3slot_t));
}

/* Words of code in a list of pages. */
static uint32_t words_in(const M3CodePage *page) {
  uint32_t words = 0;
  for (; page != NULL; page = page->info.next) words += page->info.lineIndex;
  return words;
}

static uint32_t code_bytes(void) {
  IM3Runtime runtime = device_core.runtime;
  return (words_in(runtime->pagesOpen) + words_in(runtime->pagesFull)) * (uint32_t)sizeof(code_t);
}

static int32_t compile(IM3Function function) {
  moult_heap_active = &device_core.heap;
  int32_t done = setjmp(moult_heap_exhausted) == 0 && CompileFunction(function) == m3Err_none ? 0 : -1;
  moult_heap_active = NULL;
  return done;
}

/* As many at a time as there is room for. */
#define FUNCTIONS_AT_ONCE 16u

/* What each function comes to when it is compiled, by its number in the module: "code-12 3456". */
static void code_by_function(void) {
  IM3Module module = device_core.instance;
  for (uint32_t i = module->numFuncImports; i < module->numFunctions; i++) {
    if (i % FUNCTIONS_AT_ONCE == 0) {
      figures_boot(0);
      module = device_core.instance;
    }
    IM3Function function = &module->functions[i];
    if (function->compiled != NULL) continue; /* as part of one before */
    uint32_t before = code_bytes();
    figures_require(compile(function), "compile");
    board_print("code-");
    figures_number(i);
    figures_row("", code_bytes() - before + function->numConstantBytes);
  }
}

void figures_engine(void) {
  memory();
  code_by_function();
}
