/* Time servers over UDP. The contract is in ask.h. */
#include "ask.h"

#include <string.h>
#include <unistd.h>

#include "lwip/netdb.h"
#include "lwip/sockets.h"

/* Seconds for an answer. */
#define TIMEOUT 1

/* How long the first server of a list is. */
static size_t server_length(const char *servers) { return strcspn(servers, " "); }

static const char *next_server(const char *servers) {
  servers += server_length(servers);
  return *servers == ' ' ? servers + 1 : servers;
}

static int is_server(const char *server) {
  size_t length = server_length(server);
  size_t port = strcspn(server, ": ") + 1;
  if (length > ESP32_ASK_SERVER || port == 1 || port >= length) return 0;
  return port + strspn(server + port, "0123456789") == length;
}

int esp32_ask_takes(const char *servers) {
  do {
    if (!is_server(servers)) return 0;
    servers = next_server(servers);
  } while (*servers != 0);
  return 1;
}

/* A socket that hears this server only, and not for long; negative: there is none. Cuts the text in two. */
static int dial(char *server) {
  const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
  const struct timeval patience = {.tv_sec = TIMEOUT};
  struct addrinfo *found = NULL;
  char *port = strchr(server, ':');
  *port++ = 0;
  if (getaddrinfo(server, port, &hints, &found) != 0) return -1;
  int made = socket(found->ai_family, found->ai_socktype, 0);
  if (made >= 0 && (setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
                    connect(made, found->ai_addr, found->ai_addrlen) != 0)) {
    (void)close(made);
    made = -1;
  }
  freeaddrinfo(found);
  return made;
}

/* The length of the answer; negative: there was none. */
static int exchange(esp32_asker *asker, const uint8_t *datagram, uint32_t length) {
  int made = dial(asker->server);
  if (made < 0) return -1;
  int received = -1;
  if (send(made, datagram, length, 0) == (int)length) received = (int)recv(made, asker->answer, sizeof asker->answer, 0);
  (void)close(made);
  return received;
}

int32_t esp32_ask_time(void *user, const uint8_t *datagram, uint32_t length, moult_piece *answer) {
  esp32_asker *asker = user;
  for (const char *at = asker->servers; *at != 0; at = next_server(at)) {
    memcpy(asker->server, at, server_length(at));
    asker->server[server_length(at)] = 0;
    int received = exchange(asker, datagram, length);
    if (received <= 0) continue;
    *answer = (moult_piece){.bytes = asker->answer, .length = (uint32_t)received, .last = 1};
    return MOULT_STATUS_OK;
  }
  return MOULT_STATUS_NETWORK;
}
