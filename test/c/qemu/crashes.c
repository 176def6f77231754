/* An image that uses memory that is not there. */
#include "self_test.h"

#include <stdint.h>

int self_test(void) { return *(volatile int32_t *)(uintptr_t)0xf0000000u; }
