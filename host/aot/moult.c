/* The core compiled ahead of time, behind moult.h. One at a time: its memory is part of the firmware. */
#include "moult.h"

#include <setjmp.h>
#include <string.h>

#include "aot.h"
#include "engine.h"

/* The core that is open, whose memory it is; and the one that runs now. Both may be NULL. */
static moult *owner;
static moult *active;

/* Where a call goes on that does not return, and why: written before the jump. */
static jmp_buf call_ended;
static int32_t why;

static void end(int32_t status) __attribute__((noreturn));

static void end(int32_t status) {
  why = status;
  longjmp(call_ended, 1);
}

void aot_trap(void) { end(MOULT_STATUS_TRAP); }

/* ---- what the core asks of the board ---- */

uint8_t *moult_memory_at(const moult *core, uint32_t pointer, uint32_t length) {
  (void)core;
  return pointer <= AOT_MEMORY && length <= AOT_MEMORY - pointer ? aot_memory() + pointer : NULL;
}

static const moult_import imports[] = {
#define X(number, module, name, parameters) [number] = moult_import_##name,
    AOT_IMPORT_LIST(X)
#undef X
};

/* Whenever the core asks for something is time to look at the clock: nothing else of it takes long. */
static void look_at_clock(const moult *core) {
  if (core->config.port->milliseconds == NULL) return;
  uint32_t passed = core->config.port->milliseconds(core->config.user) - core->began;
  if (passed > core->config.deadline) end(MOULT_STATUS_DEADLINE);
}

uint32_t aot_import(uint32_t number, const uint32_t *values) {
  int32_t result = 0;
  look_at_clock(active);
  int32_t status = imports[number](active, values, &result);
  if (status != 0) end(status);
  return (uint32_t)result;
}

/* ---- calling ---- */

typedef uint32_t (*exported)(const uint32_t *values);

/* NULL: this module does not have it. */
static const exported exports[MOULT_EXPORTS] = {
#define X(name, parameters, results) [MOULT_EXPORT_##name] = aot_##name,
    AOT_EXPORT_LIST(X)
#undef X
};

static void release(moult *core) {
  core->runtime = NULL;
  if (owner == core) owner = NULL;
}

int32_t moult_call(moult *core, enum moult_export function, uint32_t argument, uint32_t *result) {
  if (core->runtime == NULL) return core->ended != 0 ? core->ended : MOULT_STATUS_WRONG_STATE;
  if (active != NULL || exports[function] == NULL) return MOULT_STATUS_WRONG_STATE;
  const moult_port *port = core->config.port;
  *result = 0;
  if (port->milliseconds != NULL) core->began = port->milliseconds(core->config.user);
  active = core;
  if (setjmp(call_ended) == 0)
    *result = exports[function](&argument);
  else
    core->ended = why;
  active = NULL;
  if (core->ended != 0) release(core);
  return core->ended;
}

/* ---- opening ---- */

static int is_expected(const uint8_t *module_sha256) {
  static const uint8_t digest[] = AOT_SHA256;
  return module_sha256 == NULL || memcmp(digest, module_sha256, sizeof digest) == 0;
}

int32_t moult_open(moult *core, const moult_config *config) {
  if (active != NULL || (owner != NULL && owner != core)) return MOULT_STATUS_WRONG_STATE;
  memset(core, 0, sizeof *core);
  if (config->port == NULL) return MOULT_STATUS_BAD_ARGUMENT;
  if (!is_expected(config->module_sha256)) return MOULT_STATUS_MODULE_HASH;
  core->config = *config;
  core->runtime = owner = core;
  aot_reset();
  core->ended = moult_check(core);
  if (core->ended != 0) release(core);
  return core->ended;
}

void moult_close(moult *core) {
  release(core);
  core->ended = MOULT_STATUS_OK;
}

const char *moult_engine(void) { return "aot"; }
