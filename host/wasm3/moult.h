/*
 * moult for firmware: the verified core (moult.wasm) under wasm3 or compiled ahead of time (../aot), behind C functions.
 *
 * This header is the port contract. A port fills `moult_port` with what the board can do, gives the
 * memory, and calls the functions below; host/README.md says in which order. Statuses, fields and
 * actions are in moult_abi.h.
 *
 * Results: negative is an error or a finding (`enum moult_status`), 0 and above a result.
 * Threads: none. One call at a time in the whole process, whichever core it is for; a callback must
 * not call back into this header (it is refused with MOULT_STATUS_WRONG_STATE).
 */
#ifndef MOULT_H
#define MOULT_H

#include <stdint.h>

#include "moult_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The board. `user` is what `moult_config` has. Every size, offset and length is in bytes.
 *
 * Flash areas are `enum moult_area`, and 8 + 2k and 9 + 2k for the slots of component k. The core asks for the size of
 * 0 to 23, without 5; all else it asks only for areas that have one, with ranges inside the area. What the callbacks must
 * promise:
 *
 * - When a write or an erase has returned 0, it has happened: nothing is buffered.
 * - Power lost in a write: each unit is as before, as written, or has some of its bits programmed;
 *   units outside the range are untouched.
 * - Power lost in an erase: the blocks in the range may hold anything; nothing else is touched.
 * - A bad block, a bus error: negative. The core then gives the install up and says so.
 *
 * Memory that a callback is given belongs to the core, may have any alignment, and is good until
 * the callback returns.
 */
typedef struct moult_port {
  /* What is there, erased bytes included. Any offset, any length. 0, or negative: unreadable. */
  int32_t (*flash_read)(void *user, int32_t area, uint32_t offset, void *to, uint32_t length);
  /* Offset and length are multiples of the area's write unit; the units are erased. 0, or negative. */
  int32_t (*flash_write)(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length);
  /* Both ends of the range are erase block boundaries. 0, or negative: not erased. */
  int32_t (*flash_erase)(void *user, int32_t area, uint32_t offset, uint32_t length);
  /* A sum of whole erase blocks, always the same. 0: there is no such area. */
  uint32_t (*flash_size)(void *user, int32_t area);
  /* One past the erase block that contains `offset`, which lies in the area. Blocks may differ. */
  uint32_t (*flash_block_end)(void *user, int32_t area, uint32_t offset);
  /* Write unit in bits 0 to 15: 1, 2, 4, 8, 16 or 32. Erased byte in bits 16 to 23: 0x00 or 0xFF. */
  uint32_t (*flash_unit)(void *user, int32_t area);

  /*
   * A security counter that hardware never lets fall: 0 to 2^31 - 1, or negative: unreadable.
   * Both NULL: the board has none, and the core keeps it in its trust store.
   */
  int32_t (*counter_read)(void *user);
  /* Raises it to `value`; a lower value changes nothing. Power lost: the old or the new value. */
  int32_t (*counter_advance)(void *user, uint32_t value);

  /*
   * The running slots, bit k set when component k runs in its slot B; 0x100 added: they run on trial. Negative: unknown.
   */
  int32_t (*boot_state)(void *user);
  /*
   * From the next boot on try these slots, 0 to 0xff, all at once; without a confirm within the bootloader's attempts
   * those before return. These three take effect whole or not at all, power lost or not; doing
   * one twice is doing it once. 0, or negative: nothing changed.
   */
  int32_t (*boot_select)(void *user, int32_t slots);
  /* The running slots stay. */
  int32_t (*boot_confirm)(void *user);
  /* Ends a trial: from the next boot on the slots before it. */
  int32_t (*boot_revert)(void *user);

  /*
   * NULL: no deadline. Milliseconds that rise and may wrap. Read inside the core every few hundred
   * calls, so it may also feed a watchdog. A loop of the core without calls cannot be interrupted;
   * the longest is the hashing of one buffer. Compiled ahead of time the core has it read whenever it
   * calls this port; the longest that it goes without is the verification of one signature.
   */
  uint32_t (*milliseconds)(void *user);

  /*
   * NULL: this board has no source of it. Fills `length` bytes with random ones that nobody can foresee: a hardware
   * generator's, once it is seeded. 0, or negative: none now.
   */
  int32_t (*entropy)(void *user, void *to, uint32_t length);

  /*
   * NULL: the core hashes by itself. One block of SHA-256 (FIPS 180-4, 6.2.2): the eight words of
   * `state` take in the 64 bytes at `block`, of any alignment. 0; or negative: `state` is not used
   * and the callback not called again. Hardware, or moult_sha256_compress of sha256.h, which does in
   * native code what the core does interpreted.
   */
  int32_t (*sha256_compress)(void *user, uint32_t *state, const void *block);
} moult_port;

