/*
 * Faults of the shim, each tried: `shim_test CASE FOLDER` where the folder holds the module (core.wasm, its SHA-256
 * in core.sha256), one of another ABI version (old.wasm), one whose core_start never returns (endless.wasm), and the
 * files of a repository and a provisioned device's flash (flash.bin) as test/host/shim.test.ts writes them.
 * Ends with 0, or 1 and a line that says what was not as it must be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash.h"
#include "heap.h"
#include "moult.h"
#include "sha256.h"

#define NOW 1893456000u /* 2030-01-01 */
#define MEMORY (640u * 1024)

typedef struct file {
  uint8_t *bytes;
  uint32_t length;
} file;

static const char *folder;
static uint64_t memory[MEMORY / sizeof(uint64_t)];
static uint8_t provisioned[FLASH_BYTES];
static board device;

static void require(int holds, const char *what, long detail) {
  if (holds) return;
  printf("%s (%ld)\n", what, detail);
  exit(1);
}

/* ---- counting allocations: the linker puts these in between, see host/wasm3/CMakeLists.txt ---- */

static uint32_t allocations;
static uint32_t fail_at; /* 0: never */

void *__real_moult_wasm3_calloc(size_t count, size_t size);
void *__real_moult_wasm3_realloc(void *pointer, size_t size);
void *__wrap_moult_wasm3_calloc(size_t count, size_t size);
void *__wrap_moult_wasm3_realloc(void *pointer, size_t size);

static void count_allocation(void) {
  if (++allocations == fail_at) longjmp(moult_heap_exhausted, 1);
}

void *__wrap_moult_wasm3_calloc(size_t count, size_t size) {
  count_allocation();
  return __real_moult_wasm3_calloc(count, size);
}

void *__wrap_moult_wasm3_realloc(void *pointer, size_t size) {
  count_allocation();
  return __real_moult_wasm3_realloc(pointer, size);
}

/* ---- files ---- */

/* NULL bytes: there is no such file. */
static file read_file(const char *name) {
  char path[512];
  file read = {NULL, 0};
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *stream = fopen(path, "rb");
  if (stream == NULL) return read;
  fseek(stream, 0, SEEK_END);
  long length = ftell(stream);
  rewind(stream);
  read.bytes = malloc((size_t)length + 1);
  read.length = (uint32_t)length;
  require(read.bytes != NULL && fread(read.bytes, 1, read.length, stream) == read.length, name, length);
  fclose(stream);
  return read;
}

/* Files that are kept to the end. */
static file kept[8];
static size_t kept_count;

static void free_kept(void) {
  while (kept_count > 0) free(kept[--kept_count].bytes);
}

static file need_file(const char *name) {
  file read = read_file(name);
  require(read.bytes != NULL && kept_count < sizeof kept / sizeof *kept, name, 0);
  kept[kept_count++] = read;
  return read;
}

/* ---- a device ---- */

static uint8_t digest[32];
/* What a case gives a core, and the most that any core has used of it. */
static uint32_t given = MEMORY;
static int late;
static uint32_t used;

static moult_config config_for(file module, const uint8_t *sha256) {
  moult_config config = {
      .port = &board_port,
      .user = &device,
      .module = module.bytes,
      .module_length = module.length,
      .module_sha256 = sha256,
      .memory = memory,
      .memory_length = given,
      .compile_late = late,
      .deadline = 1000,
  };
  return config;
}

/* The module with whatever hash it has: for modules that are wrong in another way. */
static moult_config trusting(file module) {
  moult_sha256(module.bytes, module.length, digest);
  return config_for(module, digest);
}

static void power_off(void) {
  memcpy(device.flash, provisioned, sizeof provisioned);
  device.lie = HONEST;
  device.slot = 0;
  device.tick = 0;
  device.intrude = NULL;
}

