/*
 * wasm3 for Node: a module, its functions, its memory. host/node/wasm3.ts makes of it what looks like the part
 * of `WebAssembly` that the host uses. Values are i32 only, as in the core's ABI.
 *
 *   load(bytes)                              -> { handle, memory, imports, exports }, or the reason why not
 *   call(handle, function, imports, values)  -> the result, undefined, or the text of a trap
 *   global(handle, index)                    -> its value
 *
 * An exception of an imported function stays pending while wasm3 returns, so the caller of `call` gets the same
 * object. Nothing here is shared between threads or instances.
 */
#include <node_api.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "m3_env.h" /* wasm3's private header: what a module imports and exports has no function */
#include "wasm3.h"

#include "common.h"

#define WASM_STACK 4096u
#define MOST_VALUES 8u

/* Roughly what an instance takes besides its linear memory, so that the collector of garbage knows. */
#define INSTANCE_BYTES (512 * 1024)

/* Says that an exception is pending; compared by address. */
static const char import_threw[] = "[trap] an imported function threw";

typedef struct instance {
  IM3Environment environment;
  IM3Runtime runtime;
  IM3Module module;
  uint8_t *bytes;
  /* The handle and the memory's buffer each hold one. */
  unsigned references;
  /* Of the call that is running. */
  napi_env env;
  napi_value imports;
  bool busy;
} instance;

/* ---- allocation: the process's own ---- */

void *moult_wasm3_calloc(size_t count, size_t size);
void *moult_wasm3_realloc(void *pointer, size_t size);
void moult_wasm3_free(void *pointer);

void *moult_wasm3_calloc(size_t count, size_t size) { return calloc(count, size); }

void *moult_wasm3_realloc(void *pointer, size_t size) { return realloc(pointer, size); }

void moult_wasm3_free(void *pointer) { free(pointer); }

/* ---- life ---- */

static void destroy(instance *held) {
  if (held->runtime != NULL) m3_FreeRuntime(held->runtime); /* and with it a module that was loaded */
  if (held->environment != NULL) m3_FreeEnvironment(held->environment);
  free(held->bytes);
  free(held);
}

static void release(napi_env env, void *data, void *hint) {
  instance *held = hint;
  int64_t total = 0;
  (void)data;
  if (--held->references > 0) return;
  napi_adjust_external_memory(env, -INSTANCE_BYTES, &total);
  destroy(held);
}

/* ---- imports ---- */

/* The sum of the arguments' and the result's slots lies on wasm3's stack: the result first, if there is one. */
static napi_status call_import(instance *caller, IM3ImportContext context, uint64_t *slots, bool returns) {
  napi_env env = caller->env;
  napi_value values[MOST_VALUES], function, undefined, result;
  uint32_t count = m3_GetArgCount(context->function);
  int32_t value = 0;
  napi_status status = napi_get_undefined(env, &undefined);
  for (uint32_t i = 0; i < count && status == napi_ok; i++) {
    memcpy(&value, &slots[i + (returns ? 1 : 0)], sizeof value);
    status = napi_create_int32(env, value, &values[i]);
  }
  uint32_t index = (uint32_t)(uintptr_t)context->userdata;
  if (status == napi_ok) status = napi_get_element(env, caller->imports, index, &function);
  if (status == napi_ok) status = napi_call_function(env, undefined, function, count, values, &result);
  if (status != napi_ok || !returns) return status;
  status = napi_coerce_to_number(env, result, &result);
  if (status == napi_ok) status = napi_get_value_int32(env, result, &value);
  memcpy(slots, &value, sizeof value);
  return status;
}

static const void *import(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
  instance *caller = m3_GetUserData(runtime);
  napi_handle_scope scope;
  (void)memory;
  if (napi_open_handle_scope(caller->env, &scope) != napi_ok) return import_threw;
  napi_status status = call_import(caller, context, slots, m3_GetRetCount(context->function) == 1);
  napi_close_handle_scope(caller->env, scope);
  return status == napi_ok ? m3Err_none : import_threw;
}

