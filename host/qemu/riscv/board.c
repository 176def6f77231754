/* The `virt` machine behind board.h: devices first, then the map of its flash. */
#include "board.h"

#include <string.h>

#include "boot.h"
#include "loader.h"
#include "machine.h"
#include "nor.h"

/* ---- devices ---- */

static volatile uint32_t *word_at(uintptr_t address) { return (volatile uint32_t *)address; }

static volatile uint8_t *byte_at(uintptr_t address) { return (volatile uint8_t *)address; }

/* From the counter of the processor: the timer itself shows the same, but to look at it costs the emulator more. */
static uint64_t ticks(void) {
  uint32_t high = 0;
  uint32_t low = 0;
  uint32_t again = 0;
  do {
    __asm__ volatile("csrr %0, timeh" : "=r"(high));
    __asm__ volatile("csrr %0, time" : "=r"(low));
    __asm__ volatile("csrr %0, timeh" : "=r"(again));
  } while (high != again);
  return (uint64_t)high << 32 | low;
}

/* The upper half last: in between the watchdog must not bite. */
void board_feed(void) {
  uint64_t due = ticks() + (uint64_t)WATCHDOG * TICKS_PER_MILLISECOND;
  *word_at(TIMER_COMPARE + 4) = UINT32_MAX;
  *word_at(TIMER_COMPARE) = (uint32_t)due;
  *word_at(TIMER_COMPARE + 4) = (uint32_t)(due >> 32);
}

/* Feeds now and then: to do it at each look would cost the emulator more than all else. */
uint32_t board_milliseconds(void) {
  static uint32_t fed;
  uint32_t now = (uint32_t)(ticks() / TICKS_PER_MILLISECOND);
  if (fed == 0 || now - fed >= WATCHDOG / 8) {
    fed = now;
    board_feed();
  }
  return now;
}

uint64_t board_instructions(void) {
  uint32_t high = 0;
  uint32_t low = 0;
  uint32_t again = 0;
  do {
    __asm__ volatile("csrr %0, instreth" : "=r"(high));
    __asm__ volatile("csrr %0, instret" : "=r"(low));
    __asm__ volatile("csrr %0, instreth" : "=r"(again));
  } while (high != again);
  return (uint64_t)high << 32 | low;
}

static uint64_t nanoseconds(void) {
  uint32_t low = *word_at(RTC);
  return (uint64_t)*word_at(RTC + 4) << 32 | low;
}

uint32_t board_seconds(void) { return (uint32_t)(nanoseconds() / 1000000000u); }

uint32_t board_noise(void) { return (uint32_t)(nanoseconds() >> 10); }

void board_reset(void) {
  *word_at(FINISHER) = FINISHER_RESET;
  for (;;) continue;
}

void board_off(int status) {
  *word_at(FINISHER) = status == 0 ? FINISHER_PASS : FINISHER_FAIL | (uint32_t)status << 16;
  for (;;) continue;
}

/* ---- the UART, an ns16550 ---- */

#define UART_DATA (UART + 0)
#define UART_INTERRUPTS (UART + 1)
#define UART_FIFO (UART + 2)
#define UART_STATUS (UART + 5)
#define FIFO_ON 0x01
#define BURST 1000u /* ticks */
#define RECEIVED 0x01
#define ROOM 0x20

#define WAKE_TIMER (1u << 5)
#define WAKE_DEVICE (1u << 9)

static void put(uint8_t byte) {
  while ((*byte_at(UART_STATUS) & ROOM) == 0) continue;
  *byte_at(UART_DATA) = byte;
}

/*
 * Sleeps until the line has something or the time has come. Interrupts wake the processor and are never taken: supervisor
 * mode has them pending only. One that came before is acknowledged first, so that a look at the line is never too early.
 */
static void sleep_until(uint64_t until) {
  uint32_t line = *word_at(INTERRUPT_CLAIM);
  if (line != 0) *word_at(INTERRUPT_CLAIM) = line;
  if ((*byte_at(UART_STATUS) & RECEIVED) != 0) return;
  __asm__ volatile("csrw 0x15d, %0" : : "r"(UINT32_MAX)); /* stimecmph, stimecmp */
  __asm__ volatile("csrw 0x14d, %0" : : "r"((uint32_t)until));
  __asm__ volatile("csrw 0x15d, %0" : : "r"((uint32_t)(until >> 32)));
  __asm__ volatile("wfi");
}

