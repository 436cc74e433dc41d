"""The table of docs/performance.md: bench_models.py [--models FOLDER] [--runs N] [--write]

Times each model beside LiteRT (XNNPACK) in turn in one process, at one and two threads, and prints the
ratios. `--write` puts the table between the markers of docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- begin measured -->", "<!-- end measured -->"
STASH = Path(os.environ.get("EDGE_SDK_TEST_MODELS") or ROOT.parent / "shared" / "models")
MODELS = (
    "google-coral+test_data/tf2_mobilenet_v2_1.0_224_ptq",
    "google-coral+edgetpu/mobilenet_edgetpu_0.75_224_post_training_quant",
    "google-coral+test_data/movenet_single_pose_lightning_ptq",
    "tensorflow+flutter-tflite/custom_ssd_mobilenet_v2_fpn_lite_320x320",
    "mit-han-lab+mcunet/mcunet-320kb-1mb_imagenet",
    "google-coral+coralmicro/yamnet_spectra_in",
    "mlcommons+tiny/kws_ref_model",
    "mlcommons+tiny/vww_96_int8",
    "google-coral+test_data/mobilenet_v2_1.0_224_quant",
    "google-coral+edgetpu/mobilenet_v1_1.0_224_quant_embedding_extractor",
    "google-coral+test_data/mobilenet_v1_0.25_128_quant",
    "tensorflow+tflite-support/coco_ssd_mobilenet_v1_1.0_quant_2018_06_29_no_metadata",
    "google-coral+test_data/deeplabv3_mnv2_dm05_pascal_quant",
)


def timed(model: Path, threads: int, runs: int) -> dict:
    """One model in a process of its own, so that no model warms the caches of another."""
    command = [sys.executable, "-m", "edge_sdk.cli", "bench", str(model), "--against", "litert"]
    command += ["--threads", str(threads), "--runs", str(runs), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout.splitlines()[-1])


def cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=STASH / "real")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows, ratios, isa = [], {1: [], 2: []}, ""
    for name in MODELS:
        cells = [name.rpartition("/")[2]]
        for threads in (1, 2):
            report = timed(options.models / f"{name}.tflite", threads, options.runs)
            ours, litert = (b["min_ms"] for b in report["backends"])
            ratios[threads].append(litert / ours)
            isa = report["isa"]
            cells += [f"{ours:.3f}", f"{litert:.3f}", f"{litert / ours:.2f}"]
        rows.append(f"| {' | '.join(cells)} |")
        print(rows[-1], flush=True)
    means = {t: math.exp(sum(map(math.log, r)) / len(r)) for t, r in ratios.items()}
    table = "\n".join(
        [
            f"{cpu_name()}, {isa}, best of {options.runs} runs, ms; ratio = LiteRT's time / ours.",
            "",
            "| model | ours, 1 thread | LiteRT | ratio | ours, 2 threads | LiteRT | ratio |",
            "|---|---|---|---|---|---|---|",
            *rows,
            f"| geometric mean | | | {means[1]:.2f} | | | {means[2]:.2f} |",
        ]
    )
    print(f"geometric mean {means[1]:.2f} at one thread, {means[2]:.2f} at two")
    if options.write:
        page = PAGE.read_text()
        head, tail = page.partition(BEGIN)[0], page.partition(END)[2]
        PAGE.write_text(f"{head}{BEGIN}\n{table}\n{END}{tail}")


if __name__ == "__main__":
    main()
