#include "common.h"

#include <stdbool.h>
#include <stddef.h>

napi_value binding_fail(napi_env env) {
  const napi_extended_error_info *info = NULL;
  bool pending = false;
  napi_get_last_error_info(env, &info);
  const char *message = info != NULL && info->error_message != NULL ? info->error_message : "bad argument";
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, NULL, message);
  return NULL;
}

napi_value binding_text(napi_env env, const char *text) {
  napi_value value = NULL;
  return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok ? value : binding_fail(env);
}

napi_status binding_append(napi_env env, napi_value array, const char *first, const char *second, uint32_t index) {
  napi_value row, value;
  uint32_t length = 0;
  napi_status status = napi_create_array_with_length(env, 3, &row);
  if (status == napi_ok) status = napi_create_string_utf8(env, first, NAPI_AUTO_LENGTH, &value);
  if (status == napi_ok) status = napi_set_element(env, row, 0, value);
  if (status == napi_ok) status = napi_create_string_utf8(env, second, NAPI_AUTO_LENGTH, &value);
  if (status == napi_ok) status = napi_set_element(env, row, 1, value);
  if (status == napi_ok) status = napi_create_uint32(env, index, &value);
  if (status == napi_ok) status = napi_set_element(env, row, 2, value);
  if (status == napi_ok) status = napi_get_array_length(env, array, &length);
  return status == napi_ok ? napi_set_element(env, array, length, row) : status;
}

napi_status binding_get_target(napi_env env, const napi_value *arguments, void **instance, uint32_t *index) {
  napi_status status = napi_get_value_external(env, arguments[0], instance);
  return status == napi_ok ? napi_get_value_uint32(env, arguments[1], index) : status;
}

napi_status binding_get_values(napi_env env, napi_value array, uint32_t count, int32_t *values) {
  napi_status status = napi_ok;
  for (uint32_t i = 0; i < count && status == napi_ok; i++) {
    napi_value value;
    status = napi_get_element(env, array, i, &value);
    if (status == napi_ok) status = napi_coerce_to_number(env, value, &value);
    if (status == napi_ok) status = napi_get_value_int32(env, value, &values[i]);
  }
  return status;
}

napi_value binding_set_functions(napi_env env, napi_value exports, napi_callback load, napi_callback call,
                              napi_callback global) {
  const struct {
    const char *name;
    napi_callback function;
  } functions[] = {{"load", load}, {"call", call}, {"global", global}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value value;
    const char *name = functions[i].name;
    napi_status status = napi_create_function(env, name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &value);
    if (status == napi_ok) status = napi_set_named_property(env, exports, name, value);
    if (status != napi_ok) return binding_fail(env);
  }
  return exports;
}