/* It boots what it has, and asks for what a device asks for first. */
static void require_boots(file module, long detail) {
  moult core;
  char name[64];
  moult_config config = trusting(module);
  require(moult_open(&core, &config) == 0, "the device opens its core", detail);
  int32_t started = moult_core_start(&core);
  require(started == 0, "the core starts", started);
  int32_t action = moult_agent_step(&core, NOW);
  require(action == MOULT_ACTION_FETCH, "the core asks for a file", action);
  int32_t length = moult_fetch_name(&core, name, sizeof name);
  require(length > 0 && strstr(name, ".root.json") != NULL, name, length);
  moult_close(&core);
}

/* Answers one fetch from the folder. The verdict. */
static int32_t answer(moult *core) {
  char name[512] = "";
  uint32_t offset = 0;
  int32_t kind = moult_fetch_kind(core);
  if (kind < 0) return kind;
  int prefix = snprintf(name, sizeof name, "%s/", kind == MOULT_FETCH_KIND_METADATA ? "metadata" : "targets");
  int32_t length = moult_fetch_name(core, name + prefix, (uint32_t)(sizeof name - (size_t)prefix));
  if (length < 0) return length;
  int32_t status = moult_fetch_offset(core, &offset);
  if (status < 0) return status;
  file found = read_file(name);
  if (found.bytes == NULL) return moult_fetch_end(core, MOULT_STATUS_NOT_FOUND);
  if (offset > found.length) offset = 0;
  status = moult_fetch_begin(core, offset);
  if (status >= 0) status = moult_fetch_write(core, found.bytes + offset, found.length - offset);
  free(found.bytes);
  int32_t verdict = moult_fetch_end(core, MOULT_STATUS_OK);
  return status < 0 ? status : verdict;
}

/* One boot: until the core waits, reboots or ends. The last action or a negative status. */
static int32_t one_boot(moult *core) {
  int32_t started = moult_core_start(core);
  if (started < 0 && started != MOULT_STATUS_TRIAL_FAILED && started != MOULT_STATUS_SELF_TEST_FAILED) return started;
  for (int step = 0; step < 5000; step++) {
    int32_t action = moult_agent_step(core, NOW);
    if (action == MOULT_ACTION_FETCH) {
      int32_t verdict = answer(core);
      if (core->ended != 0) return verdict;
    } else if (action == MOULT_ACTION_SELF_TEST) {
      int32_t confirmed = moult_image_confirm(core);
      if (confirmed < 0) return confirmed;
    } else if (action == MOULT_ACTION_ASK) {
      int32_t approved = moult_update_approve(core);
      if (approved < 0 && core->ended != 0) return approved;
    } else if (action != MOULT_ACTION_CONTINUE) {
      return action;
    }
  }
  return MOULT_STATUS_DEADLINE;
}

/* Boots until the core waits. The outcome of the check, or why there is none. */
static int32_t update(file module) {
  moult core;
  for (int boot = 0; boot < 5; boot++) {
    moult_config config = trusting(module);
    int32_t ended = moult_open(&core, &config);
    if (ended == 0) ended = one_boot(&core);
    if (core.heap.peak > used) used = core.heap.peak;
    if (ended == MOULT_ACTION_REBOOT) continue;
    uint32_t outcome = 0;
    int32_t status = ended == MOULT_ACTION_WAIT ? moult_state_read(&core, MOULT_STATE_CHECK_STATUS, &outcome) : ended;
    moult_close(&core);
    return status != 0 ? status : (int32_t)outcome;
  }
  return MOULT_STATUS_BOOT;
}

/* ---- cases ---- */

static void whole_update(file module) {
  int32_t outcome = update(module);
  require(outcome == MOULT_STATUS_UP_TO_DATE, moult_status_name(outcome), outcome);
  file image = need_file("image.bin");
  require(device.slot == 1, "the second slot runs, confirmed", device.slot);
  require(memcmp(device.flash + 2 * BANK + JOURNAL + SLOT, image.bytes, image.length) == 0, "it holds the image", 0);
  file expected = need_file("expected.bin");
  require(expected.length == sizeof device.flash, "the flash of the other host has this size", expected.length);
  require(memcmp(device.flash, expected.bytes, expected.length) == 0, "the flash is as another host leaves it", 0);
}

