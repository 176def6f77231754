/* Files over HTTP. The contract is in fetch.h. */
#include "fetch.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "esp_crt_bundle.h"
#include "esp_timer.h"
#include "sdkconfig.h"

/* Milliseconds: for a connection and the headers of an answer, and for more bytes of it. */
#define CONNECT_TIMEOUT 15000
#define READ_TIMEOUT 1000
/* Milliseconds that an answer may lag behind its slowest rate, in bytes a second. */
#define PATIENCE 30000u
#define SLOWEST 128u
/* Bytes that are asked for at once: ESP-IDF waits for the last of them, each time anew for the next one. */
#define AT_ONCE 32
#define REDIRECTS 3
/* Bytes of the text of an error that are read before the connection is given up. */
#define DISCARDED 4096
/* Buffers of esp_http_client: what it receives at once, and the first line of a request. */
#define RECEIVE_BUFFER 1024
#define REQUEST_BUFFER ((int)ESP32_FETCH_URL + 64)

static uint32_t milliseconds(void) { return (uint32_t)(esp_timer_get_time() / 1000); }

static int is_late(const esp32_fetcher *fetcher) {
  return milliseconds() - fetcher->began > PATIENCE + fetcher->received / SLOWEST * 1000;
}

/* ---- addresses ---- */

static int starts(const char *text, const char *beginning) { return strncmp(text, beginning, strlen(beginning)) == 0; }

/* Plain HTTP says on the way which device asks for what, and lets everybody hold updates up: not unless it is wanted. */
static int has_scheme(const char *address) {
#ifdef CONFIG_MOULT_INSECURE_HTTP
  if (starts(address, "http://")) return 1;
#endif
  return starts(address, "https://");
}

/* From the scheme to the end of host and port. */
static size_t origin_length(const char *address) {
  const char *host = strstr(address, "//") + 2;
  return (size_t)(host - address) + strcspn(host, "/");
}

int esp32_fetch_takes(const char *base) {
  size_t length = strlen(base);
  if (!has_scheme(base) || length > ESP32_FETCH_BASE || base[length - 1] != '/') return 0;
  return origin_length(base) < length && strpbrk(base, "@?# ") == NULL;
}

static int is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != 0 && strchr("-._~/", c));
}

/* A name that could leave its base address: an empty part, "." or "..". */
static int is_misnamed(const char *name) {
  for (const char *part = name;; part++) {
    size_t length = strcspn(part, "/");
    if (length == 0 || (length == 1 && part[0] == '.') || (length == 2 && part[0] == '.' && part[1] == '.')) return 1;
    part += length;
    if (*part == 0) return 0;
  }
}

static const char *base_of(const esp32_fetcher *fetcher, int32_t kind) {
  return kind >= 0 && kind <= MOULT_FETCH_KIND_DIRECTOR ? fetcher->bases[kind] : NULL;
}

/* Of metadata a name is percent-encoded already; of a target it is the path. 0: it cannot be asked for. */
static int make_url(esp32_fetcher *fetcher) {
  static const char digits[] = "0123456789ABCDEF";
  int metadata = fetcher->kind != MOULT_FETCH_KIND_TARGET;
  const char *base = base_of(fetcher, fetcher->kind);
  if (base == NULL || is_misnamed(fetcher->name) || (metadata && strchr(fetcher->name, '/') != NULL)) return 0;
  size_t length = strlen(base);
  char *to = fetcher->url + length; /* base and three times the name fit, see ESP32_FETCH_URL */
  memcpy(fetcher->url, base, length);
  for (const char *from = fetcher->name; *from != 0; from++) {
    uint8_t byte = (uint8_t)*from;
    if (is_plain(*from) || (metadata && *from == '%')) {
      *to++ = *from;
    } else {
      *to++ = '%';
      *to++ = digits[byte >> 4];
      *to++ = digits[byte & 15];
    }
  }
  *to = 0;
  return 1;
}

/* ---- the connection ---- */

/* What does not fit is as if it had not been sent. */
static void keep(char *to, size_t capacity, const char *value) {
  size_t length = strlen(value);
  if (length < capacity) memcpy(to, value, length + 1);
}

