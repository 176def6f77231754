#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void line(const char *format, va_list values) {
  fputs("moult-device: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
}

void say(const char *format, ...) {
  va_list values;
  va_start(values, format);
  line(format, values);
  va_end(values);
}

void fail(int status, const char *format, ...) {
  va_list values;
  va_start(values, format);
  line(format, values);
  va_end(values);
  exit(status);
}
