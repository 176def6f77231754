/* The security counter, in eFuse or in NVS as CONFIG_MOULT_COUNTER_EFUSE says; as counter_read and counter_advance of moult.h. */
#ifndef MOULT_ESP32_COUNTER_H
#define MOULT_ESP32_COUNTER_H

#include <stdint.h>

int32_t esp32_counter_read(void);
int32_t esp32_counter_advance(uint32_t value);

#endif
