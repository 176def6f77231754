/* An image that never ends its self-test: nothing feeds the watchdog any more. */
#include "self_test.h"

int self_test(void) {
  for (;;) continue;
}
