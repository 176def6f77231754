/* The `virt` machine behind board.h. */
#include "board.h"

#include "devices.h"

/* ---- clock, watchdog and end ---- */

/* From the counter of the processor: the timer itself shows the same, but to look at it costs the emulator more. */
static uint64_t all_ticks(void) {
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
  uint64_t due = all_ticks() + (uint64_t)WATCHDOG * TICKS_PER_MILLISECOND;
  *word_at(TIMER_COMPARE + 4) = UINT32_MAX;
  *word_at(TIMER_COMPARE) = (uint32_t)due;
  *word_at(TIMER_COMPARE + 4) = (uint32_t)(due >> 32);
}

/* Feeds now and then: to do it at each look would cost the emulator more than all else. */
uint32_t board_milliseconds(void) {
  static uint32_t fed;
  uint32_t now = (uint32_t)(all_ticks() / TICKS_PER_MILLISECOND);
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

/* ---- the UART ---- */

#define WAKE_TIMER (1u << 5)
#define WAKE_DEVICE (1u << 9)

/*
 * Sleeps until the line has something or the time has come. Interrupts wake the processor and are never taken: supervisor
 * mode has them pending only. One that came before is acknowledged first, so that a look at the line is never too early.
 */
static void sleep_until(uint64_t until) {
  uint32_t line = *word_at(INTERRUPT_CLAIM);
  if (line != 0) *word_at(INTERRUPT_CLAIM) = line;
  if (uart_has_received()) return;
  __asm__ volatile("csrw 0x15d, %0" : : "r"(UINT32_MAX)); /* stimecmph, stimecmp */
  __asm__ volatile("csrw 0x14d, %0" : : "r"((uint32_t)until));
  __asm__ volatile("csrw 0x15d, %0" : : "r"((uint32_t)(until >> 32)));
  __asm__ volatile("wfi");
}

void board_sleep(uint32_t milliseconds) {
  if (milliseconds > WATCHDOG / 8) milliseconds = WATCHDOG / 8;
  (void)board_milliseconds();
  sleep_until(all_ticks() + (uint64_t)milliseconds * TICKS_PER_MILLISECOND);
}

void board_open(void) {
  uart_open();
  *byte_at(UART_INTERRUPTS) = RECEIVED;
  *word_at(INTERRUPTS + 4 * UART_INTERRUPT) = 1;
  *word_at(INTERRUPTS_ENABLED) = 1u << UART_INTERRUPT;
  __asm__ volatile("csrw sie, %0" : : "r"(WAKE_TIMER | WAKE_DEVICE));
}
