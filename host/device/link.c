/* The device's end of the link. The contract is in link.h, the frames in docs/formats.md, "Link". */
#include "link.h"

#include <string.h>

#include "bytes.h"
#include "crc32.h"

#if MOULT_LINK_PAYLOAD < 16 || MOULT_LINK_PAYLOAD > 65535
#error "MOULT_LINK_PAYLOAD is 16 to 65,535 bytes"
#endif

#define CRC_BYTES 4u
#define DATA_HEADER 4u
#define LAST_BYTES 1u
/* Bytes that a COBS code can stand for, itself among them. */
#define GROUP 255u

/* ---- sending ---- */

/* What to ask: a payload in two parts that stay where the caller has them, so that it can be asked again. */
struct request {
  enum moult_link_kind kind;
  const void *fields;
  uint32_t fields_length;
  const void *rest;
  uint32_t rest_length;
};

/* COBS on its way out: a group is sent when its length is known. */
struct encoder {
  const moult_link *link;
  uint32_t crc;
  uint32_t length;
  uint8_t group[GROUP];
  int32_t status;
};

static void send_bytes(struct encoder *encoder, const void *bytes, uint32_t length) {
  const moult_link *link = encoder->link;
  if (encoder->status >= 0) encoder->status = link->stream->send(link->user, bytes, length);
}

static void end_group(struct encoder *encoder) {
  encoder->group[0] = (uint8_t)encoder->length;
  send_bytes(encoder, encoder->group, encoder->length);
  encoder->length = 1;
}

static void encode(struct encoder *encoder, const void *from, uint32_t length) {
  const uint8_t *bytes = from;
  encoder->crc = moult_crc32(encoder->crc, from, length);
  for (uint32_t i = 0; i < length; i++) {
    if (bytes[i] != 0) encoder->group[encoder->length++] = bytes[i];
    if (bytes[i] == 0 || encoder->length == GROUP) end_group(encoder);
  }
}

static int32_t send_request(const moult_link *link, const struct request *request) {
  static const uint8_t delimiter = 0;
  struct encoder encoder = {.link = link, .length = 1};
  uint8_t header[MOULT_LINK_HEADER] = {(uint8_t)request->kind};
  uint8_t crc[CRC_BYTES];
  moult_store(header + 2, link->sequence, 2);
  moult_store(header + 4, link->session, 4);
  send_bytes(&encoder, &delimiter, 1);
  encode(&encoder, header, sizeof header);
  encode(&encoder, request->fields, request->fields_length);
  encode(&encoder, request->rest, request->rest_length);
  moult_store(crc, encoder.crc, 4);
  encode(&encoder, crc, sizeof crc);
  end_group(&encoder);
  send_bytes(&encoder, &delimiter, 1);
  return encoder.status < 0 ? encoder.status : 0;
}

/* ---- receiving ---- */

static void begin_frame(moult_link *link) {
  link->length = 0;
  link->run = 0;
  link->code = 0;
  link->spoiled = 0;
}

static void keep(moult_link *link, uint8_t byte) {
  if (link->length < MOULT_LINK_FRAME)
    link->frame[link->length++] = byte;
  else
    link->spoiled = 1; /* too long for us: nothing more of it is kept */
}

/* A byte of a frame, its delimiters taken away. */
static void decode(moult_link *link, uint8_t byte) {
  if (link->run > 0) {
    link->run--;
    keep(link, byte);
    return;
  }
  /* The zero that the group before ended with; a full group ends with none. */
  if (link->code != 0 && link->code != GROUP) keep(link, 0);
  link->code = byte;
  link->run = (uint8_t)(byte - 1);
}

static int is_whole(const moult_link *link) {
  if (link->spoiled || link->run > 0 || link->length < MOULT_LINK_HEADER + CRC_BYTES) return 0;
  uint32_t checked = link->length - CRC_BYTES;
  return moult_load(link->frame + checked) == moult_crc32(0, link->frame, checked);
}

/* Fetches bytes when none are left. How many there are, or negative: the stream is gone. */
static int32_t refill(moult_link *link, uint32_t wait) {
  if (link->next < link->end) return link->end - link->next;
  int32_t received = link->stream->receive(link->user, link->raw, sizeof link->raw, wait);
  link->next = 0;
  link->end = received > 0 && received <= (int32_t)sizeof link->raw ? (uint8_t)received : 0;
  return received < 0 ? received : link->end;
}

