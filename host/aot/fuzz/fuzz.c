/*
 * Coverage-guided fuzzing of the core compiled ahead of time, of the shim over it and of the link: a target of libFuzzer.
 * MOULT_FUZZ_WORLD names a file that test/fuzz/native.ts writes: a configuration, a root, the flash of a device that
 * was provisioned with them, and the files of an honest repository. The first byte of an input says what is hostile:
 *
 *   0  provisioning: the configuration and the root are of the input
 *   1  the answers: each honest, edited, other bytes or missing, as the input says
 *   2  the flash when the device starts: the provisioned one with edits, then answers as in 1
 *   3  the line: bytes that come instead of a gateway's
 *
 * Found is a trap, a call that takes too long, whatever the sanitizers end at, and an image selected that is not the
 * repository's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "flash.h"
#include "link.h"
#include "moult.h"
#include "sha256.h"

#define NOW 1893456000u /* 2030-01-01, as sim/scenarios/world.ts has it */
#define MOST_BOOTS 3
#define MOST_STEPS 400
#define MOST_EDITS 64
/* What one call of the core may ask of the board; the clock goes on with each. */
#define MOST_CALLS 1000000u

int LLVMFuzzerInitialize(int *count, char ***values);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What is left of an input; past its end there are zeros. */
typedef struct input {
  const uint8_t *next;
  size_t left;
} input;

static uint8_t *world;
static board device;
static moult core;

static void require(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "found: %s\n", what);
  abort();
}

/* ---- the world: entries of u32 length of the name, u32 length, the name, the bytes; a length of 0 ends them ---- */