/* ---- loading ---- */

static bool only_i32(IM3Function function) {
  uint32_t values = m3_GetArgCount(function), results = m3_GetRetCount(function);
  if (values > MOST_VALUES || results > 1) return false;
  for (uint32_t i = 0; i < values; i++)
    if (m3_GetArgType(function, i) != c_m3Type_i32) return false;
  return results == 0 || m3_GetRetType(function, 0) == c_m3Type_i32;
}

static M3Result link_imports(IM3Module module) {
  for (uint32_t i = 0; i < module->numFuncImports; i++) {
    const M3ImportInfo *name = &module->functions[i].import;
    if (!only_i32(&module->functions[i])) return "an import with values other than i32";
    M3Result end = m3_LinkRawFunctionEx(module, name->moduleUtf8, name->fieldUtf8, NULL, import,
                                        (const void *)(uintptr_t)i);
    if (end != m3Err_none) return end;
  }
  return m3Err_none;
}

static M3Result open_module(instance *opened, uint32_t length) {
  opened->environment = m3_NewEnvironment();
  if (opened->environment == NULL) return m3Err_mallocFailed;
  opened->runtime = m3_NewRuntime(opened->environment, WASM_STACK, opened);
  if (opened->runtime == NULL) return m3Err_mallocFailed;
  M3Result end = m3_ParseModule(opened->environment, &opened->module, opened->bytes, length);
  if (end != m3Err_none) return end;
  end = m3_LoadModule(opened->runtime, opened->module);
  if (end != m3Err_none) {
    m3_FreeModule(opened->module);
    return end;
  }
  if (opened->module->startFunction >= 0) return "a start function, which is not supported";
  end = link_imports(opened->module);
  return end == m3Err_none ? m3_CompileModule(opened->module) : end;
}

/* ---- what a module has, for JavaScript ---- */

static napi_status list_imports(napi_env env, IM3Module module, napi_value list) {
  napi_status status = napi_ok;
  for (uint32_t i = 0; i < module->numFuncImports && status == napi_ok; i++) {
    const M3ImportInfo *name = &module->functions[i].import;
    status = binding_append(env, list, name->moduleUtf8, name->fieldUtf8, i);
  }
  return status;
}

static napi_status list_exports(napi_env env, IM3Module module, napi_value list) {
  napi_status status = napi_ok;
  if (module->memoryExportName != NULL) status = binding_append(env, list, "memory", module->memoryExportName, 0);
  for (uint32_t i = 0; i < module->numFunctions && status == napi_ok; i++)
    if (module->functions[i].export_name != NULL && only_i32(&module->functions[i]))
      status = binding_append(env, list, "function", module->functions[i].export_name, i);
  for (uint32_t i = 0; i < module->numGlobals && status == napi_ok; i++)
    if (module->globals[i].name != NULL && module->globals[i].type == c_m3Type_i32)
      status = binding_append(env, list, "global", module->globals[i].name, i);
  return status;
}

static napi_status set_list(napi_env env, napi_value object, const char *name, IM3Module module,
                            napi_status (*fill)(napi_env, IM3Module, napi_value)) {
  napi_value list;
  napi_status status = napi_create_array(env, &list);
  if (status == napi_ok) status = fill(env, module, list);
  return status == napi_ok ? napi_set_named_property(env, object, name, list) : status;
}

/* Hands the instance over to JavaScript: from here on the collector of garbage ends it. */
static napi_status hand_over(napi_env env, instance *opened, napi_value object) {
  napi_value value;
  uint32_t size = 0;
  int64_t total = 0;
  uint8_t *memory = m3_GetMemory(opened->runtime, &size, 0);
  opened->references = 1;
  napi_status status = napi_create_external(env, opened, release, opened, &value);
  if (status != napi_ok) {
    destroy(opened);
    return status;
  }
  napi_adjust_external_memory(env, INSTANCE_BYTES, &total);
  status = napi_set_named_property(env, object, "handle", value);
  if (status != napi_ok || memory == NULL) return status;
  status = napi_create_external_arraybuffer(env, memory, size, release, opened, &value);
  if (status == napi_ok) opened->references++;
  return status == napi_ok ? napi_set_named_property(env, object, "memory", value) : status;
}

