#!/bin/sh
# Installs the sdist with pip in another Debian and runs the tests there: userland.sh bullseye|trixie.
# Needs root. bullseye brings Python 3.9, GCC 10 and pip 20, trixie Python 3.13, GCC 14 and pip 25.
set -eu
cd "$(dirname "$0")/.."
suite=$1
root=$PWD/build/userland/$suite
models=$(realpath "${EDGE_SDK_TEST_MODELS:-../shared/models}")

command -v mmdebstrap >/dev/null || apt-get install -qq --no-install-recommends mmdebstrap >/dev/null
if [ ! -x "$root/usr/bin/python3" ]; then
  mkdir -p "$root"
  mmdebstrap --quiet --variant=apt --mode=root --include=ca-certificates,g++,mosquitto,python3-dev,python3-venv "$suite" "$root"
fi
# pip reaches its index there as it does here: with the host's certificates, settings and PIP_* variables.
for file in /etc/ssl/certs/ca-certificates.crt /etc/pip.conf /etc/resolv.conf "$HOME/.config/pip/pip.conf"; do
  [ ! -f "$file" ] || install -D -m 644 "$file" "$root$file"
done

rm -rf "$root/src" && mkdir -p "$root/src" "$root/shared"
python3 -m build --quiet --sdist --outdir "$root/src"
tar -xzf "$root"/src/*.tar.gz -C "$root/src" --strip-components=1 --exclude '*/edge_sdk'

export root models
# The mounts live in a namespace of their own and vanish with it.
unshare --mount sh -eu <<'IN'
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
[ ! -d "$models" ] || mount --bind "$models/.." "$root/shared"
exec chroot "$root" sh -eu <<'INNER'
cd /src
export LC_ALL=C.UTF-8 EDGE_SDK_TEST_MODELS=/shared/models
rm -rf /venv && python3 -m venv /venv
PATH=/venv/bin:$PATH
python --version && pip --version && c++ --version | head -1
pip install -q "$(ls /src/*.tar.gz)[test]"
edge-sdk run --model models/fashion_mnist/fashion_mnist_int8.tflite --source examples/data/clothing --publish stdout | tail -1
pytest -q -n 2 --ignore tests/packaging
INNER
IN
