/*
 * First fit over one row of blocks. wasm3 asks some hundred times, nearly all of it at the start, so a
 * walk from the front is fast enough, and a header of 8 bytes is all that it costs.
 */
#include "heap.h"

#include <string.h>

#define UNIT 8u

typedef struct block {
  uint32_t size; /* of header and payload, a multiple of UNIT */
  uint32_t used; /* 0 or 1 */
} block;

moult_heap *moult_heap_active;
jmp_buf moult_heap_exhausted;

static block *at(uint8_t *address) { return (block *)(void *)address; }

static uint8_t *end_of(const moult_heap *heap) { return heap->start + heap->length; }

static uint8_t *after(block *b) { return (uint8_t *)b + b->size; }

static block *block_of(void *payload) { return at((uint8_t *)payload - sizeof(block)); }

void moult_heap_init(moult_heap *heap, void *memory, uint32_t length) {
  heap->start = memory;
  heap->length = length - length % UNIT;
  heap->peak = 0;
  *at(heap->start) = (block){heap->length, 0};
}

/* Joins the free blocks behind `b` to it. */
static void join(const moult_heap *heap, block *b) {
  while (after(b) < end_of(heap) && !at(after(b))->used) b->size += at(after(b))->size;
}

/* Marks the first `size` bytes of a block as used and leaves the rest free. */
static void take(moult_heap *heap, block *b, uint32_t size) {
  if (b->size - size >= 2 * sizeof(block)) {
    *at((uint8_t *)b + size) = (block){b->size - size, 0};
    b->size = size;
  }
  b->used = 1;
  uint32_t reached = (uint32_t)(after(b) - heap->start);
  if (reached > heap->peak) heap->peak = reached;
}

uint32_t moult_heap_free(const moult_heap *heap) {
  uint32_t last = 0;
  for (uint8_t *here = heap->start; here < end_of(heap); here = after(at(here))) {
    block *b = at(here);
    if (!b->used) join(heap, b);
    last = b->used ? 0 : b->size;
  }
  return last;
}

/* The size of a block for a payload; the heap itself bounds it, so that nothing wraps. */
static uint32_t block_size(const moult_heap *heap, size_t payload) {
  if (payload > heap->length) longjmp(moult_heap_exhausted, 1);
  return ((uint32_t)payload + UNIT - 1) / UNIT * UNIT + (uint32_t)sizeof(block);
}

static block *find(const moult_heap *heap, uint32_t size) {
  for (uint8_t *here = heap->start; here < end_of(heap); here = after(at(here))) {
    block *b = at(here);
    if (b->used) continue;
    join(heap, b);
    if (b->size >= size) return b;
  }
  longjmp(moult_heap_exhausted, 1);
}

void *moult_wasm3_calloc(size_t count, size_t size) {
  moult_heap *heap = moult_heap_active;
  if (count != 0 && size > SIZE_MAX / count) longjmp(moult_heap_exhausted, 1);
  uint32_t wanted = block_size(heap, count * size);
  block *b = find(heap, wanted);
  take(heap, b, wanted);
  return memset(b + 1, 0, b->size - sizeof(block));
}

void *moult_wasm3_realloc(void *pointer, size_t size) {
  if (pointer == NULL) return moult_wasm3_calloc(1, size);
  moult_heap *heap = moult_heap_active;
  uint32_t wanted = block_size(heap, size);
  block *old = block_of(pointer);
  uint32_t had = old->size;
  join(heap, old);
  if (old->size >= wanted) {
    take(heap, old, wanted);
    return pointer;
  }
  take(heap, old, had);
  void *moved = moult_wasm3_calloc(1, size);
  memcpy(moved, pointer, had - sizeof(block));
  moult_wasm3_free(pointer);
  return moved;
}

void moult_wasm3_free(void *pointer) {
  if (pointer != NULL) block_of(pointer)->used = 0;
}
