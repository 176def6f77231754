/* An image that starts again whenever it is to be judged. */
#include "self_test.h"

#include "board.h"

int self_test(void) { board_reset(); }
