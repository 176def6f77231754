/*
 * One translated module for Node, with the functions that the binding to wasm3 has (host/wasm3/node), so that the same
 * TypeScript (host/node/native.ts) makes of it what looks like `WebAssembly`:
 *
 *   load(bytes)                              -> { handle, memory, imports, exports }; the bytes were compiled already
 *   call(handle, function, imports, values)  -> the result, undefined, or the text of a trap
 *   global(handle, index)                    -> its value
 *
 * Calls of several instances may lie in one another: each is made the used one before its code runs, and again when an
 * import of it returns.
 */
#include <node_api.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "aot.h"
#include "common.h"

#define MOST_VALUES 8u

typedef struct instance {
  /* The handle and the memory's buffer each hold one. */
  unsigned references;
  bool busy;
  uint8_t compiled[] __attribute__((aligned(8)));
} instance;

/* A call that is under way. */
typedef struct run {
  instance *called;
  napi_env env;
  napi_value imports;
  /* NULL: none; else why it ended. */
  const char *trap;
  jmp_buf ended;
} run;

static run *running;

/* Says that an exception is pending; compared by address. */
static const char import_threw[] = "[trap] an imported function threw";

struct row {
  const char *module;
  const char *name;
  uint32_t parameters;
};

static const struct row imports[] = {
#define X(number, module, name, parameters) {#module, #name, parameters},
    AOT_IMPORT_LIST(X)
#undef X
    {NULL, NULL, 0}};

struct export {
  const char *name;
  uint32_t parameters;
  uint32_t results;
  uint32_t (*call)(const uint32_t *values);
};

static const struct export exports[] = {
#define X(name, parameters, results) {#name, parameters, results, aot_##name},
    AOT_EXPORT_LIST(X)
#undef X
    {NULL, 0, 0, NULL}};

struct global {
  const char *name;
  uint32_t (*value)(void);
};

static const struct global globals[] = {
#define X(name) {#name, aot_global_##name},
    AOT_GLOBAL_LIST(X)
#undef X
    {NULL, NULL}};

/* The last row of each table is none. */
#define HAS(table, index) ((index) + 1 < sizeof table / sizeof *table)

/* ---- life ---- */

static void end(const char *trap) __attribute__((noreturn));

static void end(const char *trap) {
  running->trap = trap;
  longjmp(running->ended, 1);
}

void aot_trap(void) { end("[trap] translated code"); }

static void release(napi_env env, void *data, void *hint) {
  instance *held = hint != NULL ? hint : data;
  (void)env;
  if (--held->references == 0) free(held);
}

/* ---- imports ---- */

static napi_status call_import(uint32_t number, const uint32_t *values, int32_t *into) {
  napi_env env = running->env;
  napi_value arguments[MOST_VALUES], function, undefined, result;
  napi_status status = napi_get_undefined(env, &undefined);
  for (uint32_t i = 0; i < imports[number].parameters && status == napi_ok; i++)
    status = napi_create_int32(env, (int32_t)values[i], &arguments[i]);
  if (status == napi_ok) status = napi_get_element(env, running->imports, number, &function);
  if (status == napi_ok)
    status = napi_call_function(env, undefined, function, imports[number].parameters, arguments, &result);
  if (status == napi_ok) status = napi_coerce_to_number(env, result, &result);
  return status == napi_ok ? napi_get_value_int32(env, result, into) : status;
}

uint32_t aot_import(uint32_t number, const uint32_t *values) {
  run *caller = running;
  napi_handle_scope scope;
  int32_t result = 0;
  if (napi_open_handle_scope(caller->env, &scope) != napi_ok) end(import_threw);
  napi_status status = call_import(number, values, &result);
  aot_use(caller->called->compiled);
  napi_close_handle_scope(caller->env, scope);
  if (status != napi_ok) end(import_threw);
  return (uint32_t)result;
}

/* ---- what the module has, for JavaScript ---- */

static napi_status list_imports(napi_env env, napi_value list) {
  napi_status status = napi_ok;
  for (uint32_t i = 0; HAS(imports, i) && status == napi_ok; i++)
    status = binding_append(env, list, imports[i].module, imports[i].name, i);
  return status;
}

