/* What the process says: lines on standard error, and how it ends. */
#ifndef MOULT_POSIX_SAY_H
#define MOULT_POSIX_SAY_H

/* Exit statuses, the same as those of the command line (cli/exit.ts). */
enum { EXIT_OK = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NETWORK = 3, EXIT_SIGNATURES = 4, EXIT_EXPIRED = 5 };

#define MOULT_FORMAT(at) __attribute__((format(printf, at, (at) + 1)))

/* One line, as printf formats it. */
void say(const char *format, ...) MOULT_FORMAT(1);

/* The same, and the end of the process. What lies on flash stays as it is. */
void fail(int status, const char *format, ...) MOULT_FORMAT(2) __attribute__((noreturn));

#endif
