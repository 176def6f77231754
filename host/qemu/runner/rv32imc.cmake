# Debian: gcc-riscv64-unknown-elf, picolibc-riscv64-unknown-elf. The instruction set of an ESP32-C3. `_zicsr` in -march
# would pick a library of another instruction set; -misa-spec=2.2 has the counters without it.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
string(CONCAT CMAKE_C_FLAGS_INIT "-misa-spec=2.2 -march=rv32imc -mabi=ilp32 -mcmodel=medany --specs=picolibc.specs "
  "-fno-pic -ffunction-sections -fdata-sections")
string(CONCAT CMAKE_EXE_LINKER_FLAGS_INIT "--crt0=hosted --oslib=semihost -Wl,--gc-sections "
  "-Wl,--defsym=__flash=0x80000000 -Wl,--defsym=__flash_size=0x400000 "
  "-Wl,--defsym=__ram=0x80400000 -Wl,--defsym=__ram_size=0x400000 -Wl,--defsym=__stack_size=0x8000")
set(CMAKE_BUILD_TYPE MinSizeRel CACHE STRING "")
# With -Os an interpreted operation is a third longer.
set(CMAKE_C_FLAGS_MINSIZEREL "-O2")
