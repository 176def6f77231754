/*
 * moult-device: a device in a process of its own. The core, its flash in a file, its link on standard
 * input and output, or a bundle in place of it. A reboot is a new turn of the loop: boot decision, fresh core. It
 * knows nothing that is not on its flash, so the process may end at any moment.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "bundlefile.h"
#include "client.h"
#include "core.h"
#include "line.h"
#include "lock.h"
#include "options.h"
#include "say.h"

/* All that wasm3 may take; on a 64-bit machine it takes about twice what it takes on a microcontroller. */
#define CORE_MEMORY (1024u * 1024)

/* The longest that one call of the core may take, in milliseconds: a machine may be busy with other things. */
#define DEADLINE 60000u

/* Modules, configurations and roots are far smaller. */
#define LARGEST_FILE (16u * 1024 * 1024)

/* Seconds from one check to the next while the time is unknown. */
#define CHECK_WITHOUT_CLOCK 3600u

/* Seconds after which a Primary that has not decided is asked again. */
#define ASK_AGAIN 1u

/* The longest version text, and a closing 0. */
#define VERSION 32

typedef struct device {
  options options;
  char flash_path[4096];
  uint8_t *module;
  uint32_t module_length;
  board board;
  line line;
  moult_core_slots slots;
  moult core;
  moult_link link;
  moult_bundle bundle;
  moult_client client;
  uint32_t session;
} device;

static uint64_t core_memory[CORE_MEMORY / sizeof(uint64_t)];

/* ---- what the process is given ---- */

/* A whole file. Ends the process when it cannot be read. */
static uint8_t *read_file(const char *path, uint32_t *length) {
  struct stat about;
  FILE *file = fopen(path, "rb");
  if (file == NULL || fstat(fileno(file), &about) != 0) fail(EXIT_REFUSED, "%s: %s", path, strerror(errno));
  if (!S_ISREG(about.st_mode) || about.st_size > LARGEST_FILE) fail(EXIT_REFUSED, "%s is not a file for this", path);
  uint8_t *bytes = malloc((size_t)about.st_size + 1);
  if (bytes == NULL) fail(EXIT_REFUSED, "out of memory");
  *length = (uint32_t)fread(bytes, 1, (size_t)about.st_size, file);
  fclose(file);
  return bytes;
}

/* Differs from that of the process before: two do not start in one nanosecond. */
static uint32_t new_session(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint32_t)now.tv_sec * 1000000000u + (uint32_t)now.tv_nsec;
}

/* Nothing is made before it is clear that it can be used. */
static void open_flash(device *self) {
  const options *given = &self->options;
  struct stat about;
  int length = snprintf(self->flash_path, sizeof self->flash_path, "%s/flash.bin", given->folder);
  if (length < 0 || (size_t)length >= sizeof self->flash_path) fail(EXIT_USAGE, "the path of the folder is too long");
  if (stat(self->flash_path, &about) != 0 && errno == ENOENT && given->config == NULL)
    fail(EXIT_USAGE, "%s is a new device: give it --config and --root", given->folder);
  if (mkdir(given->folder, 0777) != 0 && errno != EEXIST) fail(EXIT_REFUSED, "%s: %s", given->folder, strerror(errno));
  lock_device(given->folder);
  flash_open(&self->board.flash, self->flash_path);
}

/* ---- a boot ---- */

static void describe_core(device *self) {
  self->slots = (moult_core_slots){
      .own =
          {
              .port = &board_port,
              .user = &self->board,
              .module = self->module,
              .module_length = self->module_length,
              .module_sha256 = self->options.module_sha256,
              .memory = core_memory,
              .memory_length = sizeof core_memory,
              .deadline = DEADLINE,
          },
      .component = geometry_core(&self->board.flash.geometry),
      .map = board_map,
  };
}

/* Whether this ended the trial of a core; then the device is to boot again. */
static int gives_up(const device *self, int32_t status) {
  if (!moult_core_slots_give_up(&self->slots, status)) return 0;
  say("the core on trial is given up: %s", moult_status_text(status));
  return 1;
}

