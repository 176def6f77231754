/* The core under wasm3. The contract is in moult.h. */
#include "moult.h"

#include <string.h>

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
#define SHA256_BLOCK 64u

/* Ends of a call that are wasm3's to carry and ours to know again: compared by address. */
static const char deadline_passed[] = "[trap] deadline";
static const char bad_call[] = "[trap] the core left its memory or its flash";

/* The core that runs now, or NULL. */
static moult *active;

/* ---- what the core asks of the board ---- */

typedef M3Result (*import_function)(const moult *core, const uint32_t *arguments, int32_t *result);

/* Linear memory, found again for each call; NULL unless the whole range lies inside. */
static uint8_t *memory_at(const moult *core, uint32_t pointer, uint32_t length) {
  uint32_t size = 0;
  uint8_t *memory = m3_GetMemory(core->runtime, &size, 0);
  return memory != NULL && pointer <= size && length <= size - pointer ? memory + pointer : NULL;
}

/* The boot record and whatever else a port keeps behind higher numbers is not the core's. */
static uint32_t size_of(const moult *core, uint32_t area) {
  if (area > MOULT_AREA_SLOT_B) return 0;
  return core->config.port->flash_size(core->config.user, (int32_t)area);
}

static int inside(const moult *core, uint32_t area, uint32_t offset, uint32_t length) {
  uint32_t size = size_of(core, area);
  return offset <= size && length <= size - offset;
}

/* 0 is done; all else is not, whatever it is. */
static int32_t done(int32_t result, int32_t status) { return result == 0 ? MOULT_STATUS_OK : status; }

static M3Result flash_read(const moult *core, const uint32_t *a, int32_t *result) {
  void *to = memory_at(core, a[2], a[3]);
  if (to == NULL || !inside(core, a[0], a[1], a[3])) return bad_call;
  int32_t read = core->config.port->flash_read(core->config.user, (int32_t)a[0], a[1], to, a[3]);
  *result = done(read, MOULT_STATUS_FLASH_READ);
  return m3Err_none;
}

static M3Result flash_write(const moult *core, const uint32_t *a, int32_t *result) {
  const void *from = memory_at(core, a[2], a[3]);
  if (from == NULL || !inside(core, a[0], a[1], a[3])) return bad_call;
  int32_t written = core->config.port->flash_write(core->config.user, (int32_t)a[0], a[1], from, a[3]);
  *result = done(written, MOULT_STATUS_FLASH_WRITE);
  return m3Err_none;
}

static M3Result flash_erase(const moult *core, const uint32_t *a, int32_t *result) {
  if (!inside(core, a[0], a[1], a[2])) return bad_call;
  int32_t erased = core->config.port->flash_erase(core->config.user, (int32_t)a[0], a[1], a[2]);
  *result = done(erased, MOULT_STATUS_FLASH_ERASE);
  return m3Err_none;
}

static M3Result flash_size(const moult *core, const uint32_t *a, int32_t *result) {
  *result = (int32_t)size_of(core, a[0]);
  return m3Err_none;
}

static M3Result flash_block_end(const moult *core, const uint32_t *a, int32_t *result) {
  if (!inside(core, a[0], a[1], 0)) return bad_call;
  *result = (int32_t)core->config.port->flash_block_end(core->config.user, (int32_t)a[0], a[1]);
  return m3Err_none;
}

static M3Result flash_unit(const moult *core, const uint32_t *a, int32_t *result) {
  int known = a[0] <= MOULT_AREA_SLOT_B;
  *result = known ? (int32_t)core->config.port->flash_unit(core->config.user, (int32_t)a[0]) : 0;
  return m3Err_none;
}

static M3Result counter_read(const moult *core, const uint32_t *a, int32_t *result) {
  const moult_port *port = core->config.port;
  (void)a;
  *result = port->counter_read != NULL ? port->counter_read(core->config.user) : -1;
  return m3Err_none;
}

static M3Result counter_advance(const moult *core, const uint32_t *a, int32_t *result) {
  const moult_port *port = core->config.port;
  int32_t raised = port->counter_advance != NULL ? port->counter_advance(core->config.user, a[0]) : -1;
  *result = done(raised, MOULT_STATUS_COUNTER);
  return m3Err_none;
}

static M3Result boot_state(const moult *core, const uint32_t *a, int32_t *result) {
  int32_t state = core->config.port->boot_state(core->config.user);
  (void)a;
  *result = state >= 0 && (state & ~0x101) == 0 ? state : MOULT_STATUS_BOOT;
  return m3Err_none;
}