static esp_err_t on_event(esp_http_client_event_t *event) {
  esp32_headers *headers = event->user_data;
  if (event->event_id != HTTP_EVENT_ON_HEADER) return ESP_OK;
  const char *key = event->header_key;
  const char *value = event->header_value;
  if (strcasecmp(key, "location") == 0) keep(headers->location, sizeof headers->location, value);
  if (strcasecmp(key, "content-range") == 0) keep(headers->range, sizeof headers->range, value);
  /* RFC 9110, 8.8.1: a weak one stands for several versions */
  if (strcasecmp(key, "etag") == 0 && value[0] == '"') keep(headers->tag, sizeof headers->tag, value);
  if (strcasecmp(key, "content-encoding") == 0) headers->encoded |= strcasecmp(value, "identity") != 0;
  if (strcasecmp(key, "connection") == 0) headers->closes |= strcasecmp(value, "close") == 0;
  return ESP_OK;
}

void esp32_fetch_close(esp32_fetcher *fetcher) {
  fetcher->answering = 0;
  if (fetcher->http != NULL) esp_http_client_cleanup(fetcher->http);
  fetcher->http = NULL;
}

static int connect_to(esp32_fetcher *fetcher) {
  const esp_http_client_config_t config = {
      .url = fetcher->url,
      .event_handler = on_event,
      .user_data = &fetcher->headers,
      .user_agent = "moult",
      .timeout_ms = CONNECT_TIMEOUT,
      .disable_auto_redirect = true,
      .max_authorization_retries = -1,
      .buffer_size = RECEIVE_BUFFER,
      .buffer_size_tx = REQUEST_BUFFER,
      .crt_bundle_attach = esp_crt_bundle_attach,
      .keep_alive_enable = true,
  };
  fetcher->http = esp_http_client_init(&config);
  return fetcher->http != NULL && esp_http_client_set_header(fetcher->http, "Accept-Encoding", "identity") == ESP_OK;
}

/* "bytes=N-": at most 17 characters. */
static void range_from(char *text, uint32_t offset) {
  char digits[10];
  int count = 0;
  do digits[count++] = (char)('0' + offset % 10);
  while ((offset /= 10) > 0);
  strcpy(text, "bytes=");
  text += strlen(text);
  while (count > 0) *text++ = digits[--count];
  strcpy(text, "-");
}

/* The headers that depend on where the answer is to begin. */
static int set_range(esp32_fetcher *fetcher, uint32_t offset) {
  char range[20];
  range_from(range, offset);
  (void)esp_http_client_delete_header(fetcher->http, "Range");
  (void)esp_http_client_delete_header(fetcher->http, "If-Range");
  if (offset == 0) return 1;
  if (esp_http_client_set_header(fetcher->http, "Range", range) != ESP_OK) return 0;
  /* RFC 9110, 13.1.5: another version of the file is sent whole */
  return fetcher->tag[0] == 0 || esp_http_client_set_header(fetcher->http, "If-Range", fetcher->tag) == ESP_OK;
}

/* Sends a request and reads the headers of the answer. Its HTTP status, or negative. */
static int ask_once(esp32_fetcher *fetcher, uint32_t offset) {
  memset(&fetcher->headers, 0, sizeof fetcher->headers);
  if (fetcher->http == NULL && !connect_to(fetcher)) return -1;
  if (esp_http_client_set_url(fetcher->http, fetcher->url) != ESP_OK || !set_range(fetcher, offset)) return -1;
  (void)esp_http_client_set_timeout_ms(fetcher->http, CONNECT_TIMEOUT);
  if (esp_http_client_open(fetcher->http, 0) != ESP_OK || esp_http_client_fetch_headers(fetcher->http) < 0) return -1;
  (void)esp_http_client_set_timeout_ms(fetcher->http, READ_TIMEOUT);
  return esp_http_client_get_status_code(fetcher->http);
}

/* A connection that was kept may have ended meanwhile: then once more with a new one. */
static int ask(esp32_fetcher *fetcher, uint32_t offset) {
  int kept = fetcher->http != NULL;
  int status = ask_once(fetcher, offset);
  if (status >= 0 || !kept) return status;
  esp32_fetch_close(fetcher);
  return ask_once(fetcher, offset);
}

