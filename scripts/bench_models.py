"""Measures the models of docs/performance.md: bench_models.py [NAME...] [--runs N] [--write]

Each model runs beside LiteRT (XNNPACK), the integer ones beside OpenVINO too where it is installed, in turn
in one process, at one and two threads. Prints a row per model as it is done and, as the last line, JSON with
the means and the worst ratios. NAMEs are parts of model names; without any all are measured.
`--write` puts tables and plots into docs/ and this machine's figures into boards/reference/.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import bench_report
from bench_report import Row

from edge_sdk import bench
from edge_sdk.cli.screen import Progress

ROOT = Path(__file__).resolve().parent.parent
STASH = Path(os.environ.get("EDGE_SDK_TEST_MODELS") or ROOT.parent / "shared" / "models")
INTEGER = (
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
FLOAT = (
    "google-ai-edge+mediapipe/face_detection_back",
    "google-ai-edge+mediapipe/face_detection_front",
    "google-ai-edge+mediapipe/face_detection_full_range_sparse",
    "google-ai-edge+mediapipe/face_detection_short_range",
    "google-ai-edge+mediapipe/face_landmarker_v2__face_landmarks_detector",
    "google-ai-edge+mediapipe/face_landmarker_v2_with_blendshapes__face_blendshapes",
    "google-ai-edge+mediapipe/face_stylization_dummy",
    "google-ai-edge+mediapipe/hand_recrop",
    "google-ai-edge+mediapipe/knift_float",
    "google-ai-edge+mediapipe/pose_landmark_lite-0e0d22",
    "google-ai-edge+mediapipe/pose_landmark_lite-fa7f68",
    "google-ai-edge+mediapipe/selfie_segmentation_landscape",
    "mlcommons+tiny/kws_ref_model_float32",
    "mlcommons+tiny/pretrainedResnet-7e3147",
    "mlcommons+tiny/vww_96_float",
    "mlcommons+tiny/vww_96_float-504739",
)


def measured(model: Path, against: str, threads: int, runs: int, *more: str) -> dict | str:
    """One model in a process of its own, so that no model warms the caches of another; or why not."""
    command = [sys.executable, "-m", "edge_sdk", "bench", str(model), "--against", against, *more]
    command += ["--threads", str(threads), "--runs", str(runs), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        words = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        return words.removeprefix("edge-sdk: bench: ").replace(str(model), model.name)
    return json.loads(done.stdout.splitlines()[-1])


def row(model: Path, kind: str, runs: int) -> Row:
    against = "litert,openvino" if kind == "integer" else "litert"
    one = measured(model, against, 1, runs, "--memory", "--busy")
    two = measured(model, "litert", 2, runs, "--no-check")
    for report in (one, two):
        if isinstance(report, str):
            return Row(model.stem, kind, refused=report)
    return Row.of(model.stem, kind, one, two)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--models", type=Path, default=STASH / "real")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    wanted = [(name, "integer") for name in INTEGER] + [(name, "float") for name in FLOAT]
    if not options.models.is_dir():
        print(f"there is no folder {options.models} (EDGE_SDK_TEST_MODELS): our own models", file=sys.stderr)
        options.models = ROOT / "models"
        own = sorted(options.models.glob("*/*.tflite"))
        wanted = [(str(f.relative_to(options.models).with_suffix("")), "integer") for f in own]
    every = len(wanted)
    wanted = [w for w in wanted if not options.names or any(n in w[0] for n in options.names)]
    if not wanted:
        parser.error(f"no model has {' or '.join(options.names)} in its name")
    if options.write and (len(wanted) < every or options.models == ROOT / "models"):
        parser.error("--write needs all models")
    peaks = {threads: bench.peaks(threads) for threads in (1, 2)}
    rows = []
    with Progress("models", len(wanted)) as progress:
        for name, kind in wanted:
            rows.append(row(options.models / f"{name}.tflite", kind, options.runs))
            print(rows[-1].line(), flush=True)
            progress.tick()
    machine = bench_report.Machine.here(peaks, options.runs)
    if options.write:
        for file in bench_report.write(ROOT, machine, rows):
            print(f"written: {file.relative_to(ROOT)}")
    print(json.dumps(bench_report.summary(rows)))


if __name__ == "__main__":
    main()