static napi_status list_exports(napi_env env, napi_value list) {
  napi_status status = binding_append(env, list, "memory", "memory", 0);
  for (uint32_t i = 0; HAS(exports, i) && status == napi_ok; i++)
    status = binding_append(env, list, "function", exports[i].name, i);
  for (uint32_t i = 0; HAS(globals, i) && status == napi_ok; i++)
    status = binding_append(env, list, "global", globals[i].name, i);
  return status;
}

static napi_status set_list(napi_env env, napi_value object, const char *name,
                            napi_status (*fill)(napi_env, napi_value)) {
  napi_value list;
  napi_status status = napi_create_array(env, &list);
  if (status == napi_ok) status = fill(env, list);
  return status == napi_ok ? napi_set_named_property(env, object, name, list) : status;
}

/* Hands the instance over to JavaScript: from here on the collector of garbage ends it. */
static napi_status hand_over(napi_env env, instance *opened, napi_value object) {
  napi_value value;
  opened->references = 1;
  napi_status status = napi_create_external(env, opened, release, NULL, &value);
  if (status != napi_ok) {
    free(opened);
    return status;
  }
  status = napi_set_named_property(env, object, "handle", value);
  if (status != napi_ok) return status;
  status = napi_create_external_arraybuffer(env, aot_memory(), AOT_MEMORY, release, opened, &value);
  if (status == napi_ok) opened->references++;
  return status == napi_ok ? napi_set_named_property(env, object, "memory", value) : status;
}

/* ---- the three functions ---- */

static napi_value load(napi_env env, napi_callback_info info) {
  napi_value object;
  (void)info;
  instance *opened = calloc(1, sizeof *opened + aot_instance_length());
  if (opened == NULL) return binding_text(env, "out of memory");
  aot_use(opened->compiled);
  aot_reset();
  napi_status status = napi_create_object(env, &object);
  if (status != napi_ok) {
    free(opened);
    return binding_fail(env);
  }
  status = hand_over(env, opened, object);
  if (status == napi_ok) status = set_list(env, object, "imports", list_imports);
  if (status == napi_ok) status = set_list(env, object, "exports", list_exports);
  return status == napi_ok ? object : binding_fail(env);
}

/* Runs one export. NULL and its result, or the trap. */
static const char *enter(run *call, const struct export *function, const uint32_t *values, uint32_t *result) {
  run *before = running;
  running = call;
  call->called->busy = true;
  aot_use(call->called->compiled);
  if (setjmp(call->ended) == 0) *result = function->call(values);
  call->called->busy = false;
  running = before;
  return call->trap;
}

static napi_value call(napi_env env, napi_callback_info info) {
  napi_value arguments[4], value = NULL;
  size_t count = 4;
  uint32_t index = 0, result = 0;
  uint32_t values[MOST_VALUES] = {0};
  run call = {.env = env};
  napi_status status = napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  if (status == napi_ok) status = binding_get_target(env, arguments, (void **)&call.called, &index);
  if (status != napi_ok || !HAS(exports, index)) return binding_fail(env);
  if (call.called->busy) return binding_text(env, "[trap] called from one of its own imports");
  const struct export *function = &exports[index];
  if (binding_get_values(env, arguments[3], function->parameters, (int32_t *)values) != napi_ok) return binding_fail(env);
  call.imports = arguments[2];
  const char *trap = enter(&call, function, values, &result);
  if (trap == import_threw) return binding_fail(env);
  if (trap != NULL) return binding_text(env, trap);
  if (function->results == 0) return napi_get_undefined(env, &value) == napi_ok ? value : binding_fail(env);
  return napi_create_int32(env, (int32_t)result, &value) == napi_ok ? value : binding_fail(env);
}

static napi_value global(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  size_t count = 2;
  instance *held = NULL;
  uint32_t index = 0;
  napi_status status = napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  if (status == napi_ok) status = binding_get_target(env, arguments, (void **)&held, &index);
  if (status != napi_ok || !HAS(globals, index)) return binding_fail(env);
  aot_use(held->compiled);
  status = napi_create_int32(env, (int32_t)globals[index].value(), &result);
  return status == napi_ok ? result : binding_fail(env);
}

NAPI_MODULE_INIT() { return binding_set_functions(env, exports, load, call, global); }