static void allocations_fail(file module) {
  moult core;
  moult_config config = trusting(module);
  allocations = 0;
  require(moult_open(&core, &config) == 0, "the core opens", 0);
  uint32_t count = allocations;
  uint32_t peak = core.heap.peak;
  require(one_boot(&core) == MOULT_ACTION_REBOOT, "an update gets to its reboot", 0);
  require(allocations == count, "nothing is allocated after the start", (long)(allocations - count));
  require(count > 100, "allocations are counted", count);
  for (uint32_t point = 1; point <= count; point++) {
    power_off();
    allocations = 0;
    fail_at = point;
    int32_t status = moult_open(&core, &config);
    fail_at = 0;
    require(status == MOULT_STATUS_MEMORY, "a failed allocation is a status", point);
    require(moult_core_start(&core) == MOULT_STATUS_MEMORY, "there is no core then", point);
    require(memcmp(device.flash, provisioned, sizeof provisioned) == 0, "the flash is untouched", point);
  }
  require_boots(module, 0);
  printf("allocations %u, memory %u\n", count, peak);
}

static void memory_too_small(file module) {
  moult core;
  moult_config config = trusting(module);
  require(moult_open(&core, &config) == 0, "the core opens", 0);
  uint32_t peak = core.heap.peak;
  for (uint32_t length = 0; length < peak; length += 509) {
    config.memory_length = length;
    int32_t status = moult_open(&core, &config);
    require(status == MOULT_STATUS_MEMORY || (length < 1024 && status == MOULT_STATUS_BAD_ARGUMENT), "a status", length);
  }
  config.memory_length = peak;
  require(moult_open(&core, &config) == 0, "the peak is what must be given", peak);
  config.memory = (uint8_t *)memory + 1;
  require(moult_open(&core, &config) == MOULT_STATUS_BAD_ARGUMENT, "memory that is not aligned is refused", 0);
}

/* Functions that are compiled when they are called, and dropped again. */
static void compiled_late(file module) {
  moult core;
  moult_config config = trusting(module);
  require(moult_open(&core, &config) == 0, "the core opens", 0);
  uint32_t all = core.heap.peak;
  late = 1;
  whole_update(module);
  require(used < all / 10 * 8, "it takes a good part less memory", (long)used);
  require(used > all / 10 * 3, "functions are compiled", (long)used);
  uint32_t most = used;
  for (uint32_t less = most / 3; less < most; less += most / 20) {
    power_off();
    given = less;
    int32_t outcome = update(module);
    require(outcome == MOULT_STATUS_MEMORY, moult_status_name(outcome), less);
    given = MEMORY;
    require(update(module) == MOULT_STATUS_UP_TO_DATE, "with enough of it the update is made", less);
  }
  power_off();
  given = most;
  whole_update(module);
}

