/* A bundle in a file. */
#ifndef MOULT_POSIX_BUNDLEFILE_H
#define MOULT_POSIX_BUNDLEFILE_H

#include "bundle.h"

/* Opens the bundle at `path`. Ends the process when it is none, or cannot be read. */
void bundle_open(moult_bundle *bundle, const char *path);

#endif
