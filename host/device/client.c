/* The loop of a device. The contract is in client.h, the body of a report in docs/formats.md, "Link". */
#include "client.h"

#include <string.h>

#include "bytes.h"

/* The core's longest file name and its longest version, each with a closing 0. */
#define NAME_CAPACITY 321u
#define VERSION_CAPACITY 32u
/* Fields of the state that a report has. */
#define FIELDS (MOULT_STATE_TIME_STATUS + 1)
/* Event, status, fields, and three texts with their lengths: the versions and the engine. */
#define REPORT_CAPACITY (6u + 4u * FIELDS + 3u * VERSION_CAPACITY)

/* ---- reports ---- */

struct body {
  uint32_t length;
  uint8_t bytes[REPORT_CAPACITY];
};

static void put(struct body *body, uint32_t value, uint32_t bytes) {
  moult_store(body->bytes + body->length, value, bytes);
  body->length += bytes;
}

static void put_text(struct body *body, const char *text, uint32_t length) {
  if (length >= VERSION_CAPACITY) length = VERSION_CAPACITY - 1;
  put(body, length, 1);
  memcpy(body->bytes + body->length, text, length);
  body->length += length;
}

/* All fields of the core's state; none when it has ended. */
static void put_state(struct body *body, moult *core) {
  uint32_t fields[FIELDS];
  for (int32_t i = 0; i < (int32_t)FIELDS; i++) {
    if (moult_state_read(core, i, &fields[i]) == MOULT_STATUS_OK) continue;
    put(body, 0, 1);
    return;
  }
  put(body, FIELDS, 1);
  for (uint32_t i = 0; i < FIELDS; i++) put(body, fields[i], 4);
}

static void put_version(struct body *body, moult *core, int32_t field) {
  char text[VERSION_CAPACITY];
  int32_t length = moult_text_read(core, field, text, sizeof text);
  put_text(body, text, length < 0 ? 0 : (uint32_t)length);
}

int32_t moult_client_report(moult_client *client, enum moult_event event, int32_t status) {
  if (client->link == NULL) return MOULT_STATUS_OK;
  struct body body = {0};
  put(&body, event, 1);
  put(&body, (uint32_t)status, 4);
  put_state(&body, client->core);
  put_version(&body, client->core, MOULT_TEXT_INSTALLED_VERSION);
  put_version(&body, client->core, MOULT_TEXT_CANDIDATE_VERSION);
  put_text(&body, client->engine, (uint32_t)strlen(client->engine));
  return moult_link_report(client->link, body.bytes, body.length);
}

/* The outcome of the last check, or of an install that the core found broken off when it started. */
static int32_t outcome(moult *core) {
  uint32_t status = 0;
  int32_t ended = moult_state_read(core, MOULT_STATE_CHECK_STATUS, &status);
  return ended != MOULT_STATUS_OK ? ended : (int32_t)status;
}

/* ---- files ---- */

/* What is wrong with it the core remembers, and says when the next bytes come. */
static void erase_ahead(void *core) { (void)moult_fetch_erase_ahead(core); }

/* The link calls while it waits; of any other reader it is only known that the server goes on meanwhile. */
static int32_t read_piece(const moult_client *client, int32_t kind, const char *name, uint32_t offset, uint32_t wanted,
                          moult_piece *piece) {
  if (client->read != NULL) {
    if (client->erases_ahead) erase_ahead(client->core);
    return client->read(client->reader, kind, name, offset, wanted, piece);
  }
  moult_link_meanwhile(client->link, client->erases_ahead ? erase_ahead : NULL, client->core);
  return moult_link_read(client->link, kind, name, offset, wanted, piece);
}

/* What a first read may find that the core is to be told as it is. */
static int is_finding(int32_t status) {
  return status == MOULT_STATUS_NOT_FOUND || status == MOULT_STATUS_TOO_LONG || status == MOULT_STATUS_TRUNCATED;
}

