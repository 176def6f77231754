/*
 * Which core runs (device/core.h) on a board that does not do what it should: `core_test moult.wasm`. The slots of
 * component 1 are in memory; the cores in them are real, and loaded. Ends with 0, or 1 and a line that says what was not
 * as it must be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "bytes.h"
#include "core.h"
#include "sha256.h"

#define SLOT 131072u
#define SLOT_A 10
#define SLOT_B 11
#define IN_SLOT_B 2
#define ON_TRIAL (IN_SLOT_B | MOULT_BOOT_ON_TRIAL)
#define UNREADABLE (-9)

static struct {
  uint8_t slots[2][SLOT];
  uint32_t size;
  int32_t boot_state;
  int reads_fail, maps_fail, reverts_fail;
  int reads, reverts;
} board;

static uint8_t module[SLOT];
static uint32_t module_length;
static uint8_t digest[32];
static uint64_t memory[1024 * 1024 / 8];
static moult core;

static void require(int holds, const char *what) {
  if (holds) return;
  printf("%s\n", what);
  exit(1);
}

/* ---- the board ---- */

static uint8_t *at(int32_t area, uint32_t offset, uint32_t length) {
  require(area == SLOT_A || area == SLOT_B, "only slots of the core are looked at");
  require(offset <= board.size && length <= board.size - offset, "nothing beyond the slot is looked at");
  return board.slots[area - SLOT_A] + offset;
}

static int32_t flash_read(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  (void)user;
  board.reads++;
  memcpy(to, at(area, offset, length), length);
  return board.reads_fail ? -1 : 0;
}

static const uint8_t *map(void *user, int32_t area, uint32_t offset, uint32_t length) {
  (void)user;
  return board.maps_fail ? NULL : at(area, offset, length);
}

static uint32_t flash_size(void *user, int32_t area) {
  (void)user;
  (void)area;
  return board.size;
}

static uint32_t flash_unit(void *user, int32_t area) {
  (void)user;
  (void)area;
  return 4 | 0xffu << 16;
}

static int32_t boot_state(void *user) {
  (void)user;
  return board.boot_state;
}

static int32_t boot_revert(void *user) {
  (void)user;
  board.reverts++;
  return board.reverts_fail ? -1 : 0;
}

static const moult_port port = {
    .flash_read = flash_read,
    .flash_size = flash_size,
    .flash_unit = flash_unit,
    .boot_state = boot_state,
    .boot_revert = boot_revert,
};

static moult_core_slots slots;

/* A board with a core in its slot B, as this header says. */
static void prepare(int32_t state) {
  uint8_t *header = board.slots[1];
  memset(&board, 0, sizeof board);
  memset(board.slots, 0xff, sizeof board.slots);
  board.size = SLOT;
  board.boot_state = state;
  moult_store(header, 0x3143544d, 4);
  moult_store(header + 4, MOULT_ABI_VERSION, 4);
  moult_store(header + 8, module_length, 4);
  memcpy(header + 12, digest, sizeof digest);
  memcpy(header + MOULT_CORE_HEADER, module, module_length);
  slots = (moult_core_slots){.own = {.port = &port,
                                     .module = module,
                                     .module_length = module_length,
                                     .module_sha256 = digest,
                                     .memory = memory,
                                     .memory_length = sizeof memory},
                             .component = 1,
                             .map = map};
}

/* What is opened then. */
enum runs { NOTHING, OWN, THAT_OF_THE_SLOT };

static void opens(int32_t status, int32_t lost, enum runs which, const char *what) {
  enum runs runs = NOTHING;
  if (moult_core_slots_open(&slots, &core) != status || slots.lost != lost) require(0, what);
  if (status == MOULT_STATUS_OK) runs = core.config.module == module ? OWN : THAT_OF_THE_SLOT;
  require(runs == which, what);
  moult_close(&core);
}

/* ---- what must hold ---- */

static void test_opening(void) {
  prepare(IN_SLOT_B);
  opens(MOULT_STATUS_OK, 0, THAT_OF_THE_SLOT, "the core of the slot runs");
  prepare(0);
  opens(MOULT_STATUS_OK, 0, OWN, "an empty slot A stands for the core of the firmware");
  prepare(IN_SLOT_B);
  slots.component = 0;
  opens(MOULT_STATUS_OK, 0, OWN, "a core that is no component is that of the firmware");
  require(board.reads == 0, "then no slot is looked at");
  prepare(UNREADABLE);
  opens(UNREADABLE, 0, NOTHING, "without a boot decision nothing runs");
}

