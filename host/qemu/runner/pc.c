#include "machine.h"

uint64_t machine_instructions(void) { return 0; }
