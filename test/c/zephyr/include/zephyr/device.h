/* Stands for Zephyr's header of the same name. */
#ifndef FAKE_DEVICE_H
#define FAKE_DEVICE_H

struct device {
  const char *name;
};

#define DEVICE_DT_GET(node) FAKE_DEVICE(node)
#define FAKE_DEVICE(name) (&fake_device_##name)

#endif
