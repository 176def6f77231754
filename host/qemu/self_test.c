/* What this image does to find out whether it works, when it runs for the first time. */
#include "self_test.h"

#include "board.h"

/* It runs, it has a clock and it reached the core: for a program that does nothing but update itself that is all. */
int self_test(void) { return board_seconds() != 0; }
