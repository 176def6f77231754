/*
 * Counts what a module costs, under wasm3 or compiled ahead of time (engine.h): instructions between two marks of a script, and memory. On an emulated board
 * by the machine's own counter (machine.h); on a PC, where it is run under callgrind, by what `measured` executes.
 *
 * The script lies behind the module in the inputs (bench/instructions.ts makes them), words in little endian:
 *
 *   how many bytes of linear memory the module is given
 *   module: its length, its bytes, filled up to a multiple of 4
 *   then steps, each a word with the kind and what belongs to it:
 *     0           the end
 *     1 WRITE     address, length, bytes, filled up to a multiple of 4
 *     2 CALL      name (32 bytes), arguments (4 words), what it must return (a word; ANY: whatever)
 *     3 MEASURE   name (32 bytes): the steps until the next one of this kind are its own; "" none's
 *     4 CHECK     address, length, bytes that must be there, filled up to a multiple of 4
 *
 * Output: one line a measure, its name and the instructions; and at the end "memory" with the bytes of heap.
 * `runner NAME` measures under callgrind the steps of that name alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "machine.h"

#define NAME 32u
#define ARGUMENTS 4u
#define ANY 0xffffffffu

enum kind { END, WRITE, CALL, MEASURE, CHECK };

extern const uint8_t inputs[];
__asm__(".section .rodata\n.balign 8\n.globl inputs\ninputs:\n.incbin \"" INPUTS "\"\n.text\n");

static const uint8_t *at = inputs;
/* What alone is measured on a PC; NULL: everything. */
static const char *wanted;

void require(int holds, const char *what, const char *why) {
  if (holds) return;
  printf("failed: %s: %s\n", what, why == NULL ? "" : why);
  exit(1);
}

static uint32_t word(void) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  at += sizeof value;
  return value;
}

static const uint8_t *bytes(uint32_t length) {
  const uint8_t *start = at;
  at += (length + 3) & ~3u;
  return start;
}

/* Linear memory that a step names. */
static uint8_t *memory_at(uint32_t address, uint32_t length) {
  uint32_t size = 0;
  uint8_t *memory = engine_memory(&size);
  require(address <= size && length <= size - address, "step", "outside the memory");
  return memory + address;
}

static void write_step(void) {
  uint32_t address = word(), length = word();
  memcpy(memory_at(address, length), bytes(length), length);
}

static void check_step(void) {
  uint32_t address = word(), length = word();
  require(memcmp(memory_at(address, length), bytes(length), length) == 0, "check", "other bytes");
}

/* Its own function, not inlined: under callgrind only what it executes is counted. */
uint32_t __attribute__((noinline)) measured(const uint32_t *arguments) { return engine_call(arguments); }

static uint64_t call_step(int counted) {
  const char *name = (const char *)bytes(NAME);
  uint32_t arguments[ARGUMENTS];
  memcpy(arguments, bytes(sizeof arguments), sizeof arguments);
  uint32_t expected = word();
  engine_find(name);
  uint64_t start = machine_instructions();
  uint32_t result = counted ? measured(arguments) : engine_call(arguments);
  uint64_t spent = machine_instructions() - start;
  require(expected == ANY || result == expected, name, "another result");
  return spent;
}

static void report(const char *name, uint64_t instructions) {
  if (*name != 0) printf("%s %lu\n", name, (unsigned long)instructions);
}

static void run_script(void) {
  const char *name = "";
  uint64_t instructions = 0;
  for (;;) {
    switch (word()) {
      case WRITE:
        write_step();
        break;
      case CALL:
        instructions += call_step(*name != 0 && (wanted == NULL || strcmp(wanted, name) == 0));
        break;
      case CHECK:
        check_step();
        break;
      case MEASURE:
        report(name, instructions);
        name = (const char *)bytes(NAME);
        instructions = 0;
        break;
      default:
        report(name, instructions);
        return;
    }
  }
}

int main(int count, char **values) {
  wanted = count > 1 ? values[1] : NULL;
  uint32_t limit = word(), length = word();
  engine_load(limit, bytes(length), length);
  run_script();
  printf("memory %lu\n", (unsigned long)engine_bytes());
  return 0;
}
