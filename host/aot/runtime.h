/*
 * What translated functions are made of, for core.c alone, which defines `core` before. Integers only; little-endian.
 *
 * Every access is checked: an address is 32 bits and the offset a constant, so one comparison with a constant does. An
 * access need not be aligned: SHA-256 reads blocks where they lie. On a Cortex-M4 that costs nothing.
 */
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "linear memory is little-endian"
#endif

typedef uint8_t u8;
typedef int8_t s8;
typedef uint16_t u16;
typedef int16_t s16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;

/* For speed; all else is compiled as the build says. */
#if defined(__clang__)
#define HOT
#else
#define HOT __attribute__((optimize("O2")))
#endif

#define TRAP() (aot_trap(), 0)
#define UNREACHABLE aot_trap()

/* ---- memory ---- */

/* What `base` and `offset` name, `width` bytes that all lie in memory. Offset and width are constants. */
static inline __attribute__((always_inline)) u8 *at(u32 base, u32 offset, u32 width) {
  if (offset > AOT_MEMORY - width || base > AOT_MEMORY - width - offset) aot_trap();
  return core.memory + offset + base;
}

#define LOAD(name, type, signed_type, result)                                  \
  static inline __attribute__((always_inline)) result name(u32 base, u32 offset) { \
    typedef type __attribute__((may_alias, aligned(1))) value; \
    return (result)(signed_type) * (const value *)at(base, offset, sizeof(type)); \
  }

#define STORE(name, type, from)                                                \
  static inline __attribute__((always_inline)) void name(u32 base, u32 offset, from what) { \
    typedef type __attribute__((may_alias, aligned(1))) value; \
    *(value *)at(base, offset, sizeof(type)) = (type)what;                     \
  }

LOAD(i32_load, u32, u32, u32)
LOAD(i32_load8_s, u8, s8, u32)
LOAD(i32_load8_u, u8, u8, u32)
LOAD(i32_load16_s, u16, s16, u32)
LOAD(i32_load16_u, u16, u16, u32)
LOAD(i64_load, u64, u64, u64)
LOAD(i64_load8_s, u8, s8, u64)
LOAD(i64_load8_u, u8, u8, u64)
LOAD(i64_load16_s, u16, s16, u64)
LOAD(i64_load16_u, u16, u16, u64)
LOAD(i64_load32_s, u32, s32, u64)
LOAD(i64_load32_u, u32, u32, u64)
STORE(i32_store, u32, u32)
STORE(i32_store8, u8, u32)
STORE(i32_store16, u16, u32)
STORE(i64_store, u64, u64)
STORE(i64_store8, u8, u64)
STORE(i64_store16, u16, u64)
STORE(i64_store32, u32, u64)

/* A whole range that lies in memory. */
static u8 *range(u32 start, u32 length) {
  if (start > AOT_MEMORY || length > AOT_MEMORY - start) aot_trap();
  return core.memory + start;
}

static void memory_fill(u32 to, u32 byte, u32 length) { memset(range(to, length), (int)(byte & 0xff), length); }

static void memory_copy(u32 to, u32 from, u32 length) { memmove(range(to, length), range(from, length), length); }

#define LOAD_DATA(start, bytes, length) memcpy(range(start, length), bytes, length)

/* ---- numbers ---- */

#define DIV_S(unsigned_type, least, x, y) \
  ((y) == 0 || ((x) == (least) && (y) == -1) ? TRAP() : (unsigned_type)((x) / (y)))
#define REM_S(unsigned_type, x, y) ((y) == 0 ? TRAP() : (y) == -1 ? 0 : (unsigned_type)((x) % (y)))
#define I32_DIV_S(x, y) DIV_S(u32, INT32_MIN, (s32)(x), (s32)(y))
#define I64_DIV_S(x, y) DIV_S(u64, INT64_MIN, (s64)(x), (s64)(y))
#define I32_REM_S(x, y) REM_S(u32, (s32)(x), (s32)(y))
#define I64_REM_S(x, y) REM_S(u64, (s64)(x), (s64)(y))
#define DIV_U(x, y) ((y) == 0 ? TRAP() : (x) / (y))
#define REM_U(x, y) ((y) == 0 ? TRAP() : (x) % (y))
#define I32_CLZ(x) ((x) == 0 ? 32u : (u32)__builtin_clz(x))
#define I64_CLZ(x) ((x) == 0 ? 64u : (u64)__builtin_clzll(x))
#define I32_CTZ(x) ((x) == 0 ? 32u : (u32)__builtin_ctz(x))
#define I64_CTZ(x) ((x) == 0 ? 64u : (u64)__builtin_ctzll(x))
#define I32_POPCNT(x) ((u32)__builtin_popcount(x))
#define I64_POPCNT(x) ((u64)__builtin_popcountll(x))
#define I32_ROTL(x, y) ((x) << ((y) & 31) | (x) >> (-(y) & 31))
#define I32_ROTR(x, y) ((x) >> ((y) & 31) | (x) << (-(y) & 31))
#define I64_ROTL(x, y) ((x) << ((y) & 63) | (x) >> (-(y) & 63))
#define I64_ROTR(x, y) ((x) >> ((y) & 63) | (x) << (-(y) & 63))

/* ---- functions that are called by number ---- */

typedef void (*aot_function)(void);

struct aot_entry {
  /* One more than the number of its type; 0: there is no function. */
  u32 type;
  aot_function function;
};

#define CALL_INDIRECT(signature, type_number, index, ...) \
  ((index) < sizeof table / sizeof *table && table[index].type == (type_number) + 1 ? (void)0 : aot_trap(), \
   ((signature)table[index].function)(__VA_ARGS__))
