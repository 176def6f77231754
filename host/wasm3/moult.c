/* The core under wasm3. The contract is in moult.h. */
#include "moult.h"

#include <string.h>

#include "engine.h"
#include "heap.h"
#include "m3_env.h" /* wasm3's private header: see load() and drop_code() */
#include "sha256.h"
#include "wasm3.h"

/* wasm3's own stack, for the locals and operands of all wasm calls; its overflow is a trap. */
#define WASM_STACK 4096u

/* How many wasm calls pass between two looks at the clock. A power of two. */
#define CALLS_PER_LOOK 256u

/* As much compiled code is not worth dropping: some code pages of small functions. */
#define CODE_KEPT 4096u

/* A block header and the largest alignment: less than this cannot be a heap. */
#define LEAST_MEMORY 1024u

#define SHA256_BYTES 32u

/* Ends of a call that are wasm3's to carry and ours to know again: compared by address. */
static const char deadline_passed[] = "[trap] deadline";
static const char bad_call[] = "[trap] the core left its memory or its flash";

/* The core that runs now, or NULL. */
static moult *active;

/* ---- what the core asks of the board ---- */

/* Found again for each call: wasm3 may have moved it. */
uint8_t *moult_memory_at(const moult *core, uint32_t pointer, uint32_t length) {
  uint32_t size = 0;
  uint8_t *memory = m3_GetMemory(core->runtime, &size, 0);
  return memory != NULL && pointer <= size && length <= size - pointer ? memory + pointer : NULL;
}

#define MOST_ARGUMENTS 4u

struct import {
  const char *name;
  const char *signature;
  moult_import function;
};

static const struct import imports[] = {
#define X(name, signature) {#name, signature, moult_import_##name},
    MOULT_IMPORT_LIST(X)
#undef X
};

/* The arguments in "i(iii)". */
static uint32_t arity(const char *signature) { return (uint32_t)strlen(signature) - 3; }

/* wasm3's side of every import: the result's slot of 8 bytes, then one for each argument. */
static const void *import(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
  const struct import *called = context->userdata;
  const moult *core = m3_GetUserData(runtime);
  uint32_t arguments[MOST_ARGUMENTS] = {0};
  int32_t result = 0;
  (void)memory;
  for (uint32_t i = 0; i < arity(called->signature); i++) memcpy(&arguments[i], &slots[1 + i], sizeof *arguments);
  if (called->function(core, arguments, &result) != 0) return bad_call;
  memcpy(slots, &result, sizeof result);
  return m3Err_none;
}

/* wasm3 asks at every wasm call whether to go on. */
M3Result m3_Yield(void) {
  moult *core = active;
  if (core == NULL || core->config.port->milliseconds == NULL) return m3Err_none;
  if (++core->calls % CALLS_PER_LOOK != 0) return m3Err_none;
  uint32_t passed = core->config.port->milliseconds(core->config.user) - core->began;
  return passed > core->config.deadline ? deadline_passed : m3Err_none;
}

/* ---- running wasm3 ---- */

typedef M3Result (*work)(moult *core, void *what);

static int32_t status_of(M3Result end, int32_t otherwise) {
  if (end == m3Err_none) return MOULT_STATUS_OK;
  if (end == deadline_passed) return MOULT_STATUS_DEADLINE;
  return strncmp(end, "[trap]", 6) == 0 ? MOULT_STATUS_TRAP : otherwise;
}

/* Does some work inside wasm3, the only place from which it is entered. Whatever ends it ends the core. */
static int32_t run(moult *core, work function, void *what, int32_t otherwise) {
  if (active != NULL) return MOULT_STATUS_WRONG_STATE;
  const moult_port *port = core->config.port;
  active = core;
  moult_heap_active = &core->heap;
  core->calls = 0;
  if (port->milliseconds != NULL) core->began = port->milliseconds(core->config.user);
  if (setjmp(moult_heap_exhausted) == 0)
    core->ended = status_of(function(core, what), otherwise);
  else
    core->ended = MOULT_STATUS_MEMORY;
  active = NULL;
  moult_heap_active = NULL;
  return core->ended;
}

/* ---- opening ---- */

struct export {
  const char *name;
  const char *signature;
  int optional;
};

static const struct export exports[] = {
#define X(name, signature) {#name, signature, 0},
    MOULT_EXPORT_LIST(X)
#undef X
#define X(name, signature) {#name, signature, 1},
    MOULT_OPTIONAL_EXPORT_LIST(X)
#undef X
};

static M3Result find_exports(moult *core) {
  for (uint32_t i = 0; i < MOULT_EXPORTS; i++) {
    IM3Function function = NULL;
    M3Result end = m3_FindFunction(&function, core->runtime, exports[i].name);
    if (end == m3Err_functionLookupFailed && exports[i].optional) continue;
    if (end != m3Err_none) return end;
    if (m3_GetArgCount(function) != arity(exports[i].signature) || m3_GetRetCount(function) != 1)
      return m3Err_argumentCountMismatch;
    core->functions[i] = function;
  }
  return m3Err_none;
}

static M3Result link_imports(IM3Module module) {
  for (uint32_t i = 0; i < sizeof imports / sizeof *imports; i++) {
    const struct import *row = &imports[i];
    M3Result end = m3_LinkRawFunctionEx(module, "moult", row->name, row->signature, import, row);
    if (end != m3Err_none && end != m3Err_functionLookupFailed) return end; /* it need not import all */
  }
  return m3Err_none;
}

