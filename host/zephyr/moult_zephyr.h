/*
 * A port to Zephyr: the flash map's partitions, MCUboot's swaps, the kernel's clock and its generator of random bytes.
 *
 * The devicetree has, besides MCUboot's slot0_partition and slot1_partition, fixed partitions with the labels
 * moult_store_a, moult_store_b, moult_journal and moult_boot (docs/formats.md, "Flash areas").
 */
#ifndef MOULT_ZEPHYR_H
#define MOULT_ZEPHYR_H

#include "moult.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Opens the partitions and finds out what MCUboot has started. The running slot as boot_state has it, or
 * MOULT_STATUS_LAYOUT_INVALID, MOULT_STATUS_FLASH_READ, MOULT_STATUS_BOOT: also where boot_is_img_confirmed says of one on trial that it is confirmed.
 */
int32_t moult_zephyr_start(void);

/* For moult_config, from then on; `user` is moult_zephyr_user(). */
extern const moult_port moult_zephyr_port;
void *moult_zephyr_user(void);

#ifdef __cplusplus
}
#endif

#endif
