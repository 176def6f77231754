/* The stream of the link, over the UART of any machine. */
#include "board.h"
#include "devices.h"

#define BURST (TICKS_PER_MILLISECOND / 10u)

/* Whether something is there, after a short look: bytes come in bursts, and to sleep between two costs more. */
static int has_received(void) {
  uint32_t began = ticks();
  do {
    if (uart_has_received()) return 1;
  } while (ticks() - began < BURST);
  return 0;
}

static int32_t stream_receive(void *user, void *to, uint32_t capacity, uint32_t wait_ms) {
  uint8_t *bytes = to;
  uint32_t count = 0;
  (void)user;
  if (!has_received()) board_sleep(wait_ms);
  while (count < capacity && has_received()) bytes[count++] = uart_take();
  return (int32_t)count;
}

static int32_t stream_send(void *user, const void *from, uint32_t length) {
  const uint8_t *bytes = from;
  (void)user;
  for (uint32_t i = 0; i < length; i++) uart_put(bytes[i]);
  return 0;
}

static uint32_t stream_milliseconds(void *user) {
  (void)user;
  return board_milliseconds();
}

const moult_stream board_stream = {stream_receive, stream_send, stream_milliseconds};

void board_print(const char *text) {
  uart_open();
  while (*text != 0) uart_put((uint8_t)*text++);
}