/* Gives the core a file piece by piece, up to one byte beyond its end: it shows the core that there are too many. */
static int32_t pass_on(const moult_client *client, const char *name, uint32_t offset, uint32_t limit) {
  int32_t kind = moult_fetch_kind(client->core);
  uint32_t end = offset + limit;
  uint32_t at = offset;
  int begun = 0;
  moult_piece piece;
  do {
    int32_t status = read_piece(client, kind, name, at, end - at + 1, &piece);
    if (!begun && is_finding(status)) return status;
    if (!begun && status == MOULT_STATUS_OK) {
      at = piece.offset;
      status = moult_fetch_begin(client->core, at);
      begun = 1;
    }
    if (status == MOULT_STATUS_OK) status = moult_fetch_write(client->core, piece.bytes, piece.length);
    at += piece.length;
    if (status != MOULT_STATUS_OK || at > end) return MOULT_STATUS_NETWORK;
  } while (!piece.last);
  return MOULT_STATUS_OK;
}

/* What moult_fetch_end is to be told. */
static int32_t transfer(const moult_client *client) {
  char name[NAME_CAPACITY];
  uint32_t offset = 0;
  uint32_t limit = 0;
  if (moult_fetch_name(client->core, name, sizeof name) < 0) return MOULT_STATUS_NETWORK;
  if (moult_fetch_offset(client->core, &offset) < 0) return MOULT_STATUS_NETWORK;
  if (moult_fetch_limit(client->core, &limit) < 0) return MOULT_STATUS_NETWORK;
  return pass_on(client, name, offset, limit);
}

/* ---- time ---- */

/* Requests in one check, each with a datagram of its own. */
#define TIME_REQUESTS 3

static int32_t request_time(const moult_client *client, moult_piece *answer) {
  uint32_t length = 0;
  const uint8_t *datagram = moult_time_request(client->core, &length);
  if (client->ask_time != NULL) return client->ask_time(client->asker, datagram, length, answer);
  if (client->link == NULL) return MOULT_STATUS_NETWORK;
  return moult_link_signed_time(client->link, datagram, length, answer);
}

/* Asks once, or says that there is nobody to ask; the core remembers what is wrong with an answer. */
static void bring_time(const moult_client *client, int asked) {
  moult_piece answer = {0};
  if (asked < TIME_REQUESTS && request_time(client, &answer) == MOULT_STATUS_OK && answer.length > 0)
    (void)moult_time_answer(client->core, answer.bytes, answer.length);
  else if (asked >= TIME_REQUESTS || (client->ask_time == NULL && client->link == NULL))
    (void)moult_time_answer(client->core, NULL, 0);
}

/* ---- version reports ---- */

/* A kind, an id of a key, a length and a signature, or a kind and a public key. */
#define SIGNER_CAPACITY (1u + 32u + 1u + 72u)
enum signer { SIGNED_BY_CORE = 0, SIGNED_BY_KEY_STORE = 1 };

/* Hands what is installed to the gateway, signed; for the core to know: 0, or why not. */
static int32_t send_version(const moult_client *client) {
  uint8_t signer[SIGNER_CAPACITY] = {client->sign == NULL ? SIGNED_BY_CORE : SIGNED_BY_KEY_STORE};
  const uint8_t *report = NULL;
  int32_t status = client->sign != NULL ? 0 : moult_public_key_read(client->core, MOULT_KEY_OF_REPORTS, signer + 1);
  if (status < 0) return status;
  int32_t length = moult_report_write(client->core, &report);
  if (length < 0) return length;
  if (client->sign == NULL)
    return moult_link_version_report(client->link, signer, 1 + MOULT_PUBLIC_KEY, report, (uint32_t)length + MOULT_SIGNATURE);
  int32_t made = client->sign(client->user, report, (uint32_t)length, signer + 1, signer + 34);
  if (made < 0 || made > 72) return MOULT_STATUS_KEY_MISSING;
  signer[33] = (uint8_t)made;
  return moult_link_version_report(client->link, signer, 34 + (uint32_t)made, report, (uint32_t)length);
}

