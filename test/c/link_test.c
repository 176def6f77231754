/*
 * A device on a link, its line and its clock in the hands of test/host/link.test.ts.
 *
 * link_test update FOLDER: the flash of test/c/flash.h with flash.bin, core.wasm and core.sha256 from the folder, until
 * it is up to date in slot B. It writes records, all integers little endian:
 *
 *   'S' u32 LENGTH, bytes    it sends these
 *   'R' u32 WAIT             it wants to receive; it reads u32 NOW (milliseconds), u8 POWER (0: lost), u8 LENGTH, bytes
 *   'E' i32 AREA, u32 OFFSET    it erases from there
 *   'A' i32 ACTION, i32 STATUS, u32 SLOT    a step has ended so
 *   'F' the flash            at the end
 *
 * link_test signs FOLDER: the same, of a board with a key store, which is elsewhere too:
 *
 *   'K' u32 LENGTH, bytes    it is to sign these; it reads u8 LENGTH (0: it does not sign), then, unless that is more than a
 *                            signature may have, the id of its key, 32 bytes, and a signature of that length
 *
 * link_test patience: how long the device waits on lines that are silent, busy and endless, and what it does then.
 *
 * link_test flips: a good answer, cut short after each of its bytes and with each of its bits turned over.
 *
 * link_test fuzz SEED COUNT: answers of any kind, whole and spoiled, which must never be more than what was asked for.
 *
 * Ends with 0, or 1 and a line on standard error that says what was not as it must be.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "client.h"
#include "crc32.h"
#include "flash.h"

#define NOW 1893456000u /* 2030-01-01 */
#define MEMORY (640u * 1024)
#define MOST_STEPS 400

static void require(int holds, const char *what, long detail) {
  if (holds) return;
  fprintf(stderr, "%s (%ld)\n", what, detail);
  exit(1);
}

/* ---- a device whose line is elsewhere ---- */

static uint64_t memory[MEMORY / sizeof(uint64_t)];
static uint8_t module[256 * 1024];
static uint8_t module_sha256[32];
static board device;
static moult core;
static moult_link link_;
static uint32_t milliseconds;
static jmp_buf power_lost;

static uint32_t read_file(const char *folder, const char *name, void *to, size_t capacity) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *stream = fopen(path, "rb");
  require(stream != NULL, path, 0);
  size_t length = fread(to, 1, capacity, stream);
  fclose(stream);
  return (uint32_t)length;
}

static void put(const void *bytes, size_t length) { require(fwrite(bytes, 1, length, stdout) == length, "written", 0); }

static void put_u32(uint32_t value) {
  uint8_t bytes[4];
  moult_store(bytes, value, 4);
  put(bytes, sizeof bytes);
}

static void get(void *to, size_t length) { require(fread(to, 1, length, stdin) == length, "read", 0); }

static int32_t line_receive(void *user, void *to, uint32_t capacity, uint32_t wait_ms) {
  uint8_t header[6];
  (void)user;
  put("R", 1);
  put_u32(wait_ms);
  fflush(stdout);
  get(header, sizeof header);
  milliseconds = moult_load(header);
  require(header[5] <= capacity, "no more than there is room for", header[5]);
  get(to, header[5]);
  if (header[4] == 0) longjmp(power_lost, 1);
  return header[5];
}

static int32_t line_send(void *user, const void *from, uint32_t length) {
  (void)user;
  put("S", 1);
  put_u32(length);
  put(from, length);
  return 0;
}

static uint32_t line_milliseconds(void *user) {
  (void)user;
  return milliseconds;
}

static int32_t key_store_sign(void *user, const uint8_t *text, uint32_t length, uint8_t key_id[32], uint8_t signature[72]) {
  uint8_t made = 0;
  (void)user;
  put("K", 1);
  put_u32(length);
  put(text, length);
  fflush(stdout);
  get(&made, 1);
  if (made == 0) return -1;
  if (made > 72) return made;
  get(key_id, 32);
  get(signature, made);
  return made;
}

static int has_key_store;

static const moult_stream line = {.receive = line_receive, .send = line_send, .milliseconds = line_milliseconds};

static int32_t erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  put("E", 1);
  put_u32((uint32_t)area);
  put_u32(offset);
  return board_port.flash_erase(user, area, offset, length);
}

static moult_client power_on(uint32_t module_length, uint32_t session) {
  static moult_port port;
  port = board_port;
  port.flash_erase = erase;
  moult_config config = {
      .port = &port,
      .user = &device,
      .module = module,
      .module_length = module_length,
      .module_sha256 = module_sha256,
      .memory = memory,
      .memory_length = sizeof memory,
      .deadline = 1000,
  };
  moult_client client = {.core = &core, .link = &link_, .engine = "wasm3", .erases_ahead = 1};
  if (has_key_store) client.sign = key_store_sign;
  int32_t opened = moult_open(&core, &config);
  require(opened == 0, "the core opens", opened);
  moult_link_open(&link_, &line, NULL, session);
  return client;
}

