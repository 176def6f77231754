#include "bundlefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "moult.h"
#include "say.h"

/* `user` is the descriptor. */
static int32_t read_file(void *user, uint32_t offset, void *to, uint32_t length) {
  uint8_t *next = to;
  while (length > 0) {
    ssize_t done = pread((int)(intptr_t)user, next, length, offset);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return -1;
    next += done;
    offset += (uint32_t)done;
    length -= (uint32_t)done;
  }
  return 0;
}

void bundle_open(moult_bundle *bundle, const char *path) {
  struct stat about;
  int file = open(path, O_RDONLY);
  if (file < 0 || fstat(file, &about) != 0) fail(EXIT_REFUSED, "%s: %s", path, strerror(errno));
  if (!S_ISREG(about.st_mode)) fail(EXIT_REFUSED, "%s is not a file", path);
  *bundle = (moult_bundle){.read = read_file, .user = (void *)(intptr_t)file, .length = (uint32_t)about.st_size};
  int32_t status = about.st_size > UINT32_MAX ? MOULT_STATUS_BUNDLE_INVALID : moult_bundle_open(bundle);
  if (status < 0) fail(EXIT_REFUSED, "%s: %s", path, moult_status_text(status));
}
