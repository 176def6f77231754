/* The caller's memory, handed out to wasm3. Allocations are 8-byte aligned and zeroed. */
#ifndef MOULT_HEAP_H
#define MOULT_HEAP_H

#include <setjmp.h>
#include <stddef.h>

#include "moult.h"

/* Where wasm3 allocates from now on; NULL: nowhere. */
extern moult_heap *moult_heap_active;

/*
 * Where to go on when the memory does not suffice. wasm3 does not survive a failed allocation
 * everywhere, so it never sees one: the whole heap is thrown away instead.
 */
extern jmp_buf moult_heap_exhausted;

/* `memory` is 8-byte aligned, `length` at least 16. */
void moult_heap_init(moult_heap *heap, void *memory, uint32_t length);

/* The bytes behind the last block in use: all that is free, when nothing was freed out of turn. */
uint32_t moult_heap_free(const moult_heap *heap);

/* The functions that wasm3 is compiled to call in place of calloc, realloc and free. */
void *moult_wasm3_calloc(size_t count, size_t size);
void *moult_wasm3_realloc(void *pointer, size_t size);
void moult_wasm3_free(void *pointer);

#endif
