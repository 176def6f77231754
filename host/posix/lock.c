#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "say.h"

/* The file "running"; empty: not ours. */
static char running[4096];

static void let_go(void) { unlink(running); }

/* The process id in the file; 0: none. */
static long holder_in(const char *path) {
  long holder = 0;
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  if (fscanf(file, "%ld", &holder) != 1) holder = 0;
  fclose(file);
  return holder;
}

/* One that died holds nothing; one of somebody else lives all the same. */
static int is_alive(long process) {
  return process > 0 && process != (long)getpid() && (kill((pid_t)process, 0) == 0 || errno == EPERM);
}

static void note_process(void) {
  FILE *file = fopen(running, "w");
  int written = file != NULL && fprintf(file, "%ld", (long)getpid()) > 0;
  if (file == NULL || fclose(file) != 0 || !written) fail(EXIT_REFUSED, "%s: %s", running, strerror(errno));
  atexit(let_go);
}

void lock_device(const char *folder) {
  int length = snprintf(running, sizeof running, "%s/running", folder);
  if (length < 0 || (size_t)length >= sizeof running) fail(EXIT_USAGE, "%s: the path is too long", folder);
  int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* open as long as the process lives */
  if (directory < 0) fail(EXIT_REFUSED, "%s: %s", folder, strerror(errno));
  int taken = flock(directory, LOCK_EX | LOCK_NB) != 0;
  long holder = holder_in(running);
  if (taken || is_alive(holder)) fail(EXIT_REFUSED, "%s is switched on already, by process %ld", folder, holder);
  note_process();
}