static void test_unreadable(void) {
  for (int32_t state = IN_SLOT_B; state <= ON_TRIAL; state += MOULT_BOOT_ON_TRIAL) {
    prepare(state);
    board.reads_fail = 1;
    opens(MOULT_STATUS_FLASH_READ, 0, NOTHING, "a header that cannot be read now is not lost");
    prepare(state);
    board.maps_fail = 1;
    opens(MOULT_STATUS_FLASH_READ, 0, NOTHING, "a module that cannot be read now is not lost");
  }
}

/* On trial its failure, else the core of the firmware. */
static void is_no_core(void (*damage)(void), int32_t status, const char *what) {
  prepare(ON_TRIAL);
  damage();
  opens(status, 0, NOTHING, what);
  prepare(IN_SLOT_B);
  damage();
  opens(MOULT_STATUS_OK, status, OWN, what);
}

static void empty(void) { memset(board.slots[1], 0xff, MOULT_CORE_HEADER); }
static void tiny(void) { board.size = MOULT_CORE_HEADER - 1; }
static void endless(void) { moult_store(board.slots[1] + 8, 0xffffffff, 4); }
static void too_long(void) { moult_store(board.slots[1] + 8, SLOT - MOULT_CORE_HEADER + 1, 4); }
static void other_abi(void) { moult_store(board.slots[1] + 4, MOULT_ABI_VERSION + 1, 4); }
static void other_magic(void) { board.slots[1][0] ^= 1; }
static void other_hash(void) { board.slots[1][43] ^= 1; }
static void other_byte(void) { board.slots[1][MOULT_CORE_HEADER + 1000] ^= 1; }
static void nothing(void) {
  moult_store(board.slots[1] + 8, 0, 4);
  moult_sha256(module, 0, board.slots[1] + 12);
}

static void test_damage(void) {
  is_no_core(empty, MOULT_STATUS_MODULE_INVALID, "a slot B that is empty");
  is_no_core(tiny, MOULT_STATUS_MODULE_INVALID, "a slot without room for a header");
  is_no_core(endless, MOULT_STATUS_MODULE_INVALID, "the largest length that there is");
  is_no_core(too_long, MOULT_STATUS_MODULE_INVALID, "a module that is one byte too long for its slot");
  is_no_core(other_abi, MOULT_STATUS_ABI_VERSION, "another ABI version");
  is_no_core(other_magic, MOULT_STATUS_MODULE_INVALID, "another magic number");
  is_no_core(other_hash, MOULT_STATUS_MODULE_HASH, "the last byte of the hash");
  is_no_core(other_byte, MOULT_STATUS_MODULE_HASH, "a bit of the module");
  is_no_core(nothing, MOULT_STATUS_MODULE_INVALID, "a module of no bytes with its hash");
}

static void gives_up(int32_t state, int32_t status, int expected, const char *what) {
  board.boot_state = state;
  board.reverts = 0;
  require(moult_core_slots_give_up(&slots, status) == expected, what);
  require(board.reverts == expected, what);
}

static void test_giving_up(void) {
  prepare(ON_TRIAL);
  gives_up(ON_TRIAL, MOULT_STATUS_TRAP, 1, "a failure on trial ends it");
  gives_up(MOULT_BOOT_ON_TRIAL, MOULT_STATUS_TRAP, 1, "a failure on trial ends it in slot A too");
  gives_up(ON_TRIAL, MOULT_ACTION_REBOOT, 0, "what is no failure ends no trial");
  gives_up(IN_SLOT_B, MOULT_STATUS_TRAP, 0, "a confirmed core is not given up");
  gives_up(UNREADABLE, MOULT_STATUS_TRAP, 0, "without a boot decision there is no trial");
  board.reverts_fail = 1;
  gives_up(ON_TRIAL, MOULT_STATUS_TRAP, 1, "where the flash does not take it, the device boots again all the same");
  slots.component = 0;
  gives_up(ON_TRIAL, MOULT_STATUS_TRAP, 0, "a core that is no component is not on trial");
}

static void test_provisioning(void) {
  prepare(0);
  require(moult_core_slots_may_provision(&slots), "the core of the factory provisions");
  for (int32_t state = 1; state <= ON_TRIAL; state++) {
    board.boot_state = state;
    require(!moult_core_slots_may_provision(&slots), "none that came by an update does");
  }
  slots.component = 0;
  require(moult_core_slots_may_provision(&slots), "a core that is no component does");
}

int main(int count, char **arguments) {
  FILE *file = fopen(count == 2 ? arguments[1] : "", "rb");
  require(file != NULL, "usage: core_test moult.wasm");
  module_length = (uint32_t)fread(module, 1, sizeof module, file);
  fclose(file);
  moult_sha256(module, module_length, digest);
  test_opening();
  test_unreadable();
  test_damage();
  test_giving_up();
  test_provisioning();
  return 0;
}