/* Every bit of a piece of the module; the pieces together are all of it. */
static void bits_flip(file module, uint32_t piece, uint32_t pieces) {
  moult core;
  uint8_t sha256[32];
  moult_sha256(module.bytes, module.length, sha256);
  moult_config config = config_for(module, sha256);
  allocations = 0;
  for (uint32_t bit = piece; bit < module.length * 8; bit += pieces) {
    module.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    require(moult_open(&core, &config) == MOULT_STATUS_MODULE_HASH, "a flipped bit is refused", bit);
    module.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  require(allocations == 0, "before wasm3 sees a byte", allocations);
  config.module_length--;
  require(moult_open(&core, &config) == MOULT_STATUS_MODULE_HASH, "a shorter module is refused", 0);
  require_boots(module, 0);
}

static void hash_is_right(file module) {
  file stated = need_file("core.sha256");
  moult_sha256(module.bytes, module.length, digest);
  require(stated.length == 32 && memcmp(stated.bytes, digest, 32) == 0, "SHA-256 as another library has it", 0);
  moult_config config = config_for(module, stated.bytes);
  moult core;
  require(moult_open(&core, &config) == 0, "the core opens with it", 0);
}

static void blocks_are_hashed(file module) {
  device.hashes = 1;
  device.blocks = 0;
  whole_update(module);
  require(device.blocks > 200, "the board hashes the image", device.blocks);
  power_off();
  device.hashes = 0;
  device.blocks = 0;
  whole_update(module);
  require(device.blocks >= 2 && device.blocks <= 5, "one that does not is asked once a boot", device.blocks);
}

static void other_version(file module) {
  moult core;
  moult_config config = trusting(need_file("old.wasm"));
  int32_t status = moult_open(&core, &config);
  require(status == MOULT_STATUS_ABI_VERSION, moult_status_name(status), status);
  config = trusting(need_file("flash.bin"));
  status = moult_open(&core, &config);
  require(status == MOULT_STATUS_MODULE_INVALID, moult_status_name(status), status);
  require_boots(module, 0);
}

static void deadline(file module) {
  moult core;
  moult_config config = trusting(need_file("endless.wasm"));
  require(moult_open(&core, &config) == 0, "the module opens", 0);
  device.tick = 1;
  int32_t status = moult_core_start(&core);
  require(status == MOULT_STATUS_DEADLINE, moult_status_name(status), status);
  status = moult_agent_step(&core, NOW);
  require(status == MOULT_STATUS_DEADLINE, "the core has ended", status);
  device.tick = 0;
  require_boots(module, 0);
  config = trusting(module);
  device.tick = 10000; /* the clock jumps: the real core is cut off in the middle, whatever it does */
  status = moult_open(&core, &config);
  if (status == 0) status = one_boot(&core);
  require(status == MOULT_STATUS_DEADLINE, moult_status_name(status), status);
  device.tick = 0;
  require_boots(module, 1);
}

static void trap(file module) {
  moult core;
  moult_config config = trusting(need_file("trap.wasm"));
  require(moult_open(&core, &config) == 0, "the module opens", 0);
  int32_t status = moult_core_start(&core);
  require(status == MOULT_STATUS_TRAP, moult_status_name(status), status);
  require(moult_agent_step(&core, NOW) == MOULT_STATUS_TRAP, "the core has ended", 0);
  config = trusting(need_file("outside.wasm"));
  require(moult_open(&core, &config) == 0, "the module opens", 1);
  status = moult_core_start(&core);
  require(status == MOULT_STATUS_TRAP, "a pointer outside the memory", status);
  config = trusting(need_file("outside-state.wasm"));
  require(moult_open(&core, &config) == 0, "the module opens", 2);
  status = moult_core_start(&core);
  require(status == MOULT_STATUS_TRAP, "a state outside the memory", status);
  config = trusting(need_file("outside-block.wasm"));
  require(moult_open(&core, &config) == 0, "the module opens", 3);
  status = moult_core_start(&core);
  require(status == MOULT_STATUS_TRAP, "a block outside the memory", status);
  config = trusting(need_file("outside-entropy.wasm"));
  require(moult_open(&core, &config) == 0, "the module opens", 4);
  status = moult_core_start(&core);
  require(status == MOULT_STATUS_TRAP, "random bytes outside the memory", status);
  require_boots(module, 0);
}

static void entropy(file module) {
  moult core;
  moult_port silent = board_port;
  moult_config config = trusting(need_file("entropy.wasm"));
  require(moult_open(&core, &config) == 0, "the module opens", 0);
  require(moult_core_start(&core) == 0 && device.random == 32, "the board is asked for 32 bytes", device.random);
  silent.entropy = NULL;
  config.port = &silent;
  require(moult_open(&core, &config) == 0, "the module opens", 1);
  require(moult_core_start(&core) == -1, "a board without a source of them", 0);
  device.lie = ENTROPY_FAILS;
  config.port = &board_port;
  require(moult_open(&core, &config) == 0, "the module opens", 2);
  require(moult_core_start(&core) == -1, "a source that fails", 0);
  power_off();
  require_boots(module, 0);
}

/* A lie at every moment of an update. It may cost the update, never the device. */
static void lies(file module) {
  static const int moments[] = {0, 1, 3, 6, 10, 15, 21}; /* steps of the agent */
  for (int lie = HONEST + 1; lie < LIES; lie++) {
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
      int moment = moments[i];
      moult core;
      moult_config config = trusting(module);
      power_off();
      require(moult_open(&core, &config) == 0, "the core opens", lie);
      if (moment == 0) device.lie = (enum lie)lie;
      int32_t status = moult_core_start(&core);
      for (int step = 1; step < 40 && status >= 0 && core.ended == 0; step++) {
        if (step == moment) device.lie = (enum lie)lie;
        status = moult_agent_step(&core, NOW);
        if (status == MOULT_ACTION_FETCH) {
          answer(&core);
          status = core.ended;
        }
        if (status == MOULT_ACTION_ASK) {
          (void)moult_update_approve(&core);
          status = core.ended;
        }
        if (status == MOULT_ACTION_WAIT || status == MOULT_ACTION_REBOOT) break;
      }
      moult_close(&core);
      device.lie = HONEST;
      require(device.slot == 0 || device.slot == 0x101, "a boot decision of the core", device.slot);
      int32_t outcome = update(module);
      require(outcome == MOULT_STATUS_UP_TO_DATE, moult_status_name(outcome), lie * 1000 + moment);
      require(device.slot == 1, "the update is in", lie * 1000 + moment);
    }
  }
}

