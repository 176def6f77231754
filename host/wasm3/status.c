/* The words for a status: a file of its own, so that firmware that does not use them does not carry them. */
#include "moult.h"

const char *moult_status_name(int32_t status) {
  switch (status) {
#define X(name, value, text, attack) \
  case value:                        \
    return #name;
    MOULT_STATUS_LIST(X)
#undef X
    default:
      return "?";
  }
}

const char *moult_status_text(int32_t status) {
  switch (status) {
#define X(name, value, text, attack) \
  case value:                        \
    return text;
    MOULT_STATUS_LIST(X)
#undef X
    default:
      return "?";
  }
}