static uint32_t outcome(void) {
  uint32_t status = 0;
  require(moult_state_read(&core, MOULT_STATE_CHECK_STATUS, &status) == 0, "the core tells its status", 0);
  return status;
}

/* Steps until it is to be started again (0), or has nothing more to do (1). */
static int run(moult_client *client, uint32_t *now) {
  for (int step = 0; step < MOST_STEPS; step++) {
    int32_t action = moult_client_step(client, *now);
    put("A", 1);
    put_u32((uint32_t)action);
    put_u32(outcome());
    put_u32((uint32_t)device.slot);
    require(action >= 0, "a step goes well", action);
    if (action == MOULT_ACTION_REBOOT) return 0;
    if (action == MOULT_ACTION_SELF_TEST) require(moult_client_answer(client, 1) >= 0, "the image is confirmed", 0);
    if (action != MOULT_ACTION_WAIT) continue;
    if (outcome() == MOULT_STATUS_UP_TO_DATE && device.slot == 1) return 1;
    require(moult_agent_until(&core, now) == 0, "it says when", 0);
  }
  require(0, "it comes to an end", MOST_STEPS);
  return 1;
}

static void update(const char *folder) {
  static uint32_t session;
  static uint32_t now = NOW;
  uint32_t length = read_file(folder, "core.wasm", module, sizeof module);
  read_file(folder, "core.sha256", module_sha256, sizeof module_sha256);
  read_file(folder, "flash.bin", device.flash, sizeof device.flash);
  setjmp(power_lost);
  for (;;) {
    moult_client client = power_on(length, ++session);
    if (run(&client, &now)) break;
  }
  put("F", 1);
  put(device.flash, sizeof device.flash);
}

/* ---- answers of any kind ---- */

static uint32_t seed;

/* splitmix32 */
static uint32_t any(void) {
  uint32_t z = seed += 0x9e3779b9u;
  z = (z ^ z >> 16) * 0x21f0aaadu;
  z = (z ^ z >> 15) * 0x735a2d97u;
  return z ^ z >> 15;
}

#define MOST_BYTES 4096u

static uint8_t coming[MOST_BYTES];
static uint32_t coming_next, coming_end;

static void come(uint8_t byte) {
  if (coming_end < MOST_BYTES) coming[coming_end++] = byte;
}

/* COBS, byte by byte. */
static void come_frame(const uint8_t *bytes, uint32_t length) {
  uint32_t start = 0;
  come(0);
  for (uint32_t i = 0; i <= length; i++) {
    if (i < length && bytes[i] != 0 && i - start < 254) continue;
    come((uint8_t)(i - start + 1));
    while (start < i) come(bytes[start++]);
    if (i < length && bytes[i] == 0) start = i + 1;
    else i -= i < length;
  }
  come(0);
}

/* An answer to the latest request with something of its own: mostly DATA, right, too long, short, of other offsets. */
static void come_answer(uint32_t offset, uint32_t wanted) {
  static const uint8_t kinds[] = {0x83, 0x83, 0x83, 0x81, 0x82, 0x84, 0xc0, 0xc1, 0xc2, 0xc3, 0x03, 0x00};
  uint8_t frame[2048];
  uint32_t length = 12 + (any() % 4 == 0 ? any() % 1100 : any() % (wanted + 3));
  for (uint32_t i = 0; i < length; i++) frame[i] = any() % 3 == 0 ? 0 : (uint8_t)any();
  frame[0] = kinds[any() % sizeof kinds];
  frame[1] = (uint8_t)(any() % 2);
  moult_store(frame + 2, link_.sequence + (uint32_t)(any() % 8 == 0), 2);
  moult_store(frame + 4, link_.session + (uint32_t)(any() % 8 == 0), 4);
  moult_store(frame + 8, offset + (uint32_t)(any() % 8 == 0), 4);
  moult_store(frame + length, moult_crc32(0, frame, length), 4);
  come_frame(frame, length + 4);
}

static void spoil(uint32_t from) {
  if (coming_end > from) coming[from + any() % (coming_end - from)] = (uint8_t)any();
}

static uint32_t asked_offset, asked_wanted;

static int32_t fuzz_receive(void *user, void *to, uint32_t capacity, uint32_t wait_ms) {
  (void)user;
  milliseconds += any() % 4 == 0 ? wait_ms : 0;
  if (coming_next == coming_end) {
    coming_next = coming_end = 0;
    for (uint32_t frames = any() % 4; frames > 0; frames--) {
      uint32_t from = coming_end;
      come_answer(asked_offset, asked_wanted);
      for (uint32_t spoils = any() % 5; spoils > 2; spoils--) spoil(from);
    }
    for (uint32_t noise = any() % 8 == 0 ? any() % 2000 : 0; noise > 0; noise--) come((uint8_t)any());
  }
  uint32_t length = coming_end - coming_next;
  uint32_t most = 1 + any() % 64;
  if (length > capacity) length = capacity;
  if (length > most) length = most;
  memcpy(to, coming + coming_next, length);
  coming_next += length;
  return any() % 500 == 0 ? -1 : (int32_t)length;
}

