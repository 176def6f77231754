/*
 * Files over HTTP with esp_http_client, for the loop of a device (../../device/client.h): piece by piece, in constant
 * memory, as far as host/node/transfer.ts: ranges, answers to be gone on with, redirects within the origin, and an end to
 * what is too slow. The server is not trusted; what comes is for the core to judge.
 */
#ifndef MOULT_ESP32_FETCH_H
#define MOULT_ESP32_FETCH_H

#include <stdint.h>

#include "client.h"
#include "esp_http_client.h"

/* The most bytes that one read gives. */
#define ESP32_FETCH_PIECE 512u
/* The longest base address, with its closing slash. */
#define ESP32_FETCH_BASE 200u
/* A name of 320 bytes may be three times as long when it is percent-encoded. */
#define ESP32_FETCH_URL (ESP32_FETCH_BASE + 3 * 320 + 1)
/* The longest ETag that is remembered. */
#define ESP32_FETCH_TAG 80u

typedef struct esp32_headers {
  char location[ESP32_FETCH_URL];
  char tag[ESP32_FETCH_TAG];
  char range[64];
  /* The bytes are compressed, or otherwise not those of the file. */
  int encoded;
  /* The server ends the connection after this answer. */
  int closes;
} esp32_headers;

/* Fill the base addresses, each with a closing slash, by `enum moult_fetch_kind`; NULL: there is none. Zero the rest. */
typedef struct esp32_fetcher {
  const char *bases[MOULT_FETCH_KIND_DIRECTOR + 1];
  /* Not the caller's. NULL: no connection; else one that is free, or has an answer of which more is to come. */
  esp_http_client_handle_t http;
  int answering;
  /* Of which file, and its next byte. */
  int32_t kind;
  uint32_t at;
  char name[321];
  /* Its length; negative: the server does not say. */
  int64_t total;
  /* Milliseconds when it was asked for, and bytes that have come since. */
  uint32_t began;
  uint32_t received;
  /* Of the version that the bytes before came from; "": unknown. */
  char tag[ESP32_FETCH_TAG];
  esp32_headers headers;
  char url[ESP32_FETCH_URL];
  uint8_t piece[ESP32_FETCH_PIECE];
} esp32_fetcher;

/*
 * Whether these are base addresses that a fetcher takes: https, or http with CONFIG_MOULT_INSECURE_HTTP, with a closing
 * slash, no user, query or fragment, and not too long.
 */
int esp32_fetch_takes(const char *base);

/* A moult_reader; `fetcher` is an esp32_fetcher. The piece is good until the next call. */
int32_t esp32_fetch_read(void *fetcher, int32_t kind, const char *name, uint32_t offset, uint32_t wanted,
                         moult_piece *piece);

/* Ends the connection and gives its memory back, until the next read. */
void esp32_fetch_close(esp32_fetcher *fetcher);

#endif
