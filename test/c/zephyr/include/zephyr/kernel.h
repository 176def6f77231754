/* Stands for Zephyr's header of the same name. */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  int64_t ticks;
} k_timeout_t;

#define K_SECONDS(s) ((k_timeout_t){(int64_t)(s) * 1000})

uint32_t k_uptime_get_32(void);
int32_t k_msleep(int32_t ms);
int32_t k_sleep(k_timeout_t timeout);

#endif
