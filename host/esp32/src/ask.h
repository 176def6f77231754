/*
 * Time servers over UDP with lwip's sockets, for the loop of a device (../../device/client.h). They are not trusted, nor is
 * the network: what comes is for the core to judge.
 */
#ifndef MOULT_ESP32_ASK_H
#define MOULT_ESP32_ASK_H

#include <stdint.h>

#include "client.h"

/* The longest "HOST:PORT". */
#define ESP32_ASK_SERVER 127u
/* The longest answer that the core takes, and one byte more: what is longer is refused, not cut. */
#define ESP32_ASK_ANSWER 1025u

/* Fill the servers and zero the rest. */
typedef struct esp32_asker {
  /* "HOST:PORT", with a space between two. */
  const char *servers;
  /* Not the caller's. */
  char server[ESP32_ASK_SERVER + 1];
  uint8_t answer[ESP32_ASK_ANSWER];
} esp32_asker;

/* Whether this is such a list; one of no server is none. */
int esp32_ask_takes(const char *servers);

/*
 * A moult_asker; `asker` is an esp32_asker. Asks one server after the other, each for up to a second, until one answers:
 * who has another key than the one that is asked for says nothing.
 */
int32_t esp32_ask_time(void *asker, const uint8_t *datagram, uint32_t length, moult_piece *answer);

#endif
