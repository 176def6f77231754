/* Stands for Zephyr's header of the same name. */
#ifndef FAKE_REBOOT_H
#define FAKE_REBOOT_H

#define SYS_REBOOT_COLD 1

void sys_reboot(int type) __attribute__((noreturn));

#endif