static moult *intruded;

static void call_back(void) {
  moult_config config = {0};
  moult other;
  require(moult_agent_step(intruded, NOW) == MOULT_STATUS_WRONG_STATE, "a call from a callback is refused", 0);
  require(moult_open(&other, &config) == MOULT_STATUS_WRONG_STATE, "and so is another core", 0);
}

static void misuse(file module) {
  moult core;
  memset(&core, 0, sizeof core);
  require(moult_core_start(&core) == MOULT_STATUS_WRONG_STATE, "a closed core answers", 0);
  require(moult_fetch_write(&core, "x", 1) == MOULT_STATUS_WRONG_STATE, "a closed core takes nothing", 0);
  moult_config config = trusting(module);
  require(moult_open(&core, &config) == 0, "the core opens", 0);
  intruded = &core;
  device.intrude = call_back;
  require(moult_core_start(&core) == 0, "the core starts", 0);
  device.intrude = NULL;
  char small[4];
  require(moult_agent_step(&core, NOW) == MOULT_ACTION_FETCH, "the core asks for a file", 0);
  require(moult_fetch_name(&core, small, sizeof small) == MOULT_STATUS_BAD_ARGUMENT, "a text that does not fit", 0);
  moult_close(&core);
  require(moult_core_start(&core) == MOULT_STATUS_WRONG_STATE, "a closed core answers", 1);
  require(strcmp(moult_status_name(-44), "VERSION_MISMATCH") == 0, "a status has a name", 0);
  require(strcmp(moult_status_text(-7), "the device has no root of trust yet: provision it") == 0, "and a text", 0);
  require(strcmp(moult_status_name(-999), "?") == 0, "a number that is none", 0);
}

static void flip_some(file module) { bits_flip(module, 0, 61); }

static void flip_all(file module) { bits_flip(module, 0, 1); }

int main(int count, char **arguments) {
  static const struct {
    const char *name;
    void (*run)(file module);
  } cases[] = {
      {"update", whole_update},   {"allocations", allocations_fail}, {"memory", memory_too_small},
      {"bits", flip_some},        {"all-bits", flip_all},            {"hash", hash_is_right},
      {"version", other_version}, {"deadline", deadline},            {"trap", trap},
      {"lies", lies},             {"misuse", misuse},            {"blocks", blocks_are_hashed},
      {"late", compiled_late},    {"entropy", entropy},
  };
  if (count != 3) return 2;
  atexit(free_kept);
  folder = arguments[2];
  file module = need_file("core.wasm");
  file flash = need_file("flash.bin");
  require(flash.length == sizeof provisioned, "flash.bin has the size of this board", flash.length);
  memcpy(provisioned, flash.bytes, sizeof provisioned);
  power_off();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (strcmp(arguments[1], cases[i].name) != 0) continue;
    cases[i].run(module);
    return 0;
  }
  return 2;
}
