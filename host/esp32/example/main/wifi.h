/* A Wi-Fi station that stays connected. */
#ifndef EXAMPLE_WIFI_H
#define EXAMPLE_WIFI_H

#include <stdint.h>

/* Starts it; once, with NVS open. It connects by itself, now and whenever the network is lost. */
void wifi_start(void);

/* Waits up to so many milliseconds for an address. 1: there is one. */
int wifi_wait(uint32_t milliseconds);

#endif
