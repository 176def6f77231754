#include "board.h"

#include "counter.h"
#include "esp_random.h"
#include "esp_timer.h"
#include "hash.h"

int32_t esp32_board_open(esp32_board *board) {
  int32_t status = esp32_flash_open(&board->flash);
  return status < 0 ? status : esp32_slots_open(&board->slots, board->flash.slots);
}

static int32_t flash_read(void *user, int32_t area, uint32_t offset, void *to, uint32_t length) {
  return esp32_flash_read(&((esp32_board *)user)->flash, area, offset, to, length);
}

static int32_t flash_write(void *user, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  return esp32_flash_write(&((esp32_board *)user)->flash, area, offset, from, length);
}

static int32_t flash_erase(void *user, int32_t area, uint32_t offset, uint32_t length) {
  return esp32_flash_erase(&((esp32_board *)user)->flash, area, offset, length);
}

static uint32_t flash_size(void *user, int32_t area) { return esp32_flash_size(&((esp32_board *)user)->flash, area); }

static uint32_t flash_block_end(void *user, int32_t area, uint32_t offset) {
  return esp32_flash_block_end(&((esp32_board *)user)->flash, area, offset);
}

static uint32_t flash_unit(void *user, int32_t area) { return esp32_flash_unit(&((esp32_board *)user)->flash, area); }

static int32_t counter_read(void *user) {
  (void)user;
  return esp32_counter_read();
}

static int32_t counter_advance(void *user, uint32_t value) {
  (void)user;
  return esp32_counter_advance(value);
}

static int32_t boot_state(void *user) { return esp32_slots_state(&((esp32_board *)user)->slots); }

static int32_t boot_select(void *user, int32_t wanted) {
  return esp32_slots_select(&((esp32_board *)user)->slots, wanted);
}

static int32_t boot_confirm(void *user) { return esp32_slots_confirm(&((esp32_board *)user)->slots); }

static int32_t boot_revert(void *user) { return esp32_slots_revert(&((esp32_board *)user)->slots); }

static uint32_t milliseconds(void *user) {
  (void)user;
  return (uint32_t)(esp_timer_get_time() / 1000);
}

/* True random bytes while the radio is on, and from the start of the bootloader on a noise source of its own. */
static int32_t entropy(void *user, void *to, uint32_t length) {
  (void)user;
  esp_fill_random(to, length);
  return 0;
}

const moult_port esp32_port = {
    .flash_read = flash_read,
    .flash_write = flash_write,
    .flash_erase = flash_erase,
    .flash_size = flash_size,
    .flash_block_end = flash_block_end,
    .flash_unit = flash_unit,
    .counter_read = counter_read,
    .counter_advance = counter_advance,
    .boot_state = boot_state,
    .boot_select = boot_select,
    .boot_confirm = boot_confirm,
    .boot_revert = boot_revert,
    .milliseconds = milliseconds,
    .entropy = entropy,
    .sha256_compress = esp32_sha256_compress,
};