/* Boots until there is a core: each one that fails on trial costs a boot, and the one before it returns. */
static void open_core(device *self) {
  int32_t status;
  do {
    int32_t running = moult_boot_start(&self->board.boot, &board_port, &self->board);
    if (running < 0) fail(EXIT_REFUSED, "%s: %s", self->flash_path, moult_status_text(running));
    status = moult_core_slots_open(&self->slots, &self->core);
  } while (gives_up(self, status));
  if (status < 0) fail(EXIT_REFUSED, "%s: %s", self->options.module, moult_status_text(status));
  if (self->slots.lost < 0)
    say("%s has lost its core (%s): that of %s runs", self->flash_path, moult_status_text(self->slots.lost),
        self->options.module);
}

static void power_on(device *self) {
  open_core(self);
  if (self->options.bundle != NULL) {
    self->client = (moult_client){.core = &self->core, .read = moult_bundle_read, .reader = &self->bundle};
  } else {
    moult_link_open(&self->link, &line_stream, &self->line, self->session++);
    self->client = (moult_client){.core = &self->core, .link = &self->link, .engine = moult_engine()};
    self->client.primary = self->options.primary;
    self->client.erases_ahead = 1;
  }
}

static void boot_again(device *self) {
  moult_close(&self->core);
  power_on(self);
}

static void provision_part(device *self, int32_t part, const char *path) {
  uint32_t length = 0;
  uint8_t *bytes = read_file(path, &length);
  int32_t status = moult_provision_begin(&self->core, part);
  if (status >= 0) status = moult_provision_write(&self->core, bytes, length);
  if (status >= 0) status = moult_provision_end(&self->core);
  free(bytes);
  if (status < 0) fail(EXIT_REFUSED, "%s: %s", path, moult_status_text(status));
}

/* For the factory to note: what payloads for this device are encrypted for, and what its reports are signed with. */
static void say_public_key(device *self, enum moult_key which, const char *name) {
  uint8_t key[MOULT_PUBLIC_KEY];
  char digits[2 * MOULT_PUBLIC_KEY + 1];
  if (moult_public_key_read(&self->core, which, key) < 0) return;
  for (size_t i = 0; i < MOULT_PUBLIC_KEY; i++) snprintf(digits + 2 * i, 3, "%02x", key[i]);
  say("%s %s", name, digits);
}

static void provision(device *self) {
  const options *given = &self->options;
  if (given->config == NULL)
    fail(EXIT_USAGE, "%s holds no device (damaged, or its provisioning was cut short): give it --config and --root",
         self->flash_path);
  provision_part(self, MOULT_PART_CONFIG, given->config);
  if (given->key != NULL) provision_part(self, MOULT_PART_KEY, given->key);
  if (given->director_root != NULL) provision_part(self, MOULT_PART_DIRECTOR, given->director_root);
  provision_part(self, MOULT_PART_ROOT, given->root);
  say("provisioned");
  say_public_key(self, MOULT_KEY_OF_PAYLOADS, "public key");
  say_public_key(self, MOULT_KEY_OF_REPORTS, "report key");
}

/* ---- running ---- */

/* Seconds since 1970; 0: unknown. */
static uint32_t time_now(device *self) {
  uint32_t seconds = 0;
  if (!self->options.clock_of_link) return (uint32_t)time(NULL);
  return moult_link_time(&self->link, &seconds) == 0 ? seconds : 0;
}

/* Until the device is needed; provisioned first where that is still to be done. */
static int32_t step(device *self) {
  int32_t action = moult_client_step(&self->client, time_now(self));
  if (action != MOULT_STATUS_NOT_PROVISIONED || !moult_core_slots_may_provision(&self->slots)) return action;
  provision(self);
  return moult_client_step(&self->client, time_now(self));
}