/* ---- the loop ---- */

static int32_t start(moult_client *client) {
  if (client->started) return MOULT_STATUS_OK;
  int32_t status = moult_core_start(client->core);
  if (status == MOULT_STATUS_NOT_PROVISIONED) return status;
  client->started = status >= 0;
  if (client->started)
    (void)moult_client_report(client, MOULT_EVENT_STARTED, outcome(client->core));
  else
    (void)moult_client_report(client, MOULT_EVENT_STOPPED, status);
  return status;
}

static enum moult_consent consent(const moult_client *client, enum moult_stage stage) {
  uint32_t release = 0;
  if (!client->primary) return MOULT_CONSENT_GO;
  if (moult_state_read(client->core, MOULT_STATE_CANDIDATE_RELEASE, &release) < 0) return MOULT_CONSENT_WAIT;
  int32_t answer = moult_link_consent(client->link, stage, release);
  return answer < 0 ? MOULT_CONSENT_WAIT : (enum moult_consent)answer;
}

/* An image is ready. Where "later" may not be said any more, the update goes on. Whether there is an answer. */
static int ask(const moult_client *client) {
  uint32_t until = client->may_reboot != NULL ? client->may_reboot(client->user, client->core) : 0;
  if (until != 0 && moult_update_postpone(client->core, until) >= 0) return 1;
  enum moult_consent answer = consent(client, MOULT_STAGE_READY);
  if (answer == MOULT_CONSENT_GO) (void)moult_update_approve(client->core);
  /* A core that starts again holds no image any more, and looks again what it should have. */
  if (answer == MOULT_CONSENT_LEAVE) (void)moult_core_start(client->core);
  return answer != MOULT_CONSENT_WAIT;
}

/* Steps until the port is needed. `worked`: there was more to do than to wait. */
static int32_t run(moult_client *client, uint32_t now, int *worked) {
  int asked = 0;
  for (*worked = 0;; *worked = 1) {
    int32_t action = moult_agent_step(client->core, now);
    if (action == MOULT_ACTION_FETCH)
      (void)moult_fetch_end(client->core, transfer(client)); /* the core remembers the verdict */
    else if (action == MOULT_ACTION_REPORT)
      (void)moult_report_end(client->core, client->link == NULL ? MOULT_STATUS_OK : send_version(client));
    else if (action == MOULT_ACTION_TIME)
      bring_time(client, asked++);
    else if (action == MOULT_ACTION_ASK ? !ask(client) : action != MOULT_ACTION_CONTINUE)
      return action;
  }
}

int32_t moult_client_step(moult_client *client, uint32_t now) {
  int worked = 0;
  int32_t status = start(client);
  if (status < 0) return status;
  int32_t action = run(client, now, &worked);
  if (action == MOULT_ACTION_REBOOT)
    (void)moult_client_report(client, MOULT_EVENT_REBOOTS, outcome(client->core));
  else if (action == MOULT_ACTION_SELF_TEST)
    (void)moult_client_report(client, MOULT_EVENT_ON_TRIAL, outcome(client->core));
  else if (action == MOULT_ACTION_WAIT && worked)
    (void)moult_client_report(client, MOULT_EVENT_CHECKED, outcome(client->core));
  else if (action < 0)
    (void)moult_client_report(client, MOULT_EVENT_STOPPED, action);
  return action;
}

int32_t moult_client_answer(moult_client *client, int works) {
  enum moult_consent answer = works ? consent(client, MOULT_STAGE_WORKS) : MOULT_CONSENT_GO;
  if (answer == MOULT_CONSENT_WAIT) return MOULT_ACTION_ASK;
  if (answer == MOULT_CONSENT_LEAVE) return moult_update_postpone(client->core, 0);
  int32_t status = works ? moult_image_confirm(client->core) : moult_image_reject(client->core);
  if (status < 0) return status;
  (void)moult_client_report(client, works ? MOULT_EVENT_CONFIRMED : MOULT_EVENT_REJECTED, outcome(client->core));
  return status;
}
