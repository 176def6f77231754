# Arm's MPS2: code in the board's first memory, data in its second.
set(cpu cortex-m4)
set(code 0)
set(data 0x20000000)
include("${CMAKE_CURRENT_LIST_DIR}/cortex-m.cmake")
