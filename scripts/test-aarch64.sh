#!/bin/sh
# Runs the native tests as 64-bit ARM under emulation: test-aarch64.sh CPU... (cortex-a53, cortex-a76, max).
set -eu
cd "$(dirname "$0")/.."
cmake --preset aarch64 >/dev/null
cmake --build --preset aarch64 --target edge_tests
for cpu in "$@"; do
  echo "native tests on $cpu"
  qemu-aarch64-static -cpu "$cpu" -L /usr/aarch64-linux-gnu build/aarch64/edge_tests
done
