/*
 * The program of an ESP32 on a chip that is a file:
 *
 *   device [--cut STEPS,…] [--trace FILE] [--fails VERSION] [--director URL] [--time SERVERS] [--hurry TIMES] [--console]
 *          FLASH METADATA_URL TARGETS_URL
 *
 * The process that was started is the power: whenever the chip is reset it starts the next one, which is bootloader and
 * image. The power fails after so many steps, and after so many behind that, each time once. It says "boot SLOT LENGTH" for
 * each start, "cut" when the power has failed, and at the end "status N". With --console the lines of standard input are
 * commands, until the input ends; "wait" waits until the task has nothing to do. With --hurry its timer runs so many times
 * as fast, so that nobody need wait for what takes long.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chip.h"
#include "device.h"
#include "esp_console.h"
#include "esp_ota_ops.h"
#include "moult_esp32.h"
#include "task.h"

#define MOST_BOOTS 60
#define VERSION_AT 48u

const char *fake_metadata_url;
const char *fake_targets_url;
const char *fake_director_url = "";
const char *fake_time_servers = "";

static struct {
  const char *flash;
  const char *trace;
  const char *fails;
  char *cuts;
  int console;
} options;

static int self_test(void *user) {
  char version[32];
  (void)user;
  chip_read(esp_ota_get_running_partition()->address + VERSION_AT, version, sizeof version);
  return options.fails == NULL || strncmp(version, options.fails, sizeof version) != 0;
}

static const moult_esp32_config config = {.self_test = self_test};

/* One check with all that follows from it. */
static int check(void) {
  uint32_t status = 0;
  int32_t action = esp32_device_open(&config);
  if (action >= 0) action = esp32_device_turn(esp32_device_now());
  if (action == MOULT_ACTION_REBOOT) return CHIP_RESET;
  if (action >= 0) (void)moult_state_read(esp32_device_core(), MOULT_STATE_CHECK_STATUS, &status);
  printf("status %d\n", action < 0 ? action : (int32_t)status);
  return CHIP_DONE;
}

/* A line without its end, byte by byte: the next boot has the rest of the input. 0: that is at its end. */
static int read_line(char *line, size_t capacity) {
  size_t length = 0;
  while (length < capacity - 1 && read(STDIN_FILENO, line + length, 1) == 1 && line[length] != '\n') length++;
  line[length] = 0;
  return length > 0;
}

/* Until the task has nothing to do. */
static void wait_for_task(void) {
  usleep(300000);
  while (esp32_task_take() == NULL) usleep(10000);
  esp32_task_release();
}

static int serve_console(void) {
  char line[200];
  int status = 0;
  ESP_ERROR_CHECK(moult_esp32_register_command());
  ESP_ERROR_CHECK(moult_esp32_start(&config));
  while (read_line(line, sizeof line)) {
    status = 0;
    if (strcmp(line, "wait") == 0)
      wait_for_task();
    else
      ESP_ERROR_CHECK(esp_console_run(line, &status));
    printf("> %d\n", status);
  }
  return CHIP_DONE;
}

/* From a reset to the next one. */
static int run_chip(void) {
  const esp_partition_t *booted = chip_boot();
  if (booted == NULL) chip_fail("nothing boots");
  printf("boot %s %u\n", booted->label, chip_image_length(booted));
  return options.console ? serve_console() : check();
}

static int next_run(void) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    status = run_chip();
    fflush(stdout);
    _exit(status);
  }
  if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status)) return CHIP_FAILED;
  return WEXITSTATUS(status);
}

static void read_options(int count, char **arguments) {
  int i = 1;
  for (; i < count && arguments[i][0] == '-'; i++) {
    if (strcmp(arguments[i], "--console") == 0)
      options.console = 1;
    else if (i + 1 == count)
      break;
    else if (strcmp(arguments[i], "--cut") == 0)
      options.cuts = arguments[++i];
    else if (strcmp(arguments[i], "--trace") == 0)
      options.trace = arguments[++i];
    else if (strcmp(arguments[i], "--fails") == 0)
      options.fails = arguments[++i];
    else if (strcmp(arguments[i], "--director") == 0)
      fake_director_url = arguments[++i];
    else if (strcmp(arguments[i], "--time") == 0)
      fake_time_servers = arguments[++i];
    else if (strcmp(arguments[i], "--hurry") == 0)
      chip_hurry = atoi(arguments[++i]);
  }
  if (count - i != 3) chip_fail("device [OPTION…] FLASH METADATA TARGETS");
  options.flash = arguments[i];
  fake_metadata_url = arguments[i + 1];
  fake_targets_url = arguments[i + 2];
}

/* When the power fails next. */
static void plan_cut(void) {
  char *rest = options.cuts;
  chip_cut_after(rest != NULL && *rest != 0 ? strtoll(rest, &rest, 10) : -1);
  options.cuts = rest != NULL && *rest == ',' ? rest + 1 : NULL;
}

int main(int count, char **arguments) {
  setvbuf(stdout, NULL, _IONBF, 0);
  read_options(count, arguments);
  chip_open(options.flash, options.trace);
  plan_cut();
  for (int boots = 0; boots < MOST_BOOTS; boots++) {
    int end = next_run();
    if (end != CHIP_RESET && end != CHIP_NO_POWER) return end;
    if (end == CHIP_NO_POWER) {
      puts("cut");
      plan_cut();
    }
  }
  chip_fail("it never comes to rest");
}
