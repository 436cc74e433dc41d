"""What a teacher is worth where labels are few: Fashion-MNIST, 500 labels, the other pictures without.

    python scripts/bench_distill.py [--student tiny_cnn:8] [--pictures 20000] [--epochs 10] [--seeds 3]

The teacher is the clothing model of this project; the student learns what it says, the control learns
the 500 labels for as many steps, after as many tuning trials.
Needs `pip install '.[train]'` and `apt-get install dataset-fashion-mnist`; about 5 minutes on one CPU.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from models.fashion_mnist import data  # noqa: E402

TEACHER = ROOT / "models" / "fashion_mnist" / "fashion_mnist_float.tflite"


def main() -> int:
    parser = argparse.ArgumentParser(description="Teach a small clothing model with few labels.")
    parser.add_argument("--student", default="tiny_cnn:8")
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument("--pictures", type=int, default=20000)
    parser.add_argument("--epochs", type=float, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path, help="keep the student's file")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    pixels, truth = data.pictures("train")
    chosen = np.random.default_rng(0).permutation(len(truth))[: options.pictures]
    labels = truth[chosen].astype(np.int64)
    labels[options.labels :] = -1
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/train.npz", x=pixels[chosen], y=labels)
        pixels, truth = data.pictures("test")
        np.savez(f"{folder}/test.npz", x=pixels, y=truth)
        command = [
            *(sys.executable, "-m", "edge_sdk", "distill", "--teacher", TEACHER),
            *("--student", options.student, "--data", f"{folder}/train.npz", "--test", f"{folder}/test.npz"),
            *("--epochs", options.epochs, "--seeds", options.seeds, "--augment", "shift,mirror"),
            *("--threads", 1, "-o", options.output or f"{folder}/student.tflite"),
            *(["--json"] if options.json else []),
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run([str(word) for word in command], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
