/* Where the core and its memory are: core_aot.c or core_wasm3.c. */
#ifndef EXAMPLE_CORE_H
#define EXAMPLE_CORE_H

#include "moult.h"

moult_config core_place(void);

#endif
