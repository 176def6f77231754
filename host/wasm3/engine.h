/*
 * Inside the shim: between what is the same everywhere (imports.c, calls.c) and the engine that runs the core, which is
 * wasm3 (moult.c) or the compiler that built the firmware (../aot/moult.c).
 */
#ifndef MOULT_ENGINE_H
#define MOULT_ENGINE_H

#include "moult.h"

/* ---- from the engine ---- */

/* Linear memory; NULL unless the whole range lies inside. */
uint8_t *moult_memory_at(const moult *core, uint32_t pointer, uint32_t length);

/* Calls an export. 0 and its result, or why the core has ended. */
int32_t moult_call(moult *core, enum moult_export function, uint32_t argument, uint32_t *result);

/* ---- for the engine ---- */

/* What a core that was just loaded says of itself: 0, ABI_VERSION or MODULE_INVALID. */
int32_t moult_check(moult *core);

/* An import. 0 and its result, or TRAP: the core has left its memory or its flash. */
typedef int32_t (*moult_import)(const moult *core, const uint32_t *arguments, int32_t *result);

#define X(name, signature) int32_t moult_import_##name(const moult *core, const uint32_t *arguments, int32_t *result);
MOULT_IMPORT_LIST(X)
#undef X

#endif
