"""Damaged models against the native runtime: each ends in a run or an error of ours, within 5 s and 1 GiB.

mutants.py [--count N] [--json] PROGRAM [MODEL ...]. PROGRAM is a build's edge_mutants; N byte mutants and
N field mutants are spread over the models. Without models: twelve of EDGE_SDK_TEST_MODELS, all kinds, small
and large; where there are none, those made here stand in. Exits with 1 where a mutant ended otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STASH = Path(os.environ.get("EDGE_SDK_TEST_MODELS") or ROOT.parent / "shared" / "models")
SEEDS = (
    "tensorflow+tflite-support/dilated_conv-a070dd",  # float32; shapes are computed while loading
    "google-ai-edge+LiteRT/odml_sdpa_composite_mqa.tflite",  # float32, a composite, several subgraphs
    "tensorflow+tflite-micro/audio_preprocessor_int8",  # int16, custom ops
    "google-coral+test_data/ssd_mobilenet_v1_coco_quant_postprocess_head_layers",  # uint8, options
    "tensorflow+tflite-micro/trained_lstm_int8",
    "tensorflow+tflite-micro/keyword_scrambled_8bit",  # int8, SVDF
    "esphome+micro-wake-word-models/vad",  # int8, variables, CALL_ONCE of a second subgraph
    "mlcommons+tiny/kws_ref_model_float32",  # float32 with int8 weights
    "ARM-software+ML-zoo/ds_cnn_quantized",  # int16 with int8 weights
    "google-coral+coralmicro/person_detect_model",  # uint8
    "google-ai-edge+mediapipe/face_detection_full_range_sparse",  # float16 weights, some of them sparse
    "google-coral+coralmicro/yamnet_spectra_in",  # int8, 4 MB
)
GOOD = ("ran", "not_read", "not_planned", "not_run")
SANITIZERS = {"ASAN_OPTIONS": "allocator_may_return_null=1", "UBSAN_OPTIONS": "print_stacktrace=1"}


def seeds() -> list[Path]:
    found = [STASH / "real" / f"{name}.tflite" for name in SEEDS]
    missing = [path for path in found if not path.is_file()]
    if not missing:
        return found
    print(f"not there: {missing[0]} and {len(missing) - 1} more (EDGE_SDK_TEST_MODELS)", file=sys.stderr)
    return [path for path in found if path.is_file()] or sorted(ROOT.glob("models/*/*.tflite"))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", type=Path)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    models = options.models or seeds()
    start = time.monotonic()
    command = [options.program, str(options.count), *models]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **SANITIZERS})
    if not done.stdout:
        return 2
    report = {"program": str(options.program), **json.loads(done.stdout)}
    report["minutes"] = round((time.monotonic() - start) / 60, 1)
    ends = report["ends"]
    bad = ", ".join(f"{count} {end}" for end, count in ends.items() if end not in GOOD)
    summary = (
        f"{options.count} byte and {options.count} field mutants of {report['models']} models: "
        f"{bad or '0 signals, 0 sanitizer reports'}; {ends.get('ran', 0)} ran; "
        f"at most {report['longest_s']:.2f} s and {report['most_mib']:.0f} MiB ({options.program})"
    )
    print(json.dumps(report) if options.json else summary)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
