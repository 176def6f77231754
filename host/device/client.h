/*
 * The loop of a device: does what the core says as far as any board can, over the link, from a bundle or over a network
 * of its own, and returns what only this one can do. It decides nothing about trust.
 *
 *   moult_open(&core, …); moult_link_open(&link, …);
 *   moult_client client = {.core = &core, .link = &link, .engine = "wasm3"};
 *   for (;;) switch (moult_client_step(&client, now)) {
 *     case MOULT_ACTION_WAIT: sleep until moult_agent_until
 *     case MOULT_ACTION_SELF_TEST: moult_client_answer(&client, works)
 *     case MOULT_ACTION_REBOOT: reset
 *     case MOULT_ACTION_ASK: with `primary` only: call again in a second
 *     default: a negative status
 *   }
 */
#ifndef MOULT_CLIENT_H
#define MOULT_CLIENT_H

#include <stdint.h>

#include "link.h"
#include "moult.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a device tells. */
enum moult_event {
  /* the core has started */
  MOULT_EVENT_STARTED = 1,
  /* a check has ended; its outcome is the status */
  MOULT_EVENT_CHECKED = 2,
  /* another image is selected; the device boots again now */
  MOULT_EVENT_REBOOTS = 3,
  /* a new image runs and is to be tested */
  MOULT_EVENT_ON_TRIAL = 4,
  /* it works and stays */
  MOULT_EVENT_CONFIRMED = 5,
  /* it does not work and goes */
  MOULT_EVENT_REJECTED = 6,
  /* the core has ended, with the status */
  MOULT_EVENT_STOPPED = 7
};

/*
 * Brings a piece of a file, as moult_link_read does; `user` is what reads. A file is read from one piece to the next, and
 * the first read wants one byte more than the core will take. Of that one alone: MOULT_STATUS_TOO_LONG and
 * MOULT_STATUS_TRUNCATED say that a server announced another length of a target, and a piece may begin at 0 where it
 * does not know ranges.
 */
typedef int32_t moult_reader(void *user, int32_t kind, const char *name, uint32_t offset, uint32_t wanted,
                             moult_piece *piece);

/*
 * Sends a datagram to a time server and brings what comes back, good until the next call; `user` is what asks. 0, or
 * negative: nothing came within a second or a few.
 */
typedef int32_t moult_asker(void *user, const uint8_t *datagram, uint32_t length, moult_piece *answer);

/* Fill what the board has and zero the rest: also when the core was opened again, since it must then start again. */
typedef struct moult_client {
  moult *core;
  /* Brings files and takes reports; NULL: there is nobody to report to. */
  moult_link *link;
  /* Brings the files instead of the link: moult_bundle_read and its bundle, or a port's own. NULL: the link does. */
  moult_reader *read;
  void *reader;
  /*
   * What brings the files keeps what comes while the flash is erased: a socket, a line with DMA or with flow control. Then
   * the core erases ahead while an answer is on its way. 0: it does not, or there is no network behind it.
   */
  int erases_ahead;
  /* Asks time servers instead of the link. NULL: the link does; without one there are none. */
  moult_asker *ask_time;
  void *asker;
  /* What runs the core, for the reports: at most 31 bytes. */
  const char *engine;
  /*
   * An image is verified and the device would boot again: 0 when that suits now, else until when it does not, in seconds
   * since 1970. It may look at the core. NULL: it always suits.
   */
  uint32_t (*may_reboot)(void *user, moult *core);
  /*
   * The board has a key store with a P-256 key for version reports: signs the text, writes the id of the key (TUF 4.2) and
   * the signature in DER; its length, or negative: not signed. NULL: the core signs with its own key.
   */
  int32_t (*sign)(void *user, const uint8_t *text, uint32_t length, uint8_t key_id[32], uint8_t signature[72]);
  void *user;
  /*
   * The gateway is the Primary of this ECU: it says when an image is booted, and whether one that works stays. As long as
   * it has not, the client gives MOULT_ACTION_ASK; silence is no answer.
   */
  int primary;
  /* Not the caller's. */
  int started;
} moult_client;

/*
 * Runs until the port is needed. `now` in seconds since 1970, 0: unknown. Starts the core first when that was not done.
 * MOULT_ACTION_WAIT: nothing to do before moult_agent_until.
 * MOULT_ACTION_SELF_TEST: then call moult_client_answer.
 * MOULT_ACTION_REBOOT.
 * MOULT_ACTION_ASK: an image is held until the Primary has decided. Then call again, in a second or so.
 * MOULT_STATUS_NOT_PROVISIONED: provision the core, then call again.
 * Another negative status: the core can do nothing; after TRAP and DEADLINE open it again.
 *
 * Faults of the link are no faults of a step: the core hears of them, and what it makes of them is in CHECK_STATUS.
 * What happens is reported to the gateway; a report that cannot be delivered is dropped.
 */
int32_t moult_client_step(moult_client *client, uint32_t now);

/*
 * Confirms or rejects the image on trial, and reports it; one that works goes without blame where the Primary says so. 0,
 * or negative: it could not be recorded. MOULT_ACTION_ASK: the Primary has not decided: call again, in a second or so.
 */
int32_t moult_client_answer(moult_client *client, int works);

/* Reports an event that only the port knows of, with what the core's state is now. 0, or MOULT_STATUS_NETWORK. */
int32_t moult_client_report(moult_client *client, enum moult_event event, int32_t status);

#ifdef __cplusplus
}
#endif

#endif