static M3Result boot_select(const moult *core, const uint32_t *a, int32_t *result) {
  int32_t selected = a[0] <= 1 ? core->config.port->boot_select(core->config.user, (int32_t)a[0]) : -1;
  *result = done(selected, MOULT_STATUS_BOOT);
  return m3Err_none;
}

static M3Result boot_confirm(const moult *core, const uint32_t *a, int32_t *result) {
  (void)a;
  *result = done(core->config.port->boot_confirm(core->config.user), MOULT_STATUS_BOOT);
  return m3Err_none;
}

static M3Result boot_revert(const moult *core, const uint32_t *a, int32_t *result) {
  (void)a;
  *result = done(core->config.port->boot_revert(core->config.user), MOULT_STATUS_BOOT);
  return m3Err_none;
}

static M3Result sha256_compress(const moult *core, const uint32_t *a, int32_t *result) {
  const moult_port *port = core->config.port;
  uint32_t words[SHA256_BYTES / sizeof(uint32_t)];
  uint8_t *state = memory_at(core, a[0], sizeof words);
  const uint8_t *block = memory_at(core, a[1], SHA256_BLOCK);
  if (state == NULL || block == NULL) return bad_call;
  *result = -1;
  if (port->sha256_compress == NULL) return m3Err_none;
  memcpy(words, state, sizeof words);
  *result = done(port->sha256_compress(core->config.user, words, block), -1);
  if (*result == 0) memcpy(state, words, sizeof words);
  return m3Err_none;
}

#define MOST_ARGUMENTS 4u

struct import {
  const char *name;
  const char *signature;
  import_function function;
};

static const struct import imports[] = {
#define X(name, signature) {#name, signature, name},
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
  M3Result end = called->function(core, arguments, &result);
  if (end == m3Err_none) memcpy(slots, &result, sizeof result);
  return end;
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
};

static const struct export exports[] = {
#define X(name, signature) {#name, signature},
    MOULT_EXPORT_LIST(X)
#undef X
};

