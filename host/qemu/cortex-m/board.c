/* Arm's MPS2 behind board.h: devices first, then the map of its flash. */
#include "board.h"

#include <string.h>

#include "boot.h"
#include "loader.h"
#include "machine.h"
#include "nor.h"

/* ---- the processor ---- */

#define SYSTICK_CONTROL 0xe000e010
#define SYSTICK_RELOAD 0xe000e014
#define SYSTICK_VALUE 0xe000e018
#define SYSTICK_ON 0x7 /* with its interrupt, from the clock of the processor */
#define LINES_ENABLE (0xe000e100 + 4 * UART_LINES_WORD)
#define LINES_CLEAR (0xe000e280 + 4 * UART_LINES_WORD)
#define INTERRUPT_CONTROL 0xe000ed04
#define CLEAR_SYSTICK (1u << 25)
#define RESET_CONTROL 0xe000ed0c
#define RESET_REQUEST 0x05fa0004

static volatile uint32_t *word_at(uintptr_t address) { return (volatile uint32_t *)address; }

void board_reset(void) {
  *word_at(RESET_CONTROL) = RESET_REQUEST;
  for (;;) continue;
}

/* ---- semihosting: for the time, which this machine has no clock for, and for the end ---- */

#define SYS_TIME 0x11
#define SYS_EXIT 0x18
#define SYS_ELAPSED 0x30
#define APPLICATION_EXIT 0x20026
#define RUNTIME_ERROR 0x20023

static uint32_t ask_emulator(uint32_t what, const void *with) {
  register uint32_t result __asm__("r0") = what;
  register const void *parameter __asm__("r1") = with;
  __asm__ volatile("bkpt 0xab" : "+r"(result) : "r"(parameter) : "memory");
  return result;
}

uint32_t board_seconds(void) { return ask_emulator(SYS_TIME, NULL); }

/* Nanoseconds since the emulator started, among the seconds at which it did. */
uint32_t board_noise(void) {
  uint64_t elapsed = 0;
  (void)ask_emulator(SYS_ELAPSED, &elapsed);
  return board_seconds() * 0x9e3779b1u ^ (uint32_t)(elapsed >> 10);
}

void board_off(int status) {
  (void)ask_emulator(SYS_EXIT, (const void *)(status == 0 ? APPLICATION_EXIT : RUNTIME_ERROR));
  for (;;) continue;
}

/* ---- clock and watchdog ---- */

#define WATCHDOG_CLEAR (WATCHDOG_TIMER + 0xc)

static uint32_t ticks(void) { return *word_at(COUNTER); }

void board_feed(void) { *word_at(WATCHDOG_CLEAR) = 1; }

/* The counter wraps in minutes, so it must be looked at more often than that; with the watchdog it is. */
uint32_t board_milliseconds(void) {
  static uint32_t now;
  static uint32_t counted;
  uint32_t passed = (ticks() - counted) / TICKS_PER_MILLISECOND;
  counted += passed * TICKS_PER_MILLISECOND;
  now += passed;
  board_feed();
  return now;
}

uint64_t board_instructions(void) { return (uint64_t)ticks() * INSTRUCTIONS_PER_TICK; }

/* ---- the UART, Arm's CMSDK ---- */

#define UART_DATA (UART + 0x0)
#define UART_STATE (UART + 0x4)
#define UART_CONTROL (UART + 0x8)
#define UART_CLEAR (UART + 0xc)
#define UART_DIVISOR (UART + 0x10)
#define UART_ON 0xb /* both ways, with an interrupt for what comes */
#define FULL 0x1
#define RECEIVED 0x2
#define LEAST_DIVISOR 16
#define BURST 2500u /* ticks */

static void open_line(void) {
  *word_at(UART_DIVISOR) = LEAST_DIVISOR;
  *word_at(UART_CONTROL) = UART_ON;
}

static void put(uint8_t byte) {
  while ((*word_at(UART_STATE) & FULL) != 0) continue;
  *word_at(UART_DATA) = byte;
}

/*
 * Sleeps until the line has something or the time has come. Interrupts wake the processor and are never taken: they are
 * masked. One that came before is acknowledged first, so that a look at the line is never too early.
 */
void board_sleep(uint32_t milliseconds) {
  if (milliseconds > WATCHDOG / 8) milliseconds = WATCHDOG / 8;
  (void)board_milliseconds();
  *word_at(UART_CLEAR) = RECEIVED;
  *word_at(LINES_CLEAR) = UART_LINES;
  if (milliseconds == 0 || (*word_at(UART_STATE) & RECEIVED) != 0) return;
  *word_at(SYSTICK_RELOAD) = milliseconds * TICKS_PER_MILLISECOND;
  *word_at(SYSTICK_VALUE) = 0;
  *word_at(SYSTICK_CONTROL) = SYSTICK_ON;
  __asm__ volatile("dsb\n wfi" : : : "memory");
  *word_at(SYSTICK_CONTROL) = 0;
  *word_at(INTERRUPT_CONTROL) = CLEAR_SYSTICK;
}

void board_open(void) {
  open_line();
  *word_at(LINES_ENABLE) = UART_LINES;
}

/* Whether something is there, after a short look: bytes come in bursts, and to sleep between two costs more. */
static int has_received(void) {
  uint32_t began = ticks();
  do {
    if ((*word_at(UART_STATE) & RECEIVED) != 0) return 1;
  } while (ticks() - began < BURST);
  return 0;
}

static int32_t stream_receive(void *user, void *to, uint32_t capacity, uint32_t wait_ms) {
  uint8_t *bytes = to;
  uint32_t count = 0;
  (void)user;
  if (!has_received()) board_sleep(wait_ms);
  while (count < capacity && has_received()) bytes[count++] = (uint8_t)*word_at(UART_DATA);
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
  open_line();
  while (*text != 0) put((uint8_t)*text++);
}

/* ---- the flash areas: all in bank 1 ---- */

#define ERASED 0xffu

/* Where each area of the core begins, the boot record's behind them; the last ends the one before it. */
static const uint32_t starts[] = {
    [MOULT_AREA_STORE_A] = 0x0,       [MOULT_AREA_STORE_B] = 0x8000, [MOULT_AREA_JOURNAL] = 0x10000,
    [MOULT_AREA_SLOT_A] = SLOT_A,     [MOULT_AREA_SLOT_B] = SLOT_B,  [MOULT_BOOT_AREA] = BOOT_RECORD,
    [MOULT_BOOT_AREA + 1] = FLASH_END,
};

int32_t board_flash_open(void) { return 0; }

static int32_t flash_read(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  (void)user;
  memcpy(to, (const uint8_t *)BANK_1 + starts[area] + offset, length);
  return 0;
}

static int32_t flash_write(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  (void)user;
  return nor_write(starts[area] + offset, from, length);
}

static int32_t flash_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  (void)user;
  return nor_erase(starts[area] + offset, length);
}

static uint32_t flash_size(void *user, int32_t area) {
  (void)user;
  return (uint32_t)area <= MOULT_BOOT_AREA ? starts[area + 1] - starts[area] : 0;
}

static uint32_t flash_block_end(void *user, int32_t area, uint32_t offset) {
  (void)user;
  (void)area;
  return (offset / BLOCK + 1) * BLOCK;
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
  return (const struct image_header *)(BANK_1 + (slot == 0 ? SLOT_A : SLOT_B));
}
