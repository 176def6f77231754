/* The core compiled ahead of time: code and memory are in the image. */
#include "board.h"

moult_config esp32_core_place(void) { return (moult_config){0}; }
