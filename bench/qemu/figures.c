/*
 * An image that counts instead of updating: it carries a core through a life that lies ready in flash, without a link,
 * and prints what each part cost, line by line "NAME NUMBER". Run with -icount shift=0, the numbers are exact.
 *
 * What lies ready (bench/qemu/figures.ts): files, each as u32 length of the name, u32 length, name and bytes, both
 * padded to 4; a name of length 0 ends them. Each round of the life has its own: "0/timestamp.json".
 */
#include <setjmp.h>
#include <string.h>

#include "board.h"
#include "device.h"
#include "heap.h"
#include "m3_env.h"

#define INTERVAL 3600u
#define NAME 321u

/* ---- printing ---- */

static void print_number(uint64_t value) {
  char digits[21];
  char *next = digits + sizeof digits - 1;
  *next = 0;
  do {
    *--next = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  board_print(next);
}

static void row(const char *name, uint64_t value) {
  board_print(name);
  board_print(" ");
  print_number(value);
  board_print("\n");
}

/* ---- counting ---- */

static uint64_t counted;

static void count(const char *name) {
  uint64_t now = board_instructions();
  row(name, now - counted);
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

static void require(int32_t status, const char *what) {
  if (status >= 0) return;
  board_print(what);
  row(": ", (uint64_t)(-(int64_t)status));
  board_off(1);
}

static char name[NAME + 2] = "0/";
static uint32_t now = 1893456000;

/* Answers one fetch in pieces as the link has them. */
static void answer(void) {
  uint32_t offset = 0;
  uint32_t length = 0;
  require(moult_fetch_name(&device_core, name + 2, NAME), "name");
  require(moult_fetch_offset(&device_core, &offset), "offset");
  const uint8_t *bytes = find(name, &length);
  if (bytes == NULL) {
    (void)moult_fetch_end(&device_core, MOULT_STATUS_NOT_FOUND);
    return;
  }
  int32_t status = moult_fetch_begin(&device_core, offset);
  for (uint32_t piece = 0; offset < length && status >= 0; offset += piece) {
    piece = length - offset < MOULT_LINK_PAYLOAD - 4 ? length - offset : MOULT_LINK_PAYLOAD - 4;
    status = moult_fetch_write(&device_core, bytes + offset, piece);
  }
  require(status, name);
  require(moult_fetch_end(&device_core, MOULT_STATUS_OK), name);
}

/* One check, when it is due, until there is more to do than to fetch. */
static void check(char round, int32_t expected) {
  int32_t action = MOULT_ACTION_CONTINUE;
  name[0] = round;
  while (action == MOULT_ACTION_CONTINUE || action == MOULT_ACTION_FETCH) {
    if (action == MOULT_ACTION_FETCH) answer();
    action = moult_agent_step(&device_core, now);
    require(action, "step");
  }
  require(action == expected ? 0 : -action, "another action");
  now += INTERVAL + 1;
}

/* The most that was in use, of all boots. */
static uint32_t peak;

static void note_peak(void) {
  if (device_core.heap.peak > peak) peak = device_core.heap.peak;
}

/*
 * The two banks of the trust store, as small as those of a chip with smaller blocks: so they fill up, and a life has in
 * it that what is live moves to the other bank.
 */
#define BANK_BYTES 8192u

static uint32_t moves;

static uint32_t flash_size(void *user, int32_t area) {
  return area <= MOULT_AREA_STORE_B ? BANK_BYTES : board_flash.flash_size(user, area);
}

static uint32_t flash_block_end(void *user, int32_t area, uint32_t offset) {
  return area <= MOULT_AREA_STORE_B ? BANK_BYTES : board_flash.flash_block_end(user, area, offset);
}

static int32_t flash_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  if (area > MOULT_AREA_STORE_B) return board_flash.flash_erase(user, area, offset, length);
  moves++;
  return board_flash.flash_erase(user, area, 0, board_flash.flash_size(user, area));
}

/* A reset, as far as the core can tell. */
static void boot(int32_t state) {
  note_peak();
  require(device_open_board(state), "board");
  device_port.flash_size = flash_size;
  device_port.flash_block_end = flash_block_end;
  device_port.flash_erase = flash_erase;
  require(device_open_core(), "core");
}

static void life(void) {
  counted = board_instructions();
  boot(0);
  count("open");
  require(moult_core_start(&device_core) == MOULT_STATUS_NOT_PROVISIONED ? 0 : -1, "provisioned already");
  require(device_provision(), "provisioning");
  count("provision");
  check('0', MOULT_ACTION_WAIT);
  count("first-check");
  check('0', MOULT_ACTION_WAIT);
  count("idle-check");
  check('1', MOULT_ACTION_REBOOT);
  count("update");
  boot(0x101);
  require(moult_core_start(&device_core), "start");
  check('1', MOULT_ACTION_SELF_TEST);
  require(moult_image_confirm(&device_core), "confirm");
  count("trial");
  check('2', MOULT_ACTION_WAIT);
  count("rotation");
}

/* ---- where the memory is ---- */

static void memory(void) {
  IM3Runtime runtime = device_core.runtime;
  IM3Module module = device_core.instance;
  note_peak();
  row("memory-peak", peak);
  row("memory-linear", MOULT_BOARD_LINEAR_MEMORY);
  row("memory-functions", module->numFunctions * sizeof *module->functions);
  row("memory-runtime", sizeof *runtime);
  row("memory-stack", runtime->numStackSlots * sizeof(m3slot_t));
}

/* Words of code in a list of pages. */
static uint32_t words_in(const M3CodePage *page) {
  uint32_t words = 0;
  for (; page != NULL; page = page->info.next) words += page->info.lineIndex;
  return words;
}

static uint32_t code_bytes(void) {
  IM3Runtime runtime = device_core.runtime;
  return (words_in(runtime->pagesOpen) + words_in(runtime->pagesFull)) * (uint32_t)sizeof(code_t);
}

static int32_t compile(IM3Function function) {
  moult_heap_active = &device_core.heap;
  int32_t done = setjmp(moult_heap_exhausted) == 0 && CompileFunction(function) == m3Err_none ? 0 : -1;
  moult_heap_active = NULL;
  return done;
}

/* As many at a time as there is room for. */
#define FUNCTIONS_AT_ONCE 16u

/* What each function comes to when it is compiled, by its number in the module: "code-12 3456". */
static void code_by_function(void) {
  IM3Module module = device_core.instance;
  for (uint32_t i = module->numFuncImports; i < module->numFunctions; i++) {
    if (i % FUNCTIONS_AT_ONCE == 0) {
      boot(0);
      module = device_core.instance;
    }
    IM3Function function = &module->functions[i];
    if (function->compiled != NULL) continue; /* as part of one before */
    uint32_t before = code_bytes();
    require(compile(function), "compile");
    board_print("code-");
    print_number(i);
    row("", code_bytes() - before + function->numConstantBytes);
  }
}

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
  memory();
  row("stack", stack_used());
  row("moves", moves);
  code_by_function();
  board_off(0);
}
