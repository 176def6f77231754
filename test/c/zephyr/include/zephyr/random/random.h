/* Stands for Zephyr's header of the same name. */
#ifndef FAKE_RANDOM_H
#define FAKE_RANDOM_H

#include <stddef.h>

int sys_csrand_get(void *dst, size_t len);

#endif
