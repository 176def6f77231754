/* Stands for Zephyr's header of the same name. */
#ifndef FAKE_DEVICETREE_H
#define FAKE_DEVICETREE_H

extern const struct device fake_device_moult_link;

#define DT_CHOSEN(name) name

#endif