/* A whole frame in `frame`, its payload this long, 0: not yet, or negative: the stream is gone. */
static int32_t receive_frame(moult_link *link, uint32_t wait, uint32_t *payload) {
  int32_t received = refill(link, wait);
  while (link->next < link->end) {
    uint8_t byte = link->raw[link->next++];
    if (byte != 0) {
      decode(link, byte);
      continue;
    }
    int whole = is_whole(link);
    if (whole) *payload = link->length - MOULT_LINK_HEADER - CRC_BYTES;
    begin_frame(link);
    if (whole) return 1;
  }
  return received < 0 ? received : 0;
}

/* ---- one request and its answer ---- */

static uint32_t now(const moult_link *link) { return link->stream->milliseconds(link->user); }

/* Whether the header in `frame` is that of an answer to what was asked last. */
static int is_ours(const moult_link *link) {
  const uint8_t *header = link->frame;
  if (header[0] < MOULT_LINK_ANSWER) return 0; /* our own request, back from a line that echoes */
  return moult_load(header) >> 16 == link->sequence && moult_load(header + 4) == link->session;
}

/* Whether our answer is on its way: on a slow line that takes longer than the silence that we wait for. */
static int is_coming(const moult_link *link) {
  return link->length >= MOULT_LINK_HEADER && !link->spoiled && is_ours(link);
}

/* What has passed of the time for a request. */
struct wait {
  uint32_t began;
  uint32_t repeats;
};

static int is_over(const moult_link *link, const struct wait *wait) {
  return now(link) - wait->began >= MOULT_LINK_PATIENCE;
}

/* The kind of the answer, 0: silence, or negative: the stream is gone. */
static int32_t await(moult_link *link, struct wait *wait, uint32_t *payload) {
  uint32_t since = now(link);
  for (;;) {
    uint32_t quiet = now(link) - since;
    uint32_t before = link->length;
    if (quiet >= MOULT_LINK_REPEAT || is_over(link, wait)) return 0;
    int32_t received = receive_frame(link, MOULT_LINK_REPEAT - quiet, payload);
    if (received < 0) return received;
    int answered = received > 0 && is_ours(link);
    if (answered && link->frame[0] != MOULT_LINK_BUSY) return link->frame[0];
    if (answered) wait->repeats = 0;
    if (answered || (link->length != before && is_coming(link))) since = now(link);
  }
}

/* Asks until there is an answer of the right kind. Its payload is then in `frame`. 0, NETWORK or NOT_FOUND. */
static int32_t exchange(moult_link *link, const struct request *request, uint32_t *payload) {
  struct wait wait = {.began = now(link)};
  int32_t kind = 0;
  link->sequence++;
  while (kind == 0 && wait.repeats++ < MOULT_LINK_REPEATS && !is_over(link, &wait)) {
    kind = send_request(link, request);
    if (kind == 0 && request->kind == MOULT_LINK_READ && link->work != NULL) link->work(link->work_user);
    if (kind == 0) kind = await(link, &wait, payload);
  }
  if (kind == (int32_t)(request->kind | MOULT_LINK_ANSWER)) return MOULT_STATUS_OK;
  if (kind == MOULT_LINK_ABSENT && request->kind == MOULT_LINK_READ) return MOULT_STATUS_NOT_FOUND;
  if (kind != MOULT_LINK_FAILED) link->greeted = 0;
  return MOULT_STATUS_NETWORK;
}

/* Agrees on the version with a gateway that has not answered yet, or not lately. */
static int32_t greet(moult_link *link) {
  static const uint8_t fields[1] = {MOULT_LINK_VERSION};
  struct request request = {.kind = MOULT_LINK_HELLO, .fields = fields, .fields_length = sizeof fields};
  uint32_t payload = 0;
  if (link->greeted) return MOULT_STATUS_OK;
  int32_t status = exchange(link, &request, &payload);
  if (status != MOULT_STATUS_OK) return status;
  if (payload != 1 || link->frame[MOULT_LINK_HEADER] != MOULT_LINK_VERSION) return MOULT_STATUS_NETWORK;
  link->greeted = 1;
  return MOULT_STATUS_OK;
}

