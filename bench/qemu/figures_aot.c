/* Compiled ahead of time: all memory is in the map of the linker. */
#include "figures.h"

void figures_engine_closes(void) {}

void figures_engine(void) {}