static int32_t fuzz_send(void *user, const void *from, uint32_t length) {
  (void)user;
  (void)from;
  (void)length;
  return any() % 500 == 0 ? -1 : 0;
}

/* What a read may give, whatever came: no more than was asked for, inside the frame, from where it was asked. */
static int check_read(uint32_t read) {
  moult_piece piece = {0};
  asked_offset = any() % 3 == 0 ? any() : any() % 5000;
  asked_wanted = 1 + any() % (any() % 2 == 0 ? 1100 : 20);
  int32_t status = moult_link_read(&link_, 0, "1.root.json", asked_offset, asked_wanted, &piece);
  if (status == MOULT_STATUS_NETWORK || status == MOULT_STATUS_NOT_FOUND) return 0;
  require(status == MOULT_STATUS_OK, "a status that a read has", status);
  require(piece.length <= asked_wanted, "no more than was asked for", read);
  require(piece.offset == asked_offset, "from where it was asked", read);
  require(piece.length > 0 || piece.last, "something, or the end", read);
  require(piece.bytes >= link_.frame && piece.bytes + piece.length <= link_.frame + sizeof link_.frame, "inside", read);
  return 1;
}

static void fuzz(uint32_t count) {
  static const moult_stream fuzzed = {
      .receive = fuzz_receive, .send = fuzz_send, .milliseconds = line_milliseconds};
  uint32_t good = 0;
  moult_link_open(&link_, &fuzzed, NULL, any());
  for (uint32_t read = 0; read < count; read++) {
    link_.greeted = 1; /* most random answers to a HELLO are none */
    good += (uint32_t)check_read(read);
  }
  require(good > count / 20 && good < count, "some answers are good, and some are not", good);
}

/* ---- patience ---- */

/* What the line brings each time it is looked at, or once for each request, and how much later that is. */
static struct {
  const uint8_t *bytes;
  uint32_t length;
  uint32_t later;
  int when_asked;
} bringing;

static uint32_t sends, answered;

static int32_t patience_receive(void *user, void *to, uint32_t capacity, uint32_t wait_ms) {
  (void)user;
  int silent = bringing.when_asked && answered == sends;
  milliseconds += bringing.later < wait_ms && !silent ? bringing.later : wait_ms;
  if (silent) return 0;
  answered = sends;
  require(bringing.length <= capacity, "a short frame", bringing.length);
  if (bringing.length > 0) memcpy(to, bringing.bytes, bringing.length);
  return (int32_t)bringing.length;
}

static int32_t patience_send(void *user, const void *from, uint32_t length) {
  const uint8_t *bytes = from;
  (void)user;
  sends += length == 1 && bytes[0] == 0; /* one before each frame, and one behind */
  return 0;
}

/* Asks for the time of a gateway that was greeted. How many milliseconds it takes to give up. */
static uint32_t gives_up(const uint8_t *bytes, uint32_t length, uint32_t later) {
  uint32_t seconds = 0;
  uint32_t began = milliseconds;
  bringing.bytes = bytes;
  bringing.length = length;
  bringing.later = later;
  sends = answered = 0;
  coming_end = 0;
  link_.greeted = 1;
  require(moult_link_time(&link_, &seconds) == MOULT_STATUS_NETWORK, "no answer", (long)seconds);
  return milliseconds - began;
}

/* An answer to the next request. */
static void next_answer(uint8_t kind) {
  uint8_t frame[MOULT_LINK_HEADER + 4] = {kind};
  moult_store(frame + 2, (uint32_t)link_.sequence + 1, 2);
  moult_store(frame + 4, link_.session, 4);
  moult_store(frame + 8, moult_crc32(0, frame, MOULT_LINK_HEADER), 4);
  come_frame(frame, sizeof frame);
}

