/*
 * What a factory leaves for the device in the data partition `moult_factory` (docs/formats.md, "Factory record"):
 * configuration, root of trust and, where payloads are encrypted, its key. It is used once, and then erased: the key is
 * secret, and a device that has lost its trust store must not start again from a root that may be long revoked.
 */
#ifndef MOULT_ESP32_FACTORY_H
#define MOULT_ESP32_FACTORY_H

#include <stdint.h>

#include "moult.h"

/* Provisions a core that is NOT_PROVISIONED. That status again: there is no record, or a damaged one. */
int32_t esp32_factory_provision(moult *core);

/* Of a device that is provisioned: erases what is left, whatever power cut has left it. 0, or negative: the flash failed. */
int32_t esp32_factory_erase(void);

#endif
