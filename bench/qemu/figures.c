/*
 * An image that counts instead of updating: it carries a core through a life that lies ready in flash, without a link,
 * and prints what each part cost, line by line "NAME NUMBER". Run with -icount shift=0, the numbers are exact.
 *
 * What lies ready (bench/qemu/figures.ts): files, each as u32 length of the name, u32 length, name and bytes, both
 * padded to 4; a name of length 0 ends them. Each round of the life has its own: "0/timestamp.json", and of a Director
 * "0/director/timestamp.json".
 */
#include "figures.h"

#include <string.h>

#include "board.h"
#include "device.h"

#define INTERVAL 3600u
#define NAME 321u
#define DIRECTOR "director/"

/* ---- printing ---- */

void figures_number(uint64_t value) {
  char digits[21];
  char *next = digits + sizeof digits - 1;
  *next = 0;
  do {
    *--next = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  board_print(next);
}

void figures_row(const char *name, uint64_t value) {
  board_print(name);
  board_print(" ");
  figures_number(value);
  board_print("\n");
}

/* ---- counting ---- */

static uint64_t counted;

/* Calls of the flash, and bytes. */
static struct {
  uint32_t writes, written, erases, erased;
} flash;

/* Of the erases, those that were made while the next piece was on its way. */
static struct {
  uint32_t erases, erased;
} ahead;

static void row_of(const char *name, const char *what, uint64_t value) {
  board_print(name);
  figures_row(what, value);
}

static void count(const char *name) {
  uint64_t now = board_instructions();
  figures_row(name, now - counted);
  row_of(name, "-writes", flash.writes);
  row_of(name, "-written", flash.written);
  row_of(name, "-erases", flash.erases);
  row_of(name, "-erased", flash.erased);
  row_of(name, "-ahead-erases", ahead.erases);
  row_of(name, "-ahead-erased", ahead.erased);
  memset(&flash, 0, sizeof flash);
  memset(&ahead, 0, sizeof ahead);
  counted = board_instructions();
}

/* ---- files ---- */

static uint32_t load(const uint8_t *bytes) {
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

static uint32_t padded(uint32_t length) { return (length + 3) / 4 * 4; }

/* NULL: there is no such file. */
static const uint8_t *find(const char *name, uint32_t *length) {
  const uint8_t *entry = board_ready();
  while (load(entry) != 0) {
    uint32_t name_length = load(entry);
    const uint8_t *bytes = entry + 8 + padded(name_length);
    *length = load(entry + 4);
    if (name_length == strlen(name) && memcmp(entry + 8, name, name_length) == 0) return bytes;
    entry = bytes + padded(*length);
  }
  return NULL;
}

/* ---- a life ---- */

void figures_require(int32_t status, const char *what) {
  if (status >= 0) return;
  board_print(what);
  figures_row(": ", (uint64_t)(-(int64_t)status));
  board_off(1);
}

static char name[2 + sizeof DIRECTOR + NAME] = "0/";
static uint32_t now = 1893456000;

/* What the client does while a piece is on its way. */
static void wait_for_piece(void) {
  uint32_t erases = flash.erases;
  uint32_t erased = flash.erased;
  figures_require(moult_fetch_erase_ahead(&device_core), "erasing ahead");
  ahead.erases += flash.erases - erases;
  ahead.erased += flash.erased - erased;
}

/* Where the name of what is wanted goes: the Director's files are in a folder. */
static char *name_wanted(void) {
  if (moult_fetch_kind(&device_core) != MOULT_FETCH_KIND_DIRECTOR) return name + 2;
  memcpy(name + 2, DIRECTOR, sizeof DIRECTOR - 1);
  return name + 2 + sizeof DIRECTOR - 1;
}

/* Answers one fetch in pieces as the link has them. */
static void answer(void) {
  uint32_t offset = 0;
  uint32_t length = 0;
  figures_require(moult_fetch_name(&device_core, name_wanted(), NAME), "name");
  figures_require(moult_fetch_offset(&device_core, &offset), "offset");
  const uint8_t *bytes = find(name, &length);
  if (bytes == NULL) {
    (void)moult_fetch_end(&device_core, MOULT_STATUS_NOT_FOUND);
    return;
  }
  int32_t status = moult_fetch_begin(&device_core, offset);
  for (uint32_t piece = 0; offset < length && status >= 0; offset += piece) {
    wait_for_piece();
    piece = length - offset < MOULT_LINK_PAYLOAD - 4 ? length - offset : MOULT_LINK_PAYLOAD - 4;
    status = moult_fetch_write(&device_core, bytes + offset, piece);
  }
  figures_require(status, name);
  figures_require(moult_fetch_end(&device_core, MOULT_STATUS_OK), name);
}

/* One check, when it is due, until there is more to do than to fetch. */
static void check(char round, int32_t expected) {
  int32_t action = MOULT_ACTION_CONTINUE;
  name[0] = round;
  while (action == MOULT_ACTION_CONTINUE || action == MOULT_ACTION_FETCH || action == MOULT_ACTION_ASK) {
    if (action == MOULT_ACTION_FETCH) answer();
    if (action == MOULT_ACTION_ASK) figures_require(moult_update_approve(&device_core), "approve");
    action = moult_agent_step(&device_core, now);
    figures_require(action, "step");
  }
  figures_require(action == expected ? 0 : -action, "another action");
  now += INTERVAL + 1;
}

/*
 * The two banks of the trust store, as small as those of a chip with smaller blocks: so they fill up, and a life has in
 * it that what is live moves to the other bank. Metadata of two repositories needs twice as much.
 */
#define BANK_BYTES 8192u

static uint32_t bank_bytes(void) { return board_factory().director_length > 0 ? 2 * BANK_BYTES : BANK_BYTES; }

static uint32_t moves;

static uint32_t flash_size(void *user, int32_t area) {
  return area <= MOULT_AREA_STORE_B ? bank_bytes() : board_flash.flash_size(user, area);
}

static uint32_t flash_block_end(void *user, int32_t area, uint32_t offset) {
  return area <= MOULT_AREA_STORE_B ? bank_bytes() : board_flash.flash_block_end(user, area, offset);
}

static int32_t flash_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  flash.erases++;
  flash.erased += length;
  if (area > MOULT_AREA_STORE_B) return board_flash.flash_erase(user, area, offset, length);
  moves++;
  return board_flash.flash_erase(user, area, 0, board_flash.flash_size(user, area));
}

static int32_t flash_write(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  flash.writes++;
  flash.written += length;
  return board_flash.flash_write(user, area, offset, from, length);
}

/* A reset, as far as the core can tell. */
void figures_boot(int32_t state) {
  figures_engine_closes();
  figures_require(device_open_board(state), "board");
  device_port.flash_size = flash_size;
  device_port.flash_block_end = flash_block_end;
  device_port.flash_write = flash_write;
  device_port.flash_erase = flash_erase;
  figures_require(device_open_core(), "core");
}

static void life(void) {
  counted = board_instructions();
  figures_boot(0);
  count("open");
  figures_require(moult_core_start(&device_core) == MOULT_STATUS_NOT_PROVISIONED ? 0 : -1, "provisioned already");
  figures_require(device_provision(), "provisioning");
  count("provision");
  check('0', MOULT_ACTION_WAIT);
  count("first-check");
  check('0', MOULT_ACTION_WAIT);
  count("idle-check");
  check('1', MOULT_ACTION_WAIT);
  count("idle-check-anew");
  check('2', MOULT_ACTION_REBOOT);
  count("update");
  figures_boot(0x101);
  figures_require(moult_core_start(&device_core), "start");
  check('2', MOULT_ACTION_SELF_TEST);
  figures_require(moult_image_confirm(&device_core), "confirm");
  count("trial");
  check('3', MOULT_ACTION_WAIT);
  count("rotation");
}

/* ---- the C stack ---- */

extern uint32_t _stack[];
extern uint32_t _stack_end[];

static uint32_t stack_used(void) {
  const uint32_t *deepest = _stack;
  while (*deepest == 0xa5a5a5a5) deepest++;
  return (uint32_t)((uintptr_t)_stack_end - (uintptr_t)deepest);
}

void image_main(int32_t state) __attribute__((noreturn));

void image_main(int32_t state) {
  (void)state;
  life();
  figures_row("stack", stack_used());
  figures_row("moves", moves);
  figures_engine();
  board_off(0);
}
