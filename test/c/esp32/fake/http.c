/* esp_http_client over real sockets, without TLS: HTTP/1.1 with connections that are kept, and chunks. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_http_client.h"

#define HEADERS 8
#define LINE 2048
#define TIMED_OUT -2

struct header {
  char key[32];
  char value[256];
};

struct esp_http_client {
  esp_http_client_config_t config;
  int timeout;
  int socket;
  char host[128];
  char port[8];
  char path[LINE];
  struct header headers[HEADERS];
  /* of the answer */
  int status;
  int chunked;
  int complete;
  int64_t length;
  int64_t processed;
  int64_t chunk;
  /* bytes that have come and were not looked at */
  char raw[1024];
  int next;
  int end;
};

static void hang_up(esp_http_client_handle_t client) {
  if (client->socket >= 0) close(client->socket);
  client->socket = -1;
  client->next = client->end = 0;
}

/* ---- requests ---- */

esp_err_t esp_http_client_set_url(esp_http_client_handle_t client, const char *url) {
  char host[128];
  char port[8] = "80";
  int taken = 0;
  if (sscanf(url, "http://%127[^:/]:%7[0-9]%n", host, port, &taken) < 2 &&
      sscanf(url, "http://%127[^:/]%n", host, &taken) < 1)
    return ESP_FAIL;
  if (strcmp(host, client->host) != 0 || strcmp(port, client->port) != 0) hang_up(client);
  strcpy(client->host, host);
  strcpy(client->port, port);
  if ((size_t)snprintf(client->path, sizeof client->path, "%s", url[taken] != 0 ? url + taken : "/") >= LINE) return ESP_FAIL;
  return ESP_OK;
}

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config) {
  esp_http_client_handle_t client = calloc(1, sizeof *client);
  if (client == NULL) return NULL;
  client->config = *config;
  client->timeout = config->timeout_ms;
  client->socket = -1;
  if (esp_http_client_set_url(client, config->url) == ESP_OK) return client;
  free(client);
  return NULL;
}

esp_err_t esp_http_client_delete_header(esp_http_client_handle_t client, const char *key) {
  for (int i = 0; i < HEADERS; i++)
    if (strcasecmp(client->headers[i].key, key) == 0) client->headers[i].key[0] = 0;
  return ESP_OK;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value) {
  (void)esp_http_client_delete_header(client, key);
  for (int i = 0; i < HEADERS; i++) {
    struct header *header = &client->headers[i];
    if (header->key[0] != 0) continue;
    snprintf(header->key, sizeof header->key, "%s", key);
    snprintf(header->value, sizeof header->value, "%s", value);
    return ESP_OK;
  }
  return ESP_ERR_NO_MEM;
}

esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int timeout_ms) {
  client->timeout = timeout_ms;
  return ESP_OK;
}

static int dial(const char *host, const char *port) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  int made = -1;
  if (getaddrinfo(host, port, &hints, &found) != 0) return -1;
  for (struct addrinfo *at = found; at != NULL && made < 0; at = at->ai_next) {
    made = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
    if (made >= 0 && connect(made, at->ai_addr, at->ai_addrlen) != 0) {
      close(made);
      made = -1;
    }
  }
  freeaddrinfo(found);
  return made;
}

static int send_all(int socket, const char *text, size_t length) {
  while (length > 0) {
    ssize_t sent = send(socket, text, length, MSG_NOSIGNAL);
    if (sent <= 0) return 0;
    text += sent;
    length -= (size_t)sent;
  }
  return 1;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len) {
  char text[2 * LINE + HEADERS * 300];
  (void)write_len;
  if (client->socket < 0) client->socket = dial(client->host, client->port);
  if (client->socket < 0) return ESP_ERR_HTTP_CONNECT;
  int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s:%s\r\nUser-Agent: %s\r\n", client->path, client->host,
                        client->port, client->config.user_agent);
  if (length > client->config.buffer_size_tx) return ESP_FAIL;
  for (int i = 0; i < HEADERS; i++)
    if (client->headers[i].key[0] != 0)
      length += snprintf(text + length, sizeof text - (size_t)length, "%s: %s\r\n", client->headers[i].key,
                         client->headers[i].value);
  length += snprintf(text + length, sizeof text - (size_t)length, "\r\n");
  if (send_all(client->socket, text, (size_t)length)) return ESP_OK;
  hang_up(client);
  return ESP_ERR_HTTP_WRITE_DATA;
}

