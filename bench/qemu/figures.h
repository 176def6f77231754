/* Between what counts (figures.c) and the engine that it counts (figures_wasm3.c, figures_aot.c). */
#ifndef FIGURES_H
#define FIGURES_H

#include <stdint.h>

void figures_number(uint64_t value);

/* A line "NAME NUMBER". */
void figures_row(const char *name, uint64_t value);

/* Ends all when a status is negative. */
void figures_require(int32_t status, const char *what);

/* A reset, as far as the core can tell. */
void figures_boot(int32_t state);

/* ---- of the engine ---- */

/* Before a core goes: what it took is to be noted. */
void figures_engine_closes(void);

/* At the end: rows of its own. */
void figures_engine(void);

#endif