/* Up to `capacity` bytes of the answer. 0: that was all; negative: it broke off, or is too slow. */
static int receive(esp32_fetcher *fetcher, uint8_t *to, int capacity) {
  for (int done = 0;;) {
    int wanted = capacity - done < AT_ONCE ? capacity - done : AT_ONCE;
    int length = esp_http_client_read(fetcher->http, (char *)to + done, wanted);
    if (length > 0) {
      fetcher->received += (uint32_t)length;
      done += length;
    }
    if (is_late(fetcher)) return -1;
    if (length == wanted && done < capacity) continue;
    if (done > 0) return done;
    if (length == 0) return esp_http_client_is_complete_data_received(fetcher->http) ? 0 : -1;
    if (length != -ESP_ERR_HTTP_EAGAIN) return -1;
  }
}

/* Keeps the connection for the next request, if it can be. An answer that was not read to its end would be in the way. */
static void finish(esp32_fetcher *fetcher) {
  fetcher->answering = 0;
  if (fetcher->headers.closes) esp32_fetch_close(fetcher);
}

/* Reads the text that comes with an error; a long one ends the connection. */
static void discard(esp32_fetcher *fetcher) {
  int length = 1;
  for (int read = 0; length > 0 && read < DISCARDED; read += length)
    length = receive(fetcher, fetcher->piece, sizeof fetcher->piece);
  if (length == 0)
    finish(fetcher);
  else
    esp32_fetch_close(fetcher);
}

/* ---- redirects ---- */

/* Puts where an answer points to into `url`. 0: another origin, or nothing that is understood. */
static int follow(esp32_fetcher *fetcher) {
  const char *location = fetcher->headers.location;
  size_t origin = origin_length(fetcher->url);
  size_t length = strlen(location);
  int whole = strncmp(location, fetcher->url, origin) == 0 && location[origin] == '/';
  int path = location[0] == '/' && location[1] != '/';
  if (strchr(location, '#') != NULL || (!whole && !path)) return 0;
  if (whole) origin = 0;
  if (origin + length >= sizeof fetcher->url) return 0;
  memcpy(fetcher->url + origin, location, length + 1);
  return 1;
}

static int is_redirect(int status) { return status >= 300 && status <= 399 && status != 304; }

/* Asks, and again where the answer points to. The HTTP status; negative: no answer. */
static int ask_following(esp32_fetcher *fetcher, uint32_t offset) {
  for (int hops = 0; hops <= REDIRECTS; hops++) {
    int status = ask(fetcher, offset);
    if (!is_redirect(status)) return status;
    discard(fetcher);
    if (!follow(fetcher)) return -1;
  }
  return -1;
}

/* ---- answers ---- */

/* "bytes FIRST-LAST/TOTAL", TOTAL may be "*", which is -1. */
struct range {
  int64_t first;
  int64_t last;
  int64_t total;
};

/* A number and what follows it. 0: there is none, or one that no file here is as long as. */
static int take_number(const char **text, int64_t *value, char behind) {
  const char *from = *text;
  for (*value = 0; **text >= '0' && **text <= '9' && *value <= UINT32_MAX; ++*text) *value = *value * 10 + **text - '0';
  if (*text == from || **text != behind || *value > UINT32_MAX) return 0;
  *text += behind != 0;
  return 1;
}

static int read_range(const char *text, struct range *range) {
  if (strncmp(text, "bytes ", 6) != 0) return 0;
  text += 6;
  if (!take_number(&text, &range->first, '-') || !take_number(&text, &range->last, '/')) return 0;
  if (range->last < range->first) return 0;
  range->total = -1;
  if (strcmp(text, "*") == 0) return 1;
  return take_number(&text, &range->total, 0) && range->total > range->last;
}

/* What `Content-Length` says; -1: nothing. ESP-IDF has 0 both for that and for an empty file. */
static int64_t content_length(const esp32_fetcher *fetcher) {
  int64_t length = esp_http_client_get_content_length(fetcher->http);
  return length > 0 ? length : -1;
}

/* Whether a part begins where it was asked for, is as long as it says, and of the version of the bytes before. */
static int is_rest(esp32_fetcher *fetcher, uint32_t offset) {
  struct range range;
  const esp32_headers *headers = &fetcher->headers;
  int64_t length = content_length(fetcher);
  if (!read_range(headers->range, &range) || range.first != offset) return 0;
  if (length >= 0 && length != range.last + 1 - range.first) return 0;
  if (headers->tag[0] != 0 && fetcher->tag[0] != 0 && strcmp(headers->tag, fetcher->tag) != 0) return 0;
  fetcher->total = range.total;
  return 1;
}

