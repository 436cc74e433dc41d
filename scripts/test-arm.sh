#!/bin/sh
# Runs the native tests as ARM under emulation: test-arm.sh CPU... (cortex-a53, cortex-a76, max; 32 bits: cortex-a8).
set -eu
cd "$(dirname "$0")/.."
for cpu in "$@"; do
  case $cpu in
    cortex-a[789] | cortex-a15) preset=armv7 emulator=qemu-arm-static root=/usr/arm-linux-gnueabihf ;;
    *) preset=aarch64 emulator=qemu-aarch64-static root=/usr/aarch64-linux-gnu ;;
  esac
  cmake --preset $preset >/dev/null
  cmake --build --preset $preset --target edge_tests
  echo "native tests on $cpu"
  $emulator -cpu "$cpu" -L $root build/$preset/edge_tests
done