static napi_status describe(napi_env env, instance *opened, napi_value *object) {
  napi_status status = napi_create_object(env, object);
  if (status != napi_ok) {
    destroy(opened);
    return status;
  }
  status = hand_over(env, opened, *object);
  if (status == napi_ok) status = set_list(env, *object, "imports", opened->module, list_imports);
  if (status == napi_ok) status = set_list(env, *object, "exports", opened->module, list_exports);
  return status;
}

/* ---- the three functions ---- */

static napi_value undefined(napi_env env) {
  napi_value value = NULL;
  napi_get_undefined(env, &value);
  return value;
}

static napi_value load(napi_env env, napi_callback_info info) {
  napi_value argument, object;
  size_t count = 1, length = 0;
  void *bytes = NULL;
  napi_status status = napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  if (status == napi_ok) status = napi_get_typedarray_info(env, argument, NULL, &length, &bytes, NULL, NULL);
  if (status != napi_ok || length > UINT32_MAX) return binding_fail(env);
  instance *opened = calloc(1, sizeof *opened);
  if (opened != NULL) opened->bytes = malloc(length + 1);
  if (opened == NULL || opened->bytes == NULL) {
    free(opened);
    return binding_text(env, m3Err_mallocFailed);
  }
  if (length > 0) memcpy(opened->bytes, bytes, length);
  M3Result end = open_module(opened, (uint32_t)length);
  if (end != m3Err_none) {
    destroy(opened);
    return binding_text(env, end);
  }
  return describe(env, opened, &object) == napi_ok ? object : binding_fail(env);
}

static M3Result enter(instance *called, IM3Function function, const int32_t *values) {
  const void *pointers[MOST_VALUES];
  for (uint32_t i = 0; i < MOST_VALUES; i++) pointers[i] = &values[i];
  called->busy = true;
  M3Result end = m3_Call(function, m3_GetArgCount(function), pointers);
  called->busy = false;
  return end;
}

static napi_value result_of(napi_env env, IM3Function function) {
  int32_t value = 0;
  const void *pointers[] = {&value};
  napi_value result = NULL;
  if (m3_GetRetCount(function) == 0) return undefined(env);
  M3Result end = m3_GetResults(function, 1, pointers);
  if (end != m3Err_none) return binding_text(env, end);
  return napi_create_int32(env, value, &result) == napi_ok ? result : binding_fail(env);
}

static napi_value call(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t count = 4;
  instance *called = NULL;
  uint32_t index = 0;
  int32_t values[MOST_VALUES] = {0};
  napi_status status = napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  if (status == napi_ok) status = binding_get_target(env, arguments, (void **)&called, &index);
  if (status != napi_ok || index >= called->module->numFunctions) return binding_fail(env);
  if (called->busy) return binding_text(env, "[trap] called from one of its own imports");
  IM3Function function = &called->module->functions[index];
  status = binding_get_values(env, arguments[3], m3_GetArgCount(function), values);
  if (status != napi_ok) return binding_fail(env);
  called->env = env;
  called->imports = arguments[2];
  M3Result end = enter(called, function, values);
  if (end == import_threw) return binding_fail(env);
  return end != m3Err_none ? binding_text(env, end) : result_of(env, function);
}

static napi_value global(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  size_t count = 2;
  instance *called = NULL;
  uint32_t index = 0;
  napi_status status = napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  if (status == napi_ok) status = binding_get_target(env, arguments, (void **)&called, &index);
  if (status != napi_ok || index >= called->module->numGlobals) return binding_fail(env);
  status = napi_create_int32(env, called->module->globals[index].i32Value, &result);
  return status == napi_ok ? result : binding_fail(env);
}

NAPI_MODULE_INIT() { return binding_set_functions(env, exports, load, call, global); }
