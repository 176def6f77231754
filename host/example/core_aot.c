/* The core compiled ahead of time: code and memory are in the firmware. */
#include "core.h"

moult_config core_place(void) { return (moult_config){0}; }