static uint32_t word(const uint8_t *at) {
  return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static const uint8_t *find(const char *name, uint32_t *length) {
  const uint8_t *entry = world;
  while (word(entry) != 0) {
    const uint8_t *bytes = entry + 8 + word(entry);
    *length = word(entry + 4);
    if (word(entry) == strlen(name) && memcmp(entry + 8, name, strlen(name)) == 0) return bytes;
    entry = bytes + *length;
  }
  return NULL;
}

int LLVMFuzzerInitialize(int *count, char ***values) {
  const char *path = getenv("MOULT_FUZZ_WORLD");
  FILE *file = path != NULL ? fopen(path, "rb") : NULL;
  (void)count;
  (void)values;
  if (file == NULL) {
    fprintf(stderr, "no file in MOULT_FUZZ_WORLD\n");
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  size_t length = (size_t)ftell(file);
  rewind(file);
  world = malloc(length);
  require(world != NULL && fread(world, 1, length, file) == length, "the world cannot be read");
  fclose(file);
  return 0;
}

/* ---- an input, piece by piece ---- */

static uint32_t take(input *from, uint32_t width) {
  uint32_t value = 0;
  for (uint32_t i = 0; i < width && from->left > 0; i++, from->next++, from->left--)
    value |= (uint32_t)*from->next << 8 * i;
  return value;
}

/* Up to that many bytes, where they lie. */
static const uint8_t *take_bytes(input *from, uint32_t *length) {
  const uint8_t *bytes = from->next;
  if (*length > from->left) *length = (uint32_t)from->left;
  from->next += *length;
  from->left -= *length;
  return bytes;
}

/* Edits, each a place, a length and bytes; a length of 0 ends them. */
static void edit(input *from, uint8_t *bytes, uint32_t length) {
  for (int i = 0; i < MOST_EDITS && length > 0; i++) {
    uint32_t at = take(from, 3) % length;
    uint32_t amount = take(from, 1);
    if (amount == 0) return;
    const uint8_t *with = take_bytes(from, &amount);
    memcpy(bytes + at, with, amount < length - at ? amount : length - at);
  }
}

/* ---- a device ---- */

/* A trap is a bug of the core; so is a call without an end. */
static int32_t checked(int32_t result) {
  require(core.ended != MOULT_STATUS_TRAP, "a trap");
  require(core.ended != MOULT_STATUS_DEADLINE, "a call that takes too long");
  return result;
}

static void power_on(void) {
  static const moult_config config = {.port = &board_port, .user = &device, .deadline = MOST_CALLS};
  require(moult_open(&core, &config) == 0, "the core does not open");
}

static void power_off(void) { moult_close(&core); }

/* Gives bytes to the core, in pieces of a length that the input chooses; 0: whole. */
static int32_t feed(input *from, int32_t (*write)(moult *, const void *, uint32_t), const uint8_t *bytes, uint32_t length) {
  uint32_t piece = take(from, 1) * 16;
  int32_t status = 0;
  if (piece == 0) piece = length;
  for (uint32_t at = 0; at < length && status >= 0; at += piece)
    status = checked(write(&core, bytes + at, length - at < piece ? length - at : piece));
  return status;
}

enum answer { IS_HONEST, IS_EDITED, IS_OTHER, IS_MISSING, IS_UNREACHABLE, ANSWERS };

static void answer_with(input *from, uint32_t offset, const uint8_t *bytes, uint32_t length) {
  if (offset > length) offset = 0;
  if (checked(moult_fetch_begin(&core, offset)) >= 0) (void)feed(from, moult_fetch_write, bytes + offset, length - offset);
  checked(moult_fetch_end(&core, MOULT_STATUS_OK));
}

static void answer_edited(input *from, uint32_t offset, const uint8_t *honest, uint32_t length) {
  uint8_t *copy = malloc(length + 1);
  require(copy != NULL, "memory");
  memcpy(copy, honest, length);
  edit(from, copy, length);
  answer_with(from, offset, copy, length);
  free(copy);
}

static void answer(input *from) {
  char name[512] = "";
  uint32_t offset = 0, length = 0;
  const char *folder = moult_fetch_kind(&core) == MOULT_FETCH_KIND_METADATA ? "metadata/" : "targets/";
  strcpy(name, folder);
  if (moult_fetch_name(&core, name + strlen(folder), 400) < 0 || moult_fetch_offset(&core, &offset) < 0) return;
  const uint8_t *honest = find(name, &length);
  switch (take(from, 1) % ANSWERS) {
    case IS_OTHER: {
      uint32_t amount = take(from, 2);
      const uint8_t *bytes = take_bytes(from, &amount);
      answer_with(from, offset, bytes, amount);
      return;
    }
    case IS_MISSING:
      checked(moult_fetch_end(&core, MOULT_STATUS_NOT_FOUND));
      return;
    case IS_UNREACHABLE:
      checked(moult_fetch_end(&core, MOULT_STATUS_NETWORK));
      return;
    case IS_EDITED:
      if (honest != NULL) {
        answer_edited(from, offset, honest, length);
        return;
      }
  }
  if (honest == NULL)
    checked(moult_fetch_end(&core, MOULT_STATUS_NOT_FOUND));
  else
    answer_with(from, offset, honest, length);
}

/* One boot. Whether another one follows. */
static int boot(input *from) {
  power_on();
  int32_t action = checked(moult_core_start(&core));
  for (int step = 0; step < MOST_STEPS && action >= MOULT_ACTION_WAIT; step++) {
    action = checked(moult_agent_step(&core, NOW));
    if (action == MOULT_ACTION_FETCH)
      answer(from);
    else if (action == MOULT_ACTION_SELF_TEST)
      checked(take(from, 1) % 2 == 0 ? moult_image_confirm(&core) : moult_image_reject(&core));
    else if (action != MOULT_ACTION_CONTINUE)
      break;
  }
  power_off();
  return action == MOULT_ACTION_REBOOT;
}

static const uint8_t *slot_b(void) { return device.flash + 2 * BANK + JOURNAL + SLOT; }

/* ---- what is hostile ---- */

static void provisioning(input *from) {
  memset(device.flash, 0xff, sizeof device.flash);
  power_on();
  checked(moult_core_start(&core));
  for (int32_t part = MOULT_PART_CONFIG; part <= MOULT_PART_ROOT; part++) {
    uint32_t length = 0;
    const uint8_t *bytes = find(part == MOULT_PART_CONFIG ? "config" : "root", &length);
    int honest = take(from, 1) % 2 == 0;
    if (!honest) length = take(from, 2);
    if (!honest) bytes = take_bytes(from, &length);
    if (checked(moult_provision_begin(&core, part)) >= 0) (void)feed(from, moult_provision_write, bytes, length);
    checked(moult_provision_end(&core));
  }
  checked(moult_agent_step(&core, NOW));
  power_off();
}

/* Whatever is answered, nothing but the repository's image is ever selected. */
static void answers(input *from) {
  uint32_t length = 0;
  const uint8_t *image = find("image", &length);
  for (int boots = 0; boots < MOST_BOOTS && boot(from); boots++)
    require(memcmp(slot_b(), image, length) == 0, "another image is selected");
}

static void flash(input *from) {
  edit(from, device.flash, sizeof device.flash);
  for (int boots = 0; boots < MOST_BOOTS && boot(from); boots++) continue;
}

static int32_t receive(void *user, void *to, uint32_t capacity, uint32_t wait_ms) {
  input *from = user;
  device.now += wait_ms / 4 + 1;
  if (from->left == 0) return -1;
  uint32_t length = take(from, 1) % 64;
  const uint8_t *bytes = take_bytes(from, &length);
  if (length > capacity) length = capacity;
  memcpy(to, bytes, length);
  return (int32_t)length;
}

static int32_t send(void *user, const void *from, uint32_t length) {
  (void)user;
  (void)from;
  (void)length;
  return 0;
}

static uint32_t milliseconds(void *user) {
  (void)user;
  return device.now;
}

static void line(input *from) {
  static const moult_stream stream = {receive, send, milliseconds};
  static moult_link link_;
  moult_client client = {.core = &core, .link = &link_, .engine = moult_engine(), .erases_ahead = 1};
  power_on();
  moult_link_open(&link_, &stream, from, 1);
  for (int step = 0; step < MOST_STEPS && from->left > 0; step++) {
    int32_t action = checked(moult_client_step(&client, NOW));
    if (action == MOULT_ACTION_REBOOT || action < 0) break;
  }
  power_off();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static void (*const kinds[])(input *) = {provisioning, answers, flash, line};
  input from = {bytes, length};
  uint32_t flash_length = 0;
  const uint8_t *provisioned = find("flash", &flash_length);
  memset(&device, 0, sizeof device);
  device.tick = 1;
  require(flash_length == sizeof device.flash, "the flash of the world has another size");
  memcpy(device.flash, provisioned, flash_length);
  kinds[take(&from, 1) % 4](&from);
  return 0;
}
