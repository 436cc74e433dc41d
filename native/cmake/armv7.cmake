# Cross-compiles for 32-bit ARM Linux (ARMv7, hard float) with Debian's g++-arm-linux-gnueabihf.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(CMAKE_CXX_COMPILER arm-linux-gnueabihf-g++)
# Nothing here is linked with what compilers before GCC 7.1 made.
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)
