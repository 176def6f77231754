#ifndef EVENT_GROUPS_H
#define EVENT_GROUPS_H

#include "../../freertos/FreeRTOS.h"

typedef struct fake_events *EventGroupHandle_t;
typedef TickType_t EventBits_t;

#define BIT0 0x00000001

EventGroupHandle_t xEventGroupCreate(void);
EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits);
EventBits_t xEventGroupClearBits(EventGroupHandle_t group, EventBits_t bits);
EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits, BaseType_t clear, BaseType_t all,
                                TickType_t ticks);

#endif
