# Debian: gcc-arm-none-eabi, picolibc-arm-none-eabi. For the toolchain files of the processors, which say which one it is
# and where its board has code and data.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_FLAGS_INIT "-mcpu=${cpu} -mthumb --specs=picolibc.specs -fno-pic -ffunction-sections -fdata-sections")
string(CONCAT CMAKE_EXE_LINKER_FLAGS_INIT "--crt0=hosted --oslib=semihost -Wl,--gc-sections "
  "-Wl,--defsym=__flash=${code} -Wl,--defsym=__flash_size=0x400000 "
  "-Wl,--defsym=__ram=${data} -Wl,--defsym=__ram_size=0x400000 -Wl,--defsym=__stack_size=0x8000")
set(CMAKE_BUILD_TYPE MinSizeRel CACHE STRING "")
# Fewer instructions than with -O2, and less flash.
set(CMAKE_C_FLAGS_MINSIZEREL "-Os")
