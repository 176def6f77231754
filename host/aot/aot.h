/*
 * Between a translated module (core.c, made by translate.mjs) and whoever carries it: moult.c, the Node binding, the
 * runner. Values are 32 bits wide. On a device there is one instance, static; with AOT_INSTANCES there are as many as
 * whoever carries it allocates.
 */
#ifndef MOULT_AOT_H
#define MOULT_AOT_H

#include <stdint.h>

#include "core.h"

/* ---- from the module ---- */

#ifdef AOT_INSTANCES
/* The bytes of an instance, 8-byte aligned, and the one that all other functions are for from now on. */
uint32_t aot_instance_length(void);
void aot_use(void *instance);
#endif

/* As it is when it is instantiated. Nothing is to be called before. */
void aot_reset(void);

/* Linear memory, AOT_MEMORY bytes. */
uint8_t *aot_memory(void);

/* An export: its parameters are where `values` points; 0 when it has no result. */
#define X(name, parameters, results) uint32_t aot_##name(const uint32_t *values);
AOT_EXPORT_LIST(X)
#undef X

#define X(name) uint32_t aot_global_##name(void);
AOT_GLOBAL_LIST(X)
#undef X

/* ---- from whoever carries it ---- */

/* An import, by its number in AOT_IMPORT_LIST, with its parameters. */
uint32_t aot_import(uint32_t number, const uint32_t *values);

/* What a trap does: it leaves the module for good (longjmp), or ends the process. */
void aot_trap(void) __attribute__((noreturn));

#endif
