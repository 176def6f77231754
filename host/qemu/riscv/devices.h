/* The devices that line.c and board.c both use: the counter, and the UART, an ns16550. */
#ifndef MOULT_DEVICES_H
#define MOULT_DEVICES_H

#include <stdint.h>

#include "machine.h"

#define UART_DATA (UART + 0)
#define UART_INTERRUPTS (UART + 1)
#define UART_FIFO (UART + 2)
#define UART_STATUS (UART + 5)
#define FIFO_ON 0x01
#define RECEIVED 0x01
#define ROOM 0x20

static inline volatile uint32_t *word_at(uintptr_t address) { return (volatile uint32_t *)address; }

static inline volatile uint8_t *byte_at(uintptr_t address) { return (volatile uint8_t *)address; }

/* The lower half of the counter. */
static inline uint32_t ticks(void) {
  uint32_t low = 0;
  __asm__ volatile("csrr %0, time" : "=r"(low));
  return low;
}

static inline void uart_open(void) { *byte_at(UART_FIFO) = FIFO_ON; }

static inline int uart_has_received(void) { return (*byte_at(UART_STATUS) & RECEIVED) != 0; }

static inline uint8_t uart_take(void) { return *byte_at(UART_DATA); }

static inline void uart_put(uint8_t byte) {
  while ((*byte_at(UART_STATUS) & ROOM) == 0) continue;
  *byte_at(UART_DATA) = byte;
}

#endif
