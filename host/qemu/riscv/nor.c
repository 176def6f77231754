/*
 * The driver of the flash. While a bank carries out commands it cannot be read, and the program that runs may lie in it:
 * so what is called from one command to the return to reading lies in RAM (.ramtext), calls nothing outside and uses no
 * constant from flash. No interrupt returns meanwhile: the watchdog's does not return at all.
 */
#include "nor.h"

#include "machine.h"

#define RAM_FUNCTION __attribute__((section(".ramtext"), noinline))

/* A command, a status bit, for both chips. */
#define BOTH(value) ((uint32_t)(value) << 16 | (uint32_t)(value))

#define READ_ARRAY BOTH(0xff)
#define QUERY BOTH(0x98)
#define CLEAR_STATUS BOTH(0x50)
#define ERASE BOTH(0x20)
#define WRITE_BUFFER BOTH(0xe8)
#define CONFIRM BOTH(0xd0)

#define CHIPS_READY BOTH(0x80)
/* Erase, program, voltage, protection. */
#define ERRORS BOTH(0x3a)

/* Where the query mode has the letters QRY, and the sizes as powers of two. */
#define QUERY_ADDRESS 0x55
#define QUERY_LETTERS 0x10
#define QUERY_SIZE 0x27
#define QUERY_BUFFER 0x2a
#define QUERY_BLOCK 0x2f

#define CHIPS 2u
#define LARGEST_BUFFER 128u

struct query {
  uint32_t letters[3];
  uint32_t size;
  uint32_t buffer;
  uint32_t block;
};

static RAM_FUNCTION void query(volatile uint32_t *base, struct query *answer) {
  base[QUERY_ADDRESS] = QUERY;
  for (uint32_t i = 0; i < 3; i++) answer->letters[i] = base[QUERY_LETTERS + i];
  answer->size = base[QUERY_SIZE] & 0xff;
  answer->buffer = base[QUERY_BUFFER] & 0xff;
  answer->block = (base[QUERY_BLOCK] & 0xff) | (base[QUERY_BLOCK + 1] & 0xff) << 8;
  *base = READ_ARRAY;
}

/* Waits for the chips; one that never gets ready is the watchdog's. */
static inline __attribute__((always_inline)) uint32_t await_ready(volatile uint32_t *address) {
  uint32_t status = 0;
  while ((status & CHIPS_READY) != CHIPS_READY) status = *address;
  return status;
}

/* Back to reading. Negative when there were errors. */
static inline __attribute__((always_inline)) int32_t finish(volatile uint32_t *address, uint32_t status) {
  if ((status & ERRORS) != 0) *address = CLEAR_STATUS;
  *address = READ_ARRAY;
  return (status & ERRORS) != 0 ? -1 : 0;
}

static inline __attribute__((always_inline)) uint32_t load(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Words that lie in one line of the write buffer. The status. */
static inline __attribute__((always_inline)) uint32_t write_line(volatile uint32_t *to, const uint8_t *from,
                                                                 uint32_t words) {
  *to = WRITE_BUFFER;
  await_ready(to);
  *to = BOTH(words - 1);
  for (uint32_t i = 0; i < words; i++) to[i] = load(from + 4 * i);
  *to = CONFIRM;
  return await_ready(to);
}

/* Line by line, each up to a multiple of `line` words from the start of the bank. */
static RAM_FUNCTION int32_t write_lines(volatile uint32_t *base, uint32_t at, const uint8_t *from, uint32_t words,
                                        uint32_t line) {
  uint32_t status = CHIPS_READY;
  while (words > 0 && (status & ERRORS) == 0) {
    uint32_t now = line - (at & (line - 1));
    if (now > words) now = words;
    status = write_line(base + at, from, now);
    at += now;
    from += 4 * now;
    words -= now;
  }
  return finish(base, status);
}

static RAM_FUNCTION int32_t erase_block(volatile uint32_t *block) {
  *block = ERASE;
  *block = CONFIRM;
  return finish(block, await_ready(block));
}

/* Bytes in the chips' write buffers: a power of two. */
static uint32_t buffer;

static volatile uint32_t *word_at(uint32_t offset) { return (volatile uint32_t *)(BANK_1 + offset); }

int32_t nor_open(void) {
  struct query found;
  query(word_at(0), &found);
  if (found.letters[0] != BOTH('Q') || found.letters[1] != BOTH('R') || found.letters[2] != BOTH('Y')) return -1;
  if (found.size > 28 || found.buffer < 2 || found.buffer > 15 || CHIPS * 256u * found.block != BLOCK) return -1;
  buffer = CHIPS << found.buffer;
  if (buffer > LARGEST_BUFFER) buffer = LARGEST_BUFFER;
  return CHIPS << found.size >= SLOT_B + SLOT_BYTES ? 0 : -1;
}

int32_t nor_write(uint32_t offset, const void *from, uint32_t length) {
  return length == 0 ? 0 : write_lines(word_at(0), offset / 4, from, length / 4, buffer / 4);
}

int32_t nor_erase(uint32_t offset, uint32_t length) {
  int32_t status = 0;
  for (; length > 0 && status == 0; offset += BLOCK, length -= BLOCK) status = erase_block(word_at(offset));
  return status;
}