void board_sleep(uint32_t milliseconds) {
  if (milliseconds > WATCHDOG / 8) milliseconds = WATCHDOG / 8;
  (void)board_milliseconds();
  sleep_until(ticks() + (uint64_t)milliseconds * TICKS_PER_MILLISECOND);
}

void board_open(void) {
  *byte_at(UART_FIFO) = FIFO_ON;
  *byte_at(UART_INTERRUPTS) = RECEIVED;
  *word_at(INTERRUPTS + 4 * UART_INTERRUPT) = 1;
  *word_at(INTERRUPTS_ENABLED) = 1u << UART_INTERRUPT;
  __asm__ volatile("csrw sie, %0" : : "r"(WAKE_TIMER | WAKE_DEVICE));
}

/* Whether something is there, after a short look: bytes come in bursts, and to sleep between two costs more. */
static int has_received(void) {
  uint64_t began = ticks();
  do {
    if ((*byte_at(UART_STATUS) & RECEIVED) != 0) return 1;
  } while (ticks() - began < BURST);
  return 0;
}

static int32_t stream_receive(void *user, void *to, uint32_t capacity, uint32_t wait_ms) {
  uint8_t *bytes = to;
  uint32_t count = 0;
  (void)user;
  if (!has_received()) board_sleep(wait_ms);
  while (count < capacity && has_received()) bytes[count++] = *byte_at(UART_DATA);
  return (int32_t)count;
}

static int32_t stream_send(void *user, const void *from, uint32_t length) {
  const uint8_t *bytes = from;
  (void)user;
  for (uint32_t i = 0; i < length; i++) put(bytes[i]);
  return 0;
}

static uint32_t stream_milliseconds(void *user) {
  (void)user;
  return board_milliseconds();
}

const moult_stream board_stream = {stream_receive, stream_send, stream_milliseconds};

void board_print(const char *text) {
  while (*text != 0) put((uint8_t)*text++);
}

/* ---- the flash areas: all in bank 1 ---- */

#define UNIT 4u
#define ERASED 0xffu

struct area {
  uint32_t start;
  uint32_t blocks;
};

static const struct area areas[] = {
    [MOULT_AREA_STORE_A] = {0x000000, 1}, [MOULT_AREA_STORE_B] = {0x040000, 1}, [MOULT_AREA_JOURNAL] = {0x080000, 2},
    [MOULT_AREA_SLOT_A] = {SLOT_A, 2},    [MOULT_AREA_SLOT_B] = {SLOT_B, 2},    [MOULT_BOOT_AREA] = {0x100000, 2},
};

static nor bank;

int32_t board_flash_open(void) {
  const struct area *last = &areas[MOULT_AREA_SLOT_B];
  if (nor_open(&bank, BANK_1) != 0) return MOULT_STATUS_LAYOUT_INVALID;
  return bank.size >= last->start + last->blocks * bank.block ? 0 : MOULT_STATUS_LAYOUT_INVALID;
}

static int32_t flash_read(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  (void)user;
  memcpy(to, (const uint8_t *)BANK_1 + areas[area].start + offset, length);
  return 0;
}

static int32_t flash_write(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  (void)user;
  return nor_write(&bank, areas[area].start + offset, from, length);
}

static int32_t flash_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  (void)user;
  return nor_erase(&bank, areas[area].start + offset, length);
}

static uint32_t flash_size(void *user, int32_t area) {
  (void)user;
  return (uint32_t)area < sizeof areas / sizeof *areas ? areas[area].blocks * bank.block : 0;
}

static uint32_t flash_block_end(void *user, int32_t area, uint32_t offset) {
  (void)user;
  (void)area;
  return (offset / bank.block + 1) * bank.block;
}

static uint32_t flash_unit(void *user, int32_t area) {
  (void)user;
  (void)area;
  return ERASED << 16 | UNIT;
}

const moult_port board_flash = {
    .flash_read = flash_read,
    .flash_write = flash_write,
    .flash_erase = flash_erase,
    .flash_size = flash_size,
    .flash_block_end = flash_block_end,
    .flash_unit = flash_unit,
};

const struct image_header *loader_slot(int32_t slot) {
  int32_t area = slot == 0 ? MOULT_AREA_SLOT_A : MOULT_AREA_SLOT_B;
  return (const struct image_header *)(BANK_1 + areas[area].start);
}
