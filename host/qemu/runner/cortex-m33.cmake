# Arm's MPS2 with the AN505 image, in secure state.
set(cpu cortex-m33)
set(code 0x10000000)
set(data 0x38000000)
include("${CMAKE_CURRENT_LIST_DIR}/cortex-m.cmake")