static void patience(void) {
  static const moult_stream stream = {
      .receive = patience_receive, .send = patience_send, .milliseconds = line_milliseconds};
  static const uint8_t one = 1;
  milliseconds = 0u - 5000u; /* the clock wraps meanwhile */
  moult_link_open(&link_, &stream, NULL, 0x01020304);

  uint32_t took = gives_up(NULL, 0, 1000);
  require(took == MOULT_LINK_REPEATS * MOULT_LINK_REPEAT, "silence: the repeats, and no longer", took);
  require(sends == 2 * MOULT_LINK_REPEATS, "each of them is sent", sends);
  require(!link_.greeted, "the gateway is greeted again", 0);

  took = gives_up(&one, 1, 1);
  require(took == MOULT_LINK_REPEATS * MOULT_LINK_REPEAT, "noise: as silence", took);

  next_answer(MOULT_LINK_BUSY);
  took = gives_up(coming, coming_end, 400);
  require(took >= MOULT_LINK_PATIENCE && took < MOULT_LINK_PATIENCE + MOULT_LINK_REPEAT, "busy all the time: a minute", took);
  require(sends == 2, "and it is not asked again", sends);

  bringing.when_asked = 1;
  next_answer(MOULT_LINK_BUSY);
  took = gives_up(coming, coming_end, 1);
  bringing.when_asked = 0;
  require(took >= MOULT_LINK_PATIENCE && took < MOULT_LINK_PATIENCE + MOULT_LINK_REPEAT, "busy when asked: a minute", took);

  next_answer(MOULT_LINK_TIME | MOULT_LINK_ANSWER);
  require(gives_up(coming, coming_end, 1) <= 1, "an answer without its payload is none", 0);
  next_answer(MOULT_LINK_ABSENT);
  require(gives_up(coming, coming_end, 1) <= 1, "no file that was not asked for can be absent", 0);
  require(!link_.greeted, "it makes no sense: the gateway is greeted again", 0);
  next_answer(MOULT_LINK_FAILED);
  require(gives_up(coming, coming_end, 1) <= 1, "the gateway could not", 0);
  require(link_.greeted, "but it is the same gateway", 0);
}

/* ---- one answer, damaged in every way ---- */

#define DATA_BYTES 300u

/* The answer to the next request: DATA from offset 0. */
static void next_data(void) {
  uint8_t frame[MOULT_LINK_HEADER + 4 + DATA_BYTES + 4] = {0x83};
  uint32_t length = sizeof frame - 4;
  moult_store(frame + 2, (uint32_t)link_.sequence + 1, 2);
  moult_store(frame + 4, link_.session, 4);
  for (uint32_t i = 0; i < DATA_BYTES; i++) frame[12 + i] = (uint8_t)(i * 7);
  moult_store(frame + length, moult_crc32(0, frame, length), 4);
  coming_end = 0;
  come_frame(frame, sizeof frame);
}

/* Reads while the line brings what is coming, once, and nothing else. */
static int32_t read_damaged(uint32_t length) {
  moult_piece piece = {0};
  bringing.bytes = coming;
  bringing.length = length;
  coming_next = 0;
  link_.greeted = 1;
  int32_t status = moult_link_read(&link_, 0, "1.root.json", 0, DATA_BYTES, &piece);
  require(status != MOULT_STATUS_OK || piece.length == DATA_BYTES, "all of it, or nothing", (long)piece.length);
  return status;
}

static int32_t flips_receive(void *user, void *to, uint32_t capacity, uint32_t wait_ms) {
  (void)user;
  uint32_t left = bringing.length - coming_next;
  uint32_t length = left < capacity ? left : capacity;
  if (length == 0) milliseconds += wait_ms;
  memcpy(to, bringing.bytes + coming_next, length);
  coming_next += length;
  return (int32_t)length;
}

static void flips(void) {
  static const moult_stream stream = {.receive = flips_receive, .send = patience_send, .milliseconds = line_milliseconds};
  moult_link_open(&link_, &stream, NULL, 0x01020304);
  next_data();
  uint32_t whole = coming_end;
  require(read_damaged(whole) == MOULT_STATUS_OK, "the answer is good", 0);
  for (uint32_t length = 0; length < whole - 1; length++) {
    next_data();
    require(read_damaged(length) == MOULT_STATUS_NETWORK, "a part of an answer is none", length);
  }
  for (uint32_t bit = 8; bit < (whole - 1) * 8; bit++) { /* the delimiters apart */
    next_data();
    coming[bit / 8] ^= (uint8_t)(1u << bit % 8);
    require(read_damaged(whole) == MOULT_STATUS_NETWORK, "an answer with a bit turned over is none", bit);
  }
}

int main(int count, char **arguments) {
  if (count == 3 && strcmp(arguments[1], "update") == 0) {
    update(arguments[2]);
  } else if (count == 3 && strcmp(arguments[1], "signs") == 0) {
    has_key_store = 1;
    update(arguments[2]);
  } else if (count == 2 && strcmp(arguments[1], "patience") == 0) {
    patience();
  } else if (count == 2 && strcmp(arguments[1], "flips") == 0) {
    flips();
  } else if (count == 4 && strcmp(arguments[1], "fuzz") == 0) {
    seed = (uint32_t)strtoul(arguments[2], NULL, 10);
    fuzz((uint32_t)strtoul(arguments[3], NULL, 10));
  } else {
    return 2;
  }
  return 0;
}