/* ---- answers ---- */

/* How many bytes there are to look at. 0: the other end has closed; TIMED_OUT. */
static int fill(esp_http_client_handle_t client) {
  if (client->next < client->end) return client->end - client->next;
  struct pollfd waiting = {.fd = client->socket, .events = POLLIN};
  if (poll(&waiting, 1, client->timeout) == 0) return TIMED_OUT;
  ssize_t received = recv(client->socket, client->raw, sizeof client->raw, 0);
  client->next = 0;
  client->end = received > 0 ? (int)received : 0;
  return received < 0 ? -1 : client->end;
}

/* A line without its end. 0: it does not come. */
static int read_line(esp_http_client_handle_t client, char *line) {
  for (int length = 0; length < LINE - 1; length++) {
    if (fill(client) <= 0) return 0;
    line[length] = client->raw[client->next++];
    if (line[length] != '\n') continue;
    line[length > 0 && line[length - 1] == '\r' ? length - 1 : length] = 0;
    return 1;
  }
  return 0;
}

static void take_header(esp_http_client_handle_t client, char *line) {
  char *value = strchr(line, ':');
  if (value == NULL) return;
  *value++ = 0;
  value += strspn(value, " ");
  if (strcasecmp(line, "content-length") == 0) client->length = atoll(value);
  if (strcasecmp(line, "transfer-encoding") == 0) client->chunked = strcasecmp(value, "chunked") == 0;
  esp_http_client_event_t event = {.event_id = HTTP_EVENT_ON_HEADER, .client = client, .user_data = client->config.user_data,
                                   .header_key = line, .header_value = value};
  client->config.event_handler(&event);
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client) {
  char line[LINE];
  client->status = -1;
  client->chunked = client->complete = 0;
  client->length = -1;
  client->processed = client->chunk = 0;
  if (!read_line(client, line) || sscanf(line, "HTTP/1.%*d %d", &client->status) != 1) return ESP_FAIL;
  for (;;) {
    if (!read_line(client, line)) return ESP_FAIL;
    if (line[0] == 0) break;
    take_header(client, line);
  }
  if (client->length == 0 && !client->chunked) client->complete = 1;
  return client->length > 0 ? client->length : 0;
}

/* The bytes that may come next: of a chunk, of the announced length, or any. 0: the answer is at its end. */
static int64_t next_part(esp_http_client_handle_t client) {
  char line[LINE];
  if (client->complete) return 0;
  if (!client->chunked) return client->length >= 0 ? client->length - client->processed : (int64_t)sizeof client->raw;
  if (client->chunk > 0) return client->chunk;
  if (client->processed > 0 && !read_line(client, line)) return -1;
  if (!read_line(client, line)) return -1;
  client->chunk = strtoll(line, NULL, 16);
  if (client->chunk == 0) client->complete = read_line(client, line);
  return client->chunk;
}

/* As long as nothing is missing ESP-IDF fills what it was given. */
int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len) {
  int done = 0;
  while (done < len) {
    int64_t part = next_part(client);
    if (part <= 0) break;
    int there = fill(client);
    if (there == TIMED_OUT) return done > 0 ? done : -ESP_ERR_HTTP_EAGAIN;
    if (there == 0 && !client->chunked && client->length < 0) client->complete = 1;
    if (there <= 0) return done > 0 || esp_http_client_is_complete_data_received(client) ? done : ESP_FAIL;
    int take = len - done < there ? len - done : there;
    if (take > part) take = (int)part;
    memcpy(buffer + done, client->raw + client->next, (size_t)take);
    client->next += take;
    done += take;
    client->processed += take;
    if (client->chunked) client->chunk -= take;
  }
  return done;
}

int esp_http_client_get_status_code(esp_http_client_handle_t client) { return client->status; }

int64_t esp_http_client_get_content_length(esp_http_client_handle_t client) { return client->length; }

bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client) {
  if (client->chunked || client->length <= 0) return client->complete != 0;
  return client->processed == client->length;
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client) {
  hang_up(client);
  free(client);
  return ESP_OK;
}
