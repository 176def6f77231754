/*
 * The device's end of the link: how a board without a network of its own asks a gateway (host/node/gateway.ts) for
 * files, over any stream of bytes: a UART, a socket, BLE. The frames are in docs/formats.md, "Link".
 *
 * The device asks and the gateway answers, one request at a time; no byte comes that was not asked for room for. A
 * line may lose, double, spoil and delay bytes, and either end may start again at any moment: a request is repeated
 * until its answer comes, and no other answer is taken. The gateway is not trusted: its checksums are against
 * accidents, and what it says is for the core to judge.
 */
#ifndef MOULT_LINK_H
#define MOULT_LINK_H

#include <stdint.h>

#include "moult_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MOULT_LINK_VERSION 1

/* The longest payload that this device takes, 16 to 65,535 bytes; most of the memory of a link. */
#ifndef MOULT_LINK_PAYLOAD
#define MOULT_LINK_PAYLOAD 1024u
#endif

#define MOULT_LINK_HEADER 8u
#define MOULT_LINK_FRAME (MOULT_LINK_HEADER + MOULT_LINK_PAYLOAD + 4u)

/* Milliseconds of silence after which a request is repeated, how often without any answer, and its end in all. */
#define MOULT_LINK_REPEAT 500u
#define MOULT_LINK_REPEATS 20u
#define MOULT_LINK_PATIENCE 60000u

enum moult_link_kind {
  MOULT_LINK_HELLO = 0x01,
  MOULT_LINK_TIME = 0x02,
  MOULT_LINK_READ = 0x03,
  MOULT_LINK_REPORT = 0x04,
  MOULT_LINK_SIGNED_TIME = 0x06,
  MOULT_LINK_CONSENT = 0x08,
  MOULT_LINK_VERSION_REPORT = 0x0a,
  /* The answer to a request is its kind with this bit, or one of those behind. */
  MOULT_LINK_ANSWER = 0x80,
  MOULT_LINK_ABSENT = 0xc0,
  MOULT_LINK_FAILED = 0xc1,
  MOULT_LINK_BUSY = 0xc2,
  MOULT_LINK_REFUSED = 0xc3
};

/* How far an ECU is with an image: it holds it, verified, and would boot; it runs on trial and works. */
enum moult_stage { MOULT_STAGE_READY = 1, MOULT_STAGE_WORKS = 2 };

/* What a Primary says to that: not yet, go on, or leave this image. */
enum moult_consent { MOULT_CONSENT_WAIT = 0, MOULT_CONSENT_GO = 1, MOULT_CONSENT_LEAVE = 2 };

/* The line, as the port has it. `user` is what moult_link_open was given. */
typedef struct moult_stream {
  /*
   * The bytes that have come, at most `capacity` of them; waits for the first one up to `wait_ms` milliseconds, or
   * less. How many, 0: none yet, or negative: the stream is gone. A place to feed a watchdog.
   */
  int32_t (*receive)(void *user, void *to, uint32_t capacity, uint32_t wait_ms);
  /* Sends them all, in as long as the line takes. 0, or negative: the stream is gone. */
  int32_t (*send)(void *user, const void *from, uint32_t length);
  /* Milliseconds that rise and may wrap. */
  uint32_t (*milliseconds)(void *user);
} moult_stream;

/* Owned by the caller; its fields are not the caller's. */
typedef struct moult_link {
  const moult_stream *stream;
  void *user;
  uint32_t session;
  uint16_t sequence;
  /* The gateway has answered a HELLO, and every request since. */
  uint8_t greeted;
  /* Of the frame that is coming: bytes to the next COBS code, the code before them, and whether it is too long. */
  uint8_t run;
  uint8_t code;
  uint8_t spoiled;
  /* What there is to do while the answer to a read is on its way; NULL: nothing. */
  void (*work)(void *user);
  void *work_user;
  /* Bytes of it in `frame`. */
  uint32_t length;
  uint8_t frame[MOULT_LINK_FRAME];
  /* What has come and was not looked at yet. */
  uint8_t next;
  uint8_t end;
  uint8_t raw[64];
} moult_link;

/* Bytes of a file, good until the next call with this link. */
typedef struct moult_piece {
  const uint8_t *bytes;
  uint32_t length;
  /* Of the first byte in the file: what was asked for, unless a reader of another kind says otherwise (client.h). */
  uint32_t offset;
  /* These are the last bytes of the file; then there may be none. */
  int last;
} moult_piece;

/*
 * Begins a session. Nothing is sent yet, so it cannot fail. `session` is any number other than that of the session
 * before: from a counter, a clock or noise.
 */
void moult_link_open(moult_link *link, const moult_stream *stream, void *user, uint32_t session);

/*
 * What to do from now on while the answer to a read is on its way, each time that it was asked for; NULL: nothing. It must
 * not call the link, and what comes meanwhile must not be lost.
 */
void moult_link_meanwhile(moult_link *link, void (*work)(void *user), void *user);

/*
 * Each of these asks and waits for the answer: for up to MOULT_LINK_PATIENCE milliseconds from a gateway that is busy,
 * MOULT_LINK_REPEATS times MOULT_LINK_REPEAT from one that is not there. 0, or
 * MOULT_STATUS_NETWORK: no answer, or none that makes sense. A later request tries again.
 * MOULT_STATUS_NOT_FOUND: the server does not have the file.
 */

/* Seconds since 1970 as the gateway has them, 0: unknown. */
int32_t moult_link_time(moult_link *link, uint32_t *seconds);

/*
 * Has the gateway send a datagram to the time servers. What came back is in `answer`, of no file and no offset. It must
 * fit a frame: with a MOULT_LINK_PAYLOAD of less than 1,024 it may not.
 */
int32_t moult_link_signed_time(moult_link *link, const void *datagram, uint32_t length, moult_piece *answer);

/*
 * Up to `wanted` bytes, 1 or more, of a file from `offset` on: `kind` is an `enum moult_fetch_kind`, `name` UTF-8 with
 * a closing 0. Never more than wanted, and none only when these are the last.
 */
int32_t moult_link_read(moult_link *link, int32_t kind, const char *name, uint32_t offset, uint32_t wanted,
                        moult_piece *piece);

/* Asks a Primary about the image of this release counter: an `enum moult_consent`, or NETWORK. */
int32_t moult_link_consent(moult_link *link, enum moult_stage stage, uint32_t release);

/*
 * Hands over a version report: who signed it and, of a key store, how, as docs/formats.md has it; then `rest`, the report
 * and, where the core signed it, the signature.
 */
int32_t moult_link_version_report(moult_link *link, const uint8_t *signer, uint32_t signer_length, const void *rest,
                                  uint32_t length);

/* Tells the gateway something; the body of a report is in docs/formats.md, and client.h makes it. */
int32_t moult_link_report(moult_link *link, const void *body, uint32_t length);

#ifdef __cplusplus
}
#endif

#endif