/*
 * Compiled ahead of time the core has its code and its memory in the firmware, so of all that follows `user` it takes
 * `deadline`, and `module_sha256` unless it is NULL: it must be of the module that was compiled.
 */
typedef struct moult_config {
  /* Where they are, and unchanged, until moult_close. */
  const moult_port *port;
  void *user;
  /* moult.wasm, readable and unchanged until moult_close; it may lie in flash. */
  const uint8_t *module;
  uint32_t module_length;
  /* The SHA-256 of the module, 32 bytes, from the build. Read by moult_open only. */
  const uint8_t *module_sha256;
  /* All memory there is for wasm3, its code, its stack and the core's memory; 8-byte aligned. */
  void *memory;
  uint32_t memory_length;
  /* Bytes of it for the core's memory, 0: MOULT_LINEAR_MEMORY. At least MEMORY_USED of this module. */
  uint32_t linear_memory;
  /*
   * 0: every function is compiled by moult_open, and nothing is allocated later. 1: for boards that have no room for
   * all of them at once, each is compiled when it is first called, and what is compiled is dropped before a call to
   * another export (fetch_write and fetch_erase_ahead take turns, and are one here). Less than half the memory, more
   * time; and a call that needs more than there is ends the core with MEMORY, so the memory must be measured
   * (docs/decisions/0009-compiled-code.md).
   */
  int compile_late;
  /* The most that one call may take, in milliseconds, where the port has a clock. */
  uint32_t deadline;
} moult_config;

enum moult_export {
#define MOULT_EXPORT(name, signature) MOULT_EXPORT_##name,
  MOULT_EXPORT_LIST(MOULT_EXPORT)
  MOULT_OPTIONAL_EXPORT_LIST(MOULT_EXPORT)
#undef MOULT_EXPORT
  MOULT_EXPORTS
};

/* What wasm3 has taken of the caller's memory. */
typedef struct moult_heap {
  uint8_t *start;
  uint32_t length;
  /* Bytes from the start that were in use at the same time, at most: what must be given. */
  uint32_t peak;
} moult_heap;

/* A core. Owned by the caller; its fields are not the caller's. Zeroed: closed. */
typedef struct moult {
  moult_config config;
  moult_heap heap;
  void *runtime;
  void *instance;
  void *functions[MOULT_EXPORTS];
  /* With compile_late: the last export called, and the memory that is free when nothing is compiled. */
  uint32_t called;
  uint32_t room;
  uint32_t io_pointer;
  uint32_t io_capacity;
  /* Why there is nothing to call; 0: the core is open. */
  int32_t ended;
  uint32_t began;
  uint32_t calls;
} moult;

/*
 * Checks the module's SHA-256, loads it, links the port and compiles every function, so that nothing
 * is allocated later, unless `compile_late`. 0, or MODULE_HASH, MODULE_INVALID, ABI_VERSION, MEMORY, TRAP, DEADLINE, or
 * BAD_ARGUMENT. After a failure the memory holds nothing and the flash is as before. Compiled ahead of time there is one
 * core at a time: WRONG_STATE while another one is open.
 */
int32_t moult_open(moult *core, const moult_config *config);

/*
 * Gives the memory back, at any time between two calls. What the core knows lies on flash: open it
 * again and call moult_core_start. Remember `agent_until` before.
 */
void moult_close(moult *core);

/*
 * After TRAP or DEADLINE the core has ended as if by a power cut: its memory holds nothing, every
 * further call returns that status, and the way on is moult_open.
 */
int32_t moult_core_start(moult *core);

/* `length` bytes of one part in as many calls as one likes, of any length. */
int32_t moult_provision_begin(moult *core, int32_t part);
int32_t moult_provision_write(moult *core, const void *bytes, uint32_t length);
int32_t moult_provision_end(moult *core);

/* `now` in seconds since 1970, 0: unknown. An `enum moult_action`. */
int32_t moult_agent_step(moult *core, uint32_t now);
/* When the next check is due, in seconds since 1970. */
int32_t moult_agent_until(moult *core, uint32_t *seconds);

/* What to fetch, after MOULT_ACTION_FETCH. */
int32_t moult_fetch_kind(moult *core);
/* UTF-8 and a closing 0, at most `capacity` bytes in all. Its length, or BAD_ARGUMENT: too long. */
int32_t moult_fetch_name(moult *core, char *name, uint32_t capacity);
int32_t moult_fetch_offset(moult *core, uint32_t *offset);
int32_t moult_fetch_limit(moult *core, uint32_t *limit);

/* The answer starts at this byte of the file. */
int32_t moult_fetch_begin(moult *core, uint32_t offset);
/* The next bytes of the answer, any number of them. Negative: stop reading. */
int32_t moult_fetch_write(moult *core, const void *bytes, uint32_t length);
/* While the next bytes are on their way: erases where they will go. 1: it did, 0: nothing is to be erased now. */
int32_t moult_fetch_erase_ahead(moult *core);
/* MOULT_STATUS_OK, _NOT_FOUND or _NETWORK. The verdict on the file. */
int32_t moult_fetch_end(moult *core, int32_t result);