static void self_test(device *self) {
  const char *test = self->options.self_test;
  char version[VERSION] = "";
  moult_text_read(&self->core, MOULT_TEXT_CANDIDATE_VERSION, version, sizeof version);
  int works = test == NULL || board_self_test(&self->board, test);
  uint32_t on_trial = 0;
  int32_t status = moult_client_answer(&self->client, works);
  while (status == MOULT_ACTION_ASK && !self->line.gone) {
    line_idle(&self->line, ASK_AGAIN);
    status = moult_client_answer(&self->client, works);
  }
  if (status == MOULT_ACTION_ASK) return; /* the line has ended, and nothing is decided */
  if (gives_up(self, status)) {
    boot_again(self);
    return;
  }
  if (status < 0) fail(EXIT_REFUSED, "%s: %s", self->flash_path, moult_status_text(status));
  moult_state_read(&self->core, MOULT_STATE_ON_TRIAL, &on_trial);
  say(!works     ? "%s failed its self-test"
      : on_trial ? "%s passed its self-test and goes: it does not on all ECUs"
                 : "%s passed its self-test and is confirmed",
      version);
}

static int exit_of(int32_t status) {
  switch (status) {
    case MOULT_STATUS_SIGNATURES:
      return EXIT_SIGNATURES;
    case MOULT_STATUS_EXPIRED:
      return EXIT_EXPIRED;
    case MOULT_STATUS_NETWORK:
    case MOULT_STATUS_NOT_FOUND:
    case MOULT_STATUS_RANGE:
    case MOULT_STATUS_TRUNCATED:
      return EXIT_NETWORK;
    default:
      return status < 0 || status == MOULT_STATUS_RELEASE_FAILED_BEFORE ? EXIT_REFUSED : EXIT_OK;
  }
}

/* Says how the check ended. Its status. */
static int32_t outcome(device *self) {
  static const char *const roles[] = {"root: ", "timestamp: ", "snapshot: ", "targets: ", "image: ", ""};
  uint32_t status = 0;
  uint32_t role = MOULT_ROLE_NONE;
  char version[VERSION] = "";
  moult_state_read(&self->core, MOULT_STATE_CHECK_STATUS, &status);
  moult_state_read(&self->core, MOULT_STATE_CHECK_ROLE, &role);
  moult_text_read(&self->core, MOULT_TEXT_INSTALLED_VERSION, version, sizeof version);
  const char *about = roles[role < MOULT_ROLE_NONE ? role : MOULT_ROLE_NONE];
  say("%s%s; %s runs", about, moult_status_text((int32_t)status), version);
  return (int32_t)status;
}

/* Until the next check is due. */
static void wait(device *self) {
  uint32_t now = time_now(self);
  uint32_t until = 0;
  moult_agent_until(&self->core, &until);
  line_idle(&self->line, now == 0 ? CHECK_WITHOUT_CLOCK : until > now ? until - now : 0);
}

/* What the core says of the flash; or of itself, which no other flash would mend. */
static void fail_at_flash(const device *self, int32_t status) {
  const char *remedy = "; restore it from a copy, or delete it to start with a new device";
  fail(EXIT_REFUSED, "%s: %s%s", self->flash_path, moult_status_text(status),
       status > MOULT_STATUS_MODULE_HASH ? remedy : "");
}

/* What follows from an action. Returns as long as there is more to do. */
static void follow(device *self, int32_t action) {
  if (self->line.gone) fail(EXIT_NETWORK, "the link has ended");
  switch (action) {
    case MOULT_ACTION_WAIT: {
      int32_t status = outcome(self);
      if (self->options.once) exit(exit_of(status));
      wait(self);
      break;
    }
    case MOULT_ACTION_SELF_TEST:
      self_test(self);
      break;
    case MOULT_ACTION_ASK:
      line_idle(&self->line, ASK_AGAIN);
      break;
    case MOULT_ACTION_REBOOT:
      say("boots again");
      boot_again(self);
      break;
    default:
      if (!gives_up(self, action)) fail_at_flash(self, action);
      boot_again(self);
  }
}

int main(int count, char **arguments) {
  static device self;
  options_read(&self.options, count, arguments);
  signal(SIGPIPE, SIG_IGN); /* a link that has ended is told of by what writes to it */
  signal(SIGXFSZ, SIG_IGN); /* and so is a file that may not grow */
  self.module = read_file(self.options.module, &self.module_length);
  if (self.options.bundle != NULL) bundle_open(&self.bundle, self.options.bundle);
  open_flash(&self);
  if (self.options.bundle == NULL) line_open(&self.line, self.options.link);
  self.session = new_session();
  describe_core(&self);
  power_on(&self);
  for (;;) follow(&self, step(&self));
}
