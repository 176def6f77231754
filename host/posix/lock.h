/*
 * One process at a time for a device: a lock on its folder, which the system drops with the process, and the file
 * "running" in it with the process id, which is what hosts without such locks look at (cli/device/folder.ts).
 */
#ifndef MOULT_POSIX_LOCK_H
#define MOULT_POSIX_LOCK_H

/* Ends the process when another one runs the device in `folder`. */
void lock_device(const char *folder);

#endif