/* The answer is the file from `start` on. */
static int32_t take(esp32_fetcher *fetcher, uint32_t start) {
  if (fetcher->headers.encoded) return MOULT_STATUS_NETWORK;
  fetcher->answering = 1;
  fetcher->at = start;
  memcpy(fetcher->tag, fetcher->headers.tag, sizeof fetcher->tag);
  return MOULT_STATUS_OK;
}

/*
 * Asks for the file from `offset` on, and for all of it where what comes is not the rest of the file of which the
 * beginning is here: the core passes over that, and compares.
 */
static int32_t request(esp32_fetcher *fetcher, uint32_t offset) {
  if (!make_url(fetcher)) return MOULT_STATUS_NETWORK;
  fetcher->began = milliseconds();
  fetcher->received = 0;
  int status = ask_following(fetcher, offset);
  if (status == 200) {
    fetcher->total = content_length(fetcher);
    return take(fetcher, 0);
  }
  if (status == 206 && is_rest(fetcher, offset)) return take(fetcher, offset);
  if (status == 206) esp32_fetch_close(fetcher);
  if (status >= 0 && fetcher->http != NULL) discard(fetcher);
  if ((status == 206 || status == 416) && offset > 0) return request(fetcher, 0);
  return status == 400 || status == 403 || status == 404 ? MOULT_STATUS_NOT_FOUND : MOULT_STATUS_NETWORK;
}

/* The length of a target, `end`, is signed: where the server has another one, it is not that file. */
static int32_t check_length(const esp32_fetcher *fetcher, uint32_t end) {
  if (fetcher->kind != MOULT_FETCH_KIND_TARGET || fetcher->total < 0 || fetcher->total == end) return MOULT_STATUS_OK;
  return fetcher->total > end ? MOULT_STATUS_TOO_LONG : MOULT_STATUS_TRUNCATED;
}

static int32_t begin(esp32_fetcher *fetcher, int32_t kind, const char *name, uint32_t offset, uint32_t wanted) {
  if (fetcher->answering) esp32_fetch_close(fetcher); /* the core had enough of it */
  int same = kind == fetcher->kind && strcmp(name, fetcher->name) == 0;
  if (strlen(name) >= sizeof fetcher->name) return MOULT_STATUS_NETWORK;
  if (!same) fetcher->tag[0] = 0;
  fetcher->kind = kind;
  strcpy(fetcher->name, name);
  int32_t status = request(fetcher, offset);
  if (status == MOULT_STATUS_OK) status = check_length(fetcher, offset + wanted - 1);
  if (status != MOULT_STATUS_OK && status != MOULT_STATUS_NOT_FOUND) esp32_fetch_close(fetcher);
  return status;
}

static int is_under_way(const esp32_fetcher *fetcher, int32_t kind, const char *name, uint32_t offset) {
  return fetcher->answering && fetcher->kind == kind && fetcher->at == offset && strcmp(fetcher->name, name) == 0;
}

int32_t esp32_fetch_read(void *user, int32_t kind, const char *name, uint32_t offset, uint32_t wanted,
                         moult_piece *piece) {
  esp32_fetcher *fetcher = user;
  int32_t status = MOULT_STATUS_OK;
  if (!is_under_way(fetcher, kind, name, offset)) status = begin(fetcher, kind, name, offset, wanted);
  if (status != MOULT_STATUS_OK) return status;
  uint32_t capacity = wanted < sizeof fetcher->piece ? wanted : sizeof fetcher->piece;
  int length = receive(fetcher, fetcher->piece, (int)capacity);
  if (length < 0 || (length == 0 && fetcher->at < fetcher->total)) {
    esp32_fetch_close(fetcher);
    return MOULT_STATUS_NETWORK;
  }
  *piece = (moult_piece){.bytes = fetcher->piece, .length = (uint32_t)length, .offset = fetcher->at};
  fetcher->at += piece->length;
  piece->last = length == 0 || fetcher->at == fetcher->total;
  if (piece->last) finish(fetcher);
  return MOULT_STATUS_OK;
}