/* From bytes to functions that can be called. Nothing is freed on failure: the heap is thrown away. */
static M3Result load(moult *core, void *what) {
  IM3Environment environment = m3_NewEnvironment();
  IM3Runtime runtime = m3_NewRuntime(environment, WASM_STACK, core);
  IM3Module module = NULL;
  (void)what;
  core->runtime = runtime;
  /* Less than one page of 64 KiB; wasm3 has no function for it. Its bounds checks follow this. */
  runtime->memoryLimit = core->config.linear_memory;
  M3Result end = m3_ParseModule(environment, &module, core->config.module, core->config.module_length);
  if (end == m3Err_none) end = m3_LoadModule(runtime, module);
  core->instance = module;
  if (end == m3Err_none) end = link_imports(module);
  core->room = moult_heap_free(&core->heap);
  if (end == m3Err_none && !core->config.compile_late) end = m3_CompileModule(module);
  if (end == m3Err_none) end = m3_RunStart(module);
  return end == m3Err_none ? find_exports(core) : end;
}

/* ---- calling ---- */

/*
 * Forgets all compiled code, which wasm3 has no function for: its code pages, and what its functions know of them. No
 * wasm call is under way. What imports compile to is made again; the memory and the globals are untouched.
 */
static M3Result drop_code(moult *core) {
  IM3Runtime runtime = core->runtime;
  IM3Module module = core->instance;
  FreeCodePages(&runtime->pagesOpen);
  FreeCodePages(&runtime->pagesFull);
  runtime->numCodePages = 0;
  runtime->numActiveCodePages = 0;
  for (uint32_t i = 0; i < module->numFunctions; i++) {
    IM3Function function = &module->functions[i];
    m3_Free(function->constants);
    function->compiled = NULL;
  }
  return link_imports(module);
}

/* Two exports that are called by turns while an image arrives, and are small together. */
static int by_turns(enum moult_export one, enum moult_export other) {
  return one == MOULT_EXPORT_fetch_write && other == MOULT_EXPORT_fetch_erase_ahead;
}

/* Whether what was compiled for one export stays for the next. */
static int stays(enum moult_export before, enum moult_export next) {
  return before == next || by_turns(before, next) || by_turns(next, before);
}

/* Sees that an export is compiled, and that what it calls can be. */
static M3Result prepare(moult *core, enum moult_export called) {
  IM3Function function = core->functions[called];
  M3Result end = m3Err_none;
  if (!core->config.compile_late) return m3Err_none;
  if (!stays(core->called, called) && core->room - moult_heap_free(&core->heap) > CODE_KEPT) end = drop_code(core);
  core->called = called;
  return end == m3Err_none && function->compiled == NULL ? CompileFunction(function) : end;
}

struct call {
  enum moult_export function;
  uint32_t argument;
  uint32_t result;
};

static M3Result call_function(moult *core, void *what) {
  struct call *call = what;
  IM3Function function = core->functions[call->function];
  const void *arguments[] = {&call->argument};
  const void *results[] = {&call->result};
  M3Result end = prepare(core, call->function);
  if (end != m3Err_none) return end;
  end = m3_Call(function, arity(exports[call->function].signature), arguments);
  return end == m3Err_none ? m3_GetResults(function, 1, results) : end;
}

int32_t moult_call(moult *core, enum moult_export function, uint32_t argument, uint32_t *result) {
  struct call what = {function, argument, 0};
  if (core->runtime == NULL) return core->ended != 0 ? core->ended : MOULT_STATUS_WRONG_STATE;
  if (core->functions[function] == NULL) return MOULT_STATUS_WRONG_STATE; /* not in this core */
  int32_t status = run(core, call_function, &what, MOULT_STATUS_TRAP);
  if (core->ended != 0) core->runtime = NULL;
  *result = what.result;
  return status;
}

static int usable(const moult_config *config) {
  return config->port != NULL && config->module != NULL && config->module_sha256 != NULL &&
         (uintptr_t)config->memory % 8 == 0 && config->memory != NULL && config->memory_length >= LEAST_MEMORY;
}

static int is_expected(const moult_config *config) {
  uint8_t digest[SHA256_BYTES];
  moult_sha256(config->module, config->module_length, digest);
  return memcmp(digest, config->module_sha256, sizeof digest) == 0;
}

int32_t moult_open(moult *core, const moult_config *config) {
  if (active != NULL) return MOULT_STATUS_WRONG_STATE;
  memset(core, 0, sizeof *core);
  if (!usable(config)) return MOULT_STATUS_BAD_ARGUMENT;
  if (!is_expected(config)) return MOULT_STATUS_MODULE_HASH;
  core->config = *config;
  if (core->config.linear_memory == 0) core->config.linear_memory = MOULT_LINEAR_MEMORY;
  moult_heap_init(&core->heap, config->memory, config->memory_length);
  core->ended = run(core, load, NULL, MOULT_STATUS_MODULE_INVALID);
  if (core->ended == 0) core->ended = moult_check(core);
  if (core->ended != 0) core->runtime = NULL;
  return core->ended;
}

void moult_close(moult *core) {
  core->runtime = NULL;
  core->ended = MOULT_STATUS_OK;
}

const char *moult_engine(void) { return "wasm3"; }
