/* Arm's MPS2 behind board.h. */
#include "board.h"

#include <stddef.h>

#include "devices.h"

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

/* ---- the UART ---- */

/*
 * Sleeps until the line has something or the time has come. Interrupts wake the processor and are never taken: they are
 * masked. One that came before is acknowledged first, so that a look at the line is never too early.
 */
void board_sleep(uint32_t milliseconds) {
  if (milliseconds > WATCHDOG / 8) milliseconds = WATCHDOG / 8;
  (void)board_milliseconds();
  *word_at(UART_CLEAR) = RECEIVED;
  *word_at(LINES_CLEAR) = UART_LINES;
  if (milliseconds == 0 || uart_has_received()) return;
  *word_at(SYSTICK_RELOAD) = milliseconds * TICKS_PER_MILLISECOND;
  *word_at(SYSTICK_VALUE) = 0;
  *word_at(SYSTICK_CONTROL) = SYSTICK_ON;
  __asm__ volatile("dsb\n wfi" : : : "memory");
  *word_at(SYSTICK_CONTROL) = 0;
  *word_at(INTERRUPT_CONTROL) = CLEAR_SYSTICK;
}

void board_open(void) {
  uart_open();
  *word_at(LINES_ENABLE) = UART_LINES;
}