static int32_t ask(moult_link *link, const struct request *request, uint32_t *payload) {
  int32_t status = greet(link);
  return status == MOULT_STATUS_OK ? exchange(link, request, payload) : status;
}

/* ---- what can be asked ---- */

void moult_link_open(moult_link *link, const moult_stream *stream, void *user, uint32_t session) {
  memset(link, 0, sizeof *link);
  link->stream = stream;
  link->user = user;
  link->session = session;
}

void moult_link_meanwhile(moult_link *link, void (*work)(void *user), void *user) {
  link->work = work;
  link->work_user = user;
}

int32_t moult_link_time(moult_link *link, uint32_t *seconds) {
  struct request request = {.kind = MOULT_LINK_TIME};
  uint32_t payload = 0;
  int32_t status = ask(link, &request, &payload);
  if (status != MOULT_STATUS_OK) return status;
  if (payload != 4) return MOULT_STATUS_NETWORK;
  *seconds = moult_load(link->frame + MOULT_LINK_HEADER);
  return MOULT_STATUS_OK;
}

int32_t moult_link_signed_time(moult_link *link, const void *datagram, uint32_t length, moult_piece *answer) {
  struct request request = {.kind = MOULT_LINK_SIGNED_TIME, .rest = datagram, .rest_length = length};
  int32_t status = ask(link, &request, &answer->length);
  answer->bytes = link->frame + MOULT_LINK_HEADER;
  return status;
}

/* What a DATA frame holds; no more than was asked for, and something unless it is the end. */
static int32_t read_data(const moult_link *link, uint32_t payload, uint32_t wanted, moult_piece *piece) {
  const uint8_t *data = link->frame + MOULT_LINK_HEADER;
  if (payload < DATA_HEADER || moult_load(data) != piece->offset) return MOULT_STATUS_NETWORK;
  piece->bytes = data + DATA_HEADER;
  piece->length = payload - DATA_HEADER;
  piece->last = (link->frame[1] & LAST_BYTES) != 0;
  return piece->length <= wanted && (piece->length > 0 || piece->last) ? MOULT_STATUS_OK : MOULT_STATUS_NETWORK;
}

int32_t moult_link_read(moult_link *link, int32_t kind, const char *name, uint32_t offset, uint32_t wanted,
                        moult_piece *piece) {
  uint8_t fields[7] = {(uint8_t)kind};
  struct request request = {
      .kind = MOULT_LINK_READ,
      .fields = fields,
      .fields_length = sizeof fields,
      .rest = name,
      .rest_length = (uint32_t)strlen(name),
  };
  uint32_t payload = 0;
  if (wanted > MOULT_LINK_PAYLOAD - DATA_HEADER) wanted = MOULT_LINK_PAYLOAD - DATA_HEADER;
  moult_store(fields + 1, offset, 4);
  moult_store(fields + 5, wanted, 2);
  piece->offset = offset;
  int32_t status = ask(link, &request, &payload);
  return status == MOULT_STATUS_OK ? read_data(link, payload, wanted, piece) : status;
}

int32_t moult_link_consent(moult_link *link, enum moult_stage stage, uint32_t release) {
  uint8_t fields[5] = {(uint8_t)stage};
  struct request request = {.kind = MOULT_LINK_CONSENT, .fields = fields, .fields_length = sizeof fields};
  uint32_t payload = 0;
  moult_store(fields + 1, release, 4);
  int32_t status = ask(link, &request, &payload);
  if (status != MOULT_STATUS_OK) return status;
  uint8_t consent = link->frame[MOULT_LINK_HEADER];
  return payload == 1 && consent <= MOULT_CONSENT_LEAVE ? consent : MOULT_STATUS_NETWORK;
}

int32_t moult_link_version_report(moult_link *link, const uint8_t *signer, uint32_t signer_length, const void *rest,
                                  uint32_t length) {
  struct request request = {
      .kind = MOULT_LINK_VERSION_REPORT,
      .fields = signer,
      .fields_length = signer_length,
      .rest = rest,
      .rest_length = length,
  };
  uint32_t payload = 0;
  return ask(link, &request, &payload);
}

int32_t moult_link_report(moult_link *link, const void *body, uint32_t length) {
  struct request request = {.kind = MOULT_LINK_REPORT, .rest = body, .rest_length = length};
  uint32_t payload = 0;
  return ask(link, &request, &payload);
}
