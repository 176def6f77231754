/* What the bindings for Node have in common: values from and to JavaScript, errors, the three functions. */
#ifndef MOULT_BINDING_COMMON_H
#define MOULT_BINDING_COMMON_H

#include <node_api.h>
#include <stdint.h>

/* The last error of the API, as an exception, unless one is pending. NULL. */
napi_value binding_fail(napi_env env);

napi_value binding_text(napi_env env, const char *text);

/* Appends [first, second, index] to an array. */
napi_status binding_append(napi_env env, napi_value array, const char *first, const char *second, uint32_t index);

/* The first two arguments: an instance, then an index. */
napi_status binding_get_target(napi_env env, const napi_value *arguments, void **instance, uint32_t *index);

/* Reads so many values for a function from an array, missing ones as 0. */
napi_status binding_get_values(napi_env env, napi_value array, uint32_t count, int32_t *values);

/* Gives `exports` its functions. Returns it, or NULL with an exception. */
napi_value binding_set_functions(napi_env env, napi_value exports, napi_callback load, napi_callback call,
                              napi_callback global);

#endif
