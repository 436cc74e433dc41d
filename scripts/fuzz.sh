#!/bin/sh
# Runs each fuzzer of build/fuzz for its share of the time: fuzz.sh MINUTES. What fails is left in build/fuzz/.
# The corpora grow in build/fuzz/corpus-*; they start with our models, and with the small ones of EDGE_SDK_TEST_MODELS.
# Sanitizers and a busy machine make 0.3 s of pose decoding minutes: only what takes longer counts as a hang.
set -eu
cd "$(dirname "$0")/.."
share=$(($1 * 60 / 3))
stash=${EDGE_SDK_TEST_MODELS:-../shared/models}/ops
export ASAN_OPTIONS=allocator_may_return_null=1
for name in options plan run; do
  corpus=build/fuzz/corpus-$name
  mkdir -p "$corpus"
  seeds=
  if [ "$name" != options ]; then
    cp models/*/*.tflite examples/data/*.tflite "$corpus"
    [ -d "$stash" ] && seeds=$stash
  fi
  build/fuzz/${name}_fuzz -artifact_prefix="build/fuzz/$name-" -max_len=65536 -timeout=300 -rss_limit_mb=4096 \
    -max_total_time=$share -print_final_stats=0 "$corpus" $seeds
done
