/* What differs between the machines of the runner. */
#ifndef MOULT_RUNNER_MACHINE_H
#define MOULT_RUNNER_MACHINE_H

#include <stdint.h>

/* Instructions executed so far; on a PC 0, where callgrind counts. */
uint64_t machine_instructions(void);

#endif
