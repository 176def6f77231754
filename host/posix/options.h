/* The arguments of the process. */
#ifndef MOULT_POSIX_OPTIONS_H
#define MOULT_POSIX_OPTIONS_H

#include <stdint.h>

typedef struct options {
  const char *folder;
  const char *module;
  uint8_t module_sha256[32];
  /* NULL: only a device that is provisioned runs. Both or none. */
  const char *config;
  const char *root;
  /* Of an ECU that the Image repository and a Director look after; NULL: of any other device. */
  const char *director_root;
  /* 32 bytes, or none, for one that the core makes; NULL: no key. */
  const char *key;
  /* A socket; NULL: standard input and output, unless there is a bundle. */
  const char *link;
  /* Files come from this bundle; NULL: over the link. */
  const char *bundle;
  /* A shell command; NULL: every image passes. */
  const char *self_test;
  /* Whether the time is the gateway's, and not this machine's. */
  int clock_of_link;
  /* Whether the gateway is the Primary of this ECU. */
  int primary;
  int once;
} options;

/* Ends the process when they do not fit, or only ask for help. */
void options_read(options *into, int count, char **arguments);

#endif
