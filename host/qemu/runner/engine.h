/* What differs between the engines of the runner. What goes wrong ends the program. */
#ifndef MOULT_RUNNER_ENGINE_H
#define MOULT_RUNNER_ENGINE_H

#include <stdint.h>

/* Gives a module so many bytes of linear memory. */
void engine_load(uint32_t limit, const uint8_t *module, uint32_t length);

uint8_t *engine_memory(uint32_t *length);

/* Chooses an export; then calls it, with four arguments at most. 0 when it has no result. */
void engine_find(const char *name);
uint32_t engine_call(const uint32_t *arguments);

/* Bytes of memory that it takes in all. */
uint32_t engine_bytes(void);

/* Ends the program unless it holds. */
void require(int holds, const char *what, const char *why);

#endif
