/* What the conformance program says, line by line. */
#include <string.h>

#include "checks.h"

#define LINE 160u

typedef struct line {
  char text[LINE];
  uint32_t length;
} line;

static void put(line *to, const char *text) {
  while (*text != 0 && to->length < LINE - 1) to->text[to->length++] = *text++;
  to->text[to->length] = 0;
}

static void put_number(line *to, uint32_t value) {
  char digits[11];
  char *next = digits + sizeof digits - 1;
  *next = 0;
  do {
    *--next = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  put(to, next);
}

static void put_area(line *to, int32_t area) {
  put(to, "area ");
  put_number(to, (uint32_t)area);
}

static int break_with(moult_conformance *self, const line *finding) {
  self->findings++;
  self->say(self->user, finding->text);
  return 0;
}

int conformance_broken(moult_conformance *self, const char *what) {
  line finding = {.length = 0};
  put(&finding, "BROKEN: ");
  put(&finding, what);
  return break_with(self, &finding);
}

int conformance_broken_at(moult_conformance *self, int32_t area, uint32_t offset, const char *what) {
  line finding = {.length = 0};
  put(&finding, "BROKEN: ");
  put_area(&finding, area);
  put(&finding, ", offset ");
  put_number(&finding, offset);
  put(&finding, ": ");
  put(&finding, what);
  return break_with(self, &finding);
}

int conformance_done(moult_conformance *self, const char *callback, int32_t result) {
  line finding = {.length = 0};
  if (result == 0) return 1;
  put(&finding, "BROKEN: ");
  put(&finding, callback);
  put(&finding, result < 0 ? " fails with -" : " returns what is neither 0 nor negative: ");
  put_number(&finding, result < 0 ? 0u - (uint32_t)result : (uint32_t)result);
  return break_with(self, &finding);
}

static void put_value(line *to, const char *what, uint32_t number, const char *unit) {
  put(to, what);
  put(to, " ");
  put_number(to, number);
  put(to, *unit == 0 ? "" : " ");
  put(to, unit);
}

void conformance_note(moult_conformance *self, const char *what, uint32_t number, const char *unit) {
  line said = {.length = 0};
  put_value(&said, what, number, unit);
  self->say(self->user, said.text);
}

void conformance_note_area(moult_conformance *self, int32_t area, const char *what, uint32_t number, const char *unit) {
  line said = {.length = 0};
  put_area(&said, area);
  put(&said, ": ");
  put_value(&said, what, number, unit);
  self->say(self->user, said.text);
}
