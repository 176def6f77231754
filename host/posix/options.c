#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

static const char help[] =
    "usage: moult-device --module FILE --sha256 HEX [options] FOLDER\n"
    "\n"
    "A device: the core, its flash in FOLDER/flash.bin, its link to a gateway on standard input and output.\n"
    "\n"
    "  --module FILE        the core, moult.wasm\n"
    "  --sha256 HEX         its SHA-256: any other file is refused\n"
    "  --config FILE        configuration of a new device (docs/formats.md), and with it\n"
    "  --root FILE          its root of trust\n"
    "  --director-root FILE that of the Director, for an ECU in a vehicle\n"
    "  --key FILE           32 bytes: the key that its payloads may be encrypted for; an empty file: it makes its own\n"
    "  --link PATH          the link is this Unix socket\n"
    "  --primary            the gateway is the Primary of this ECU: it says when an image is booted and whether it stays\n"
    "  --bundle FILE        all files come from this bundle: no link, one check\n"
    "  --clock link         the time is the gateway's; this machine's when left out\n"
    "  --self-test COMMAND  a shell command that gets the image on trial on its standard input, and whatever else is in\n"
    "                       the flash behind it; status 0 confirms the image. Every image passes when left out\n"
    "  --once               one check with all that follows from it, then stop\n"
    "  --help\n"
    "\n"
    "Ended at any moment, kill -9 included, it goes on where it was when it is started again.\n"
    "Exit status: 0 ok, 1 refused, 2 usage, 3 network, 4 signatures missing, 5 expired.\n";

static void wrong(const char *what, const char *which) {
  fail(EXIT_USAGE, "%s%s; try: moult-device --help", what, which);
}

static int hex_digit(char digit) {
  static const char digits[] = "0123456789abcdef";
  const char *found = digit != 0 ? strchr(digits, digit) : NULL;
  return found != NULL ? (int)(found - digits) : -1;
}

static void read_sha256(uint8_t *into, const char *text) {
  if (strlen(text) != 64) wrong("--sha256 takes 64 hexadecimal digits, not ", text);
  for (int i = 0; i < 32; i++) {
    int high = hex_digit(text[2 * i]);
    int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) wrong("--sha256 takes 64 hexadecimal digits, not ", text);
    into[i] = (uint8_t)(high * 16 + low);
  }
}

/* Options with a value: where it goes. NULL: there is no such option. */
static const char **place_of(options *into, const char *name, const char **sha256, const char **clock) {
  const struct {
    const char *name;
    const char **place;
  } places[] = {
      {"--module", &into->module}, {"--sha256", sha256},   {"--config", &into->config}, {"--root", &into->root},
      {"--link", &into->link},     {"--clock", clock},     {"--self-test", &into->self_test}, {"--bundle", &into->bundle},
      {"--key", &into->key},       {"--director-root", &into->director_root},
  };
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (strcmp(places[i].name, name) == 0) return places[i].place;
  return NULL;
}

static void read_flag(options *into, const char *name) {
  if (strcmp(name, "--help") == 0) {
    fputs(help, stdout);
    exit(EXIT_OK);
  }
  int *flag = strcmp(name, "--once") == 0 ? &into->once : strcmp(name, "--primary") == 0 ? &into->primary : NULL;
  if (flag == NULL) wrong("there is no option ", name);
  *flag = 1;
}

static void check(options *into, const char *sha256, const char *clock) {
  if (into->folder == NULL) wrong("the folder of the device is missing", "");
  if (into->module == NULL || sha256 == NULL) wrong("--module and --sha256 are needed", "");
  if ((into->config == NULL) != (into->root == NULL)) wrong("--config and --root belong together", "");
  if (into->director_root != NULL && into->root == NULL) wrong("--director-root needs --config and --root", "");
  if (clock != NULL && strcmp(clock, "link") != 0) wrong("--clock takes link, not ", clock);
  if (into->bundle != NULL && (into->link != NULL || clock != NULL || into->primary)) wrong("with --bundle there is no link", "");
  into->clock_of_link = clock != NULL;
  into->once |= into->bundle != NULL;
  read_sha256(into->module_sha256, sha256);
}

void options_read(options *into, int count, char **arguments) {
  const char *sha256 = NULL;
  const char *clock = NULL;
  memset(into, 0, sizeof *into);
  for (int i = 1; i < count; i++) {
    const char *given = arguments[i];
    const char **place = place_of(into, given, &sha256, &clock);
    if (place != NULL) {
      if (++i == count) wrong("a value is missing after ", given);
      *place = arguments[i];
    } else if (given[0] == '-') {
      read_flag(into, given);
    } else if (into->folder != NULL) {
      wrong("one folder, and no more: ", given);
    } else {
      into->folder = given;
    }
  }
  check(into, sha256, clock);
}
