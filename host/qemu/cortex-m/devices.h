/* The devices that line.c and board.c both use: the counter, and the UART, Arm's CMSDK. */
#ifndef MOULT_DEVICES_H
#define MOULT_DEVICES_H

#include <stdint.h>

#include "machine.h"

#define UART_DATA (UART + 0x0)
#define UART_STATE (UART + 0x4)
#define UART_CONTROL (UART + 0x8)
#define UART_CLEAR (UART + 0xc)
#define UART_DIVISOR (UART + 0x10)
#define UART_ON 0xb /* both ways, with an interrupt for what comes */
#define FULL 0x1
#define RECEIVED 0x2
#define LEAST_DIVISOR 16

static inline volatile uint32_t *word_at(uintptr_t address) { return (volatile uint32_t *)address; }

static inline uint32_t ticks(void) { return *word_at(COUNTER); }

static inline void uart_open(void) {
  *word_at(UART_DIVISOR) = LEAST_DIVISOR;
  *word_at(UART_CONTROL) = UART_ON;
}

static inline int uart_has_received(void) { return (*word_at(UART_STATE) & RECEIVED) != 0; }

static inline uint8_t uart_take(void) { return (uint8_t)*word_at(UART_DATA); }

static inline void uart_put(uint8_t byte) {
  while ((*word_at(UART_STATE) & FULL) != 0) continue;
  *word_at(UART_DATA) = byte;
}

#endif