static M3Result find_exports(moult *core) {
  for (uint32_t i = 0; i < MOULT_EXPORTS; i++) {
    IM3Function function = NULL;
    M3Result end = m3_FindFunction(&function, core->runtime, exports[i].name);
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

/* Sees that an export is compiled, and that what it calls can be. */
static M3Result prepare(moult *core, enum moult_export called) {
  IM3Function function = core->functions[called];
  M3Result end = m3Err_none;
  if (!core->config.compile_late) return m3Err_none;
  if (called != core->called && core->room - moult_heap_free(&core->heap) > CODE_KEPT) end = drop_code(core);
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

/* Calls an export. 0 and its result, or why the core has ended. */
static int32_t call(moult *core, enum moult_export function, uint32_t argument, uint32_t *result) {
  struct call what = {function, argument, 0};
  if (core->runtime == NULL) return core->ended != 0 ? core->ended : MOULT_STATUS_WRONG_STATE;
  int32_t status = run(core, call_function, &what, MOULT_STATUS_TRAP);
  if (core->ended != 0) core->runtime = NULL;
  *result = what.result;
  return status;
}

/* The same for exports that return a status. */
static int32_t call_status(moult *core, enum moult_export function, uint32_t argument) {
  uint32_t result = 0;
  int32_t status = call(core, function, argument, &result);
  return status != 0 ? status : (int32_t)result;
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

static int32_t start(moult *core) {
  uint32_t version = 0;
  int32_t status = run(core, load, NULL, MOULT_STATUS_MODULE_INVALID);
  if (status == 0) status = call(core, MOULT_EXPORT_abi_version, 0, &version);
  if (status == 0 && version != MOULT_ABI_VERSION) status = MOULT_STATUS_ABI_VERSION;
  if (status == 0) status = call(core, MOULT_EXPORT_io_pointer, 0, &core->io_pointer);
  if (status == 0) status = call(core, MOULT_EXPORT_io_capacity, 0, &core->io_capacity);
  if (status == 0 && (core->io_capacity == 0 || memory_at(core, core->io_pointer, core->io_capacity) == NULL))
    status = MOULT_STATUS_MODULE_INVALID;
  return status;
}

int32_t moult_open(moult *core, const moult_config *config) {
  if (active != NULL) return MOULT_STATUS_WRONG_STATE;
  memset(core, 0, sizeof *core);
  if (!usable(config)) return MOULT_STATUS_BAD_ARGUMENT;
  if (!is_expected(config)) return MOULT_STATUS_MODULE_HASH;
  core->config = *config;
  if (core->config.linear_memory == 0) core->config.linear_memory = MOULT_LINEAR_MEMORY;
  moult_heap_init(&core->heap, config->memory, config->memory_length);
  core->ended = start(core);
  if (core->ended != 0) core->runtime = NULL;
  return core->ended;
}

void moult_close(moult *core) {
  core->runtime = NULL;
  core->ended = MOULT_STATUS_OK;
}

/* ---- calls ---- */

int32_t moult_core_start(moult *core) { return call_status(core, MOULT_EXPORT_core_start, 0); }

/* Hands any number of bytes to an export in pieces that fit the buffer, until it objects. */
static int32_t write_all(moult *core, enum moult_export function, const void *bytes, uint32_t length) {
  const uint8_t *next = bytes;
  int32_t status = core->runtime == NULL ? call_status(core, function, 0) : MOULT_STATUS_OK;
  while (length > 0 && status >= 0) {
    uint32_t part = length < core->io_capacity ? length : core->io_capacity;
    memcpy(memory_at(core, core->io_pointer, part), next, part);
    status = call_status(core, function, part);
    next += part;
    length -= part;
  }
  return status;
}

/* Copies a text out of linear memory and closes it with a 0. */
static int32_t copy_text(const moult *core, uint32_t pointer, uint32_t length, char *to, uint32_t capacity) {
  const uint8_t *from = memory_at(core, pointer, length);
  if (from == NULL || length >= capacity) return MOULT_STATUS_BAD_ARGUMENT;
  memcpy(to, from, length);
  to[length] = 0;
  return (int32_t)length;
}

int32_t moult_provision_begin(moult *core, int32_t part) {
  return call_status(core, MOULT_EXPORT_provision_begin, (uint32_t)part);
}

int32_t moult_provision_write(moult *core, const void *bytes, uint32_t length) {
  return write_all(core, MOULT_EXPORT_provision_write, bytes, length);
}

int32_t moult_provision_end(moult *core) { return call_status(core, MOULT_EXPORT_provision_end, 0); }

int32_t moult_agent_step(moult *core, uint32_t now) { return call_status(core, MOULT_EXPORT_agent_step, now); }

int32_t moult_agent_until(moult *core, uint32_t *seconds) {
  return call(core, MOULT_EXPORT_agent_until, 0, seconds);
}

int32_t moult_fetch_kind(moult *core) { return call_status(core, MOULT_EXPORT_fetch_kind, 0); }

int32_t moult_fetch_name(moult *core, char *name, uint32_t capacity) {
  uint32_t pointer = 0;
  uint32_t length = 0;
  int32_t status = call(core, MOULT_EXPORT_fetch_name, 0, &pointer);
  if (status == 0) status = call(core, MOULT_EXPORT_fetch_name_length, 0, &length);
  return status != 0 ? status : copy_text(core, pointer, length, name, capacity);
}

int32_t moult_fetch_offset(moult *core, uint32_t *offset) {
  return call(core, MOULT_EXPORT_fetch_offset, 0, offset);
}

int32_t moult_fetch_limit(moult *core, uint32_t *limit) {
  return call(core, MOULT_EXPORT_fetch_limit, 0, limit);
}

int32_t moult_fetch_begin(moult *core, uint32_t offset) {
  return call_status(core, MOULT_EXPORT_fetch_begin, offset);
}

int32_t moult_fetch_write(moult *core, const void *bytes, uint32_t length) {
  return write_all(core, MOULT_EXPORT_fetch_write, bytes, length);
}

int32_t moult_fetch_end(moult *core, int32_t result) {
  return call_status(core, MOULT_EXPORT_fetch_end, (uint32_t)result);
}

int32_t moult_target_find(moult *core, const char *path) {
  size_t length = strlen(path);
  if (length > core->io_capacity) return MOULT_STATUS_NAME_TOO_LONG;
  return length == 0 ? call_status(core, MOULT_EXPORT_target_find, 0)
                     : write_all(core, MOULT_EXPORT_target_find, path, (uint32_t)length);
}

int32_t moult_image_confirm(moult *core) { return call_status(core, MOULT_EXPORT_image_confirm, 0); }

int32_t moult_image_reject(moult *core) { return call_status(core, MOULT_EXPORT_image_reject, 0); }

int32_t moult_state_read(moult *core, int32_t field, uint32_t *value) {
  return call(core, MOULT_EXPORT_state_read, (uint32_t)field, value);
}

int32_t moult_text_read(moult *core, int32_t field, char *text, uint32_t capacity) {
  int32_t length = call_status(core, MOULT_EXPORT_text_read, (uint32_t)field);
  return length < 0 ? length : copy_text(core, core->io_pointer, (uint32_t)length, text, capacity);
}
