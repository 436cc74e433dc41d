#!/bin/sh
# Brings the Debian packages that a make target needs: apt-packages.sh demo|test|check|fuzz|mca|train.
# As root it installs what is missing; otherwise it prints the line to type.
set -eu

missing=
need() { # need PACKAGE COMMAND...: PACKAGE is missing if COMMAND fails
  package=$1
  shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}
installed() { [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null)" = "install ok installed" ]; }

python=${PYTHON:-python3}
need g++ command -v c++
need python3-venv "$python" -c 'import ensurepip, venv'
need python3-dev "$python" -c 'import os, sysconfig; os.stat(os.path.join(sysconfig.get_path("include"), "Python.h"))'
case $1 in
  demo | check) ;;
  test)
    need doctest-dev test -e /usr/include/doctest/doctest.h
    need g++-aarch64-linux-gnu command -v aarch64-linux-gnu-g++
    need g++-arm-linux-gnueabihf command -v arm-linux-gnueabihf-g++
    need qemu-user-static command -v qemu-aarch64-static
    need mosquitto test -x /usr/sbin/mosquitto
    ;;
  mca)
    need g++-aarch64-linux-gnu command -v aarch64-linux-gnu-g++
    need llvm-19 command -v llvm-mca-19
    ;;
  fuzz)
    need clang command -v clang++
    need libclang-rt-dev installed libclang-rt-dev # the sanitizers, which clang only recommends
    ;;
  train) need dataset-fashion-mnist installed dataset-fashion-mnist ;;
  *) echo "apt-packages.sh: no list named '$1'" >&2 && exit 2 ;;
esac
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "Packages are missing. Install them, then run make again:" >&2
  echo "  sudo apt-get install$missing" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086  # a list of packages
apt-get install -qq --no-install-recommends $missing >/dev/null