/* After MOULT_ACTION_TIME: the datagram for a time server, all of it; good until the next call. NULL: the core has ended. */
const uint8_t *moult_time_request(const moult *core, uint32_t *length);
/*
 * What a time server sent back; 0 bytes: there is none, and there will be none. 0, or negative: what is wrong with it;
 * unless it had no bytes another answer may follow, or another MOULT_ACTION_TIME has another datagram.
 */
int32_t moult_time_answer(moult *core, const void *bytes, uint32_t length);

/*
 * Between two checks: looks for a target by its path, UTF-8, with the metadata of the last check. The steps after it
 * fetch delegated roles and the target; CHECK_STATUS is then TARGET_VERIFIED, or the finding. The core keeps none of
 * the target's bytes. WRONG_STATE: not now; NAME_TOO_LONG.
 */
int32_t moult_target_find(moult *core, const char *path);

/* How updates go from now on: an `enum moult_mode`. WRONG_STATE: not in the middle of a check. */
int32_t moult_policy_set(moult *core, int32_t mode);
/* The newest release is to be installed; after MOULT_ACTION_ASK: now. WRONG_STATE: there is none. */
int32_t moult_update_approve(moult *core);
/* Not before `until`, in seconds since 1970. POSTPONE_LIMIT, TIME_UNKNOWN or WRONG_STATE: nothing is changed. */
int32_t moult_update_postpone(moult *core, uint32_t until);
/*
 * What is signed of the newest release that the last check found: the `custom` of its target (docs/formats.md), JSON as
 * it was received, and a closing 0. Its length, 0: there is none, or BAD_ARGUMENT: it is too long.
 */
int32_t moult_release_read(moult *core, char *json, uint32_t capacity);

int32_t moult_image_confirm(moult *core);
int32_t moult_image_reject(moult *core);

/* A field of `enum moult_state`. CHECK_STATUS is to be read as an int32_t. */
int32_t moult_state_read(moult *core, int32_t field, uint32_t *value);
/* A field of `enum moult_text`, as moult_fetch_name. */
int32_t moult_text_read(moult *core, int32_t field, char *text, uint32_t capacity);

/*
 * A public key of the device: that which payloads are encrypted for (X25519), or that which its reports are signed with
 * (Ed25519). 0, or KEY_MISSING. The secret of both is readable nowhere; it was given as MOULT_PART_KEY, between
 * configuration and root: 32 bytes, or none for one that the core makes.
 */
#define MOULT_PUBLIC_KEY 32
enum moult_key { MOULT_KEY_OF_PAYLOADS = 0, MOULT_KEY_OF_REPORTS = 1 };
int32_t moult_public_key_read(moult *core, enum moult_key which, uint8_t key[MOULT_PUBLIC_KEY]);

/*
 * After MOULT_ACTION_REPORT, or between two checks: this ECU's version report, `signed` in canonical form, in the core's
 * memory until the next call of any kind; its length, or negative. Behind it are MOULT_SIGNATURE bytes of signature, where
 * the core has the key. moult_report_end ends the action, with 0 or with what kept the report from being sent.
 */
#define MOULT_SIGNATURE 64
int32_t moult_report_write(moult *core, const uint8_t **report);
int32_t moult_report_end(moult *core, int32_t result);

/* What runs the core: "wasm3" or "aot". For people. */
const char *moult_engine(void);

/*
 * The area of the log, its oldest block first (docs/formats.md, "Log"): its length, 0 where there is none, and up to
 * `capacity` bytes of it from `offset` on. Bytes; 0: the end.
 */
int32_t moult_log_length(moult *core, uint32_t *length);
int32_t moult_log_read(moult *core, uint32_t offset, void *to, uint32_t capacity);

/*
 * The path of one of the Director's targets, counted from 0, as moult_fetch_name. NOT_FOUND: there are not so many;
 * WRONG_STATE: the last check found a fault, or the small core knows no Director.
 */
int32_t moult_director_target(moult *core, int32_t index, char *path, uint32_t capacity);

/*
 * Chooses the component that the next two tell of, 0 the main one. How many there are; BAD_ARGUMENT: not so many;
 * WRONG_STATE: the small core has the main one alone, and does not tell.
 */
int32_t moult_component_choose(moult *core, int32_t component);
/* A field of `enum moult_component_field`. */
int32_t moult_component_read(moult *core, int32_t field, uint32_t *value);
/* A field of `enum moult_component_text`, as moult_fetch_name. */
int32_t moult_component_text(moult *core, int32_t field, char *text, uint32_t capacity);

/* The name and the finding of a status, in static memory; "?" for a number that has none. */
const char *moult_status_name(int32_t status);
const char *moult_status_text(int32_t status);

#ifdef __cplusplus
}
#endif

#endif
