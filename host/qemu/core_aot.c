/* The core compiled ahead of time: code and memory are in the image. */
#include "device.h"

moult_config device_core_place(void) { return (moult_config){0}; }
