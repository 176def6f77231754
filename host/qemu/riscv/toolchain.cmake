# rv32imc, the instruction set of the ESP32-C3, with Debian's gcc-riscv64-unknown-elf and picolibc-riscv64-unknown-elf.
# The older ISA specification names the library that fits: its "i" has the counters' CSR instructions in it.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_ASM_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_OBJCOPY riscv64-unknown-elf-objcopy)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(machine "-misa-spec=2.2 -march=rv32imc -mabi=ilp32 -mcmodel=medany --specs=picolibc.specs")
set(CMAKE_C_FLAGS_INIT "${machine} -ffunction-sections -fdata-sections")
set(CMAKE_ASM_FLAGS_INIT "${machine}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostartfiles -Wl,--gc-sections -Wl,--no-warn-rwx-segments")
