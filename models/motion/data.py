"""BasicMotions: 80 windows of a smart watch's accelerometer and gyroscope, four activities.

Recorded by students of the University of East Anglia: 10 samples a second for 10 seconds, four people;
https://www.timeseriesclassification.com/description.php?Dataset=BasicMotions. The data names no licence,
so none of it lies in this repository: it is read out of the package `aeon`, which carries it. None of
aeon's code runs, so its own requirements are not needed: pip install --no-deps aeon

    python models/motion/data.py FOLDER      writes each test window to FOLDER/<number>_<class>.csv
"""

from __future__ import annotations

import csv
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

LABELS = ("Standing", "Running", "Walking", "Badminton")
STEPS = 100  # samples a window
PERIOD_S = 0.1  # between two samples
CHANNELS = ("ax", "ay", "az", "gx", "gy", "gz")  # units are not stated with the data


def available() -> bool:
    """Whether the package that carries the data is installed."""
    return find_spec("aeon") is not None


def windows(split: str) -> tuple[np.ndarray, np.ndarray]:
    """The windows [40, 100, 6] float32 and their classes [40], indices of LABELS, of "train" or "test"."""
    spec = find_spec("aeon")  # finds the package without importing it
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the windows come from the package aeon: pip install --no-deps aeon")
    folder = Path(spec.submodule_search_locations[0], "datasets", "data", "BasicMotions")
    lines = (folder / f"BasicMotions_{split.upper()}.ts").read_text().splitlines()
    cases = [line.split(":") for line in lines[lines.index("@data") + 1 :] if line]
    values = np.array([[dimension.split(",") for dimension in case[:-1]] for case in cases], np.float32)
    return values.transpose(0, 2, 1), np.array([LABELS.index(case[-1]) for case in cases])


def export(folder: Path, split: str = "test") -> list[Path]:
    """Writes each window as a CSV file: a header, then time in seconds, six readings and the class a row."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, (window, label) in enumerate(zip(*windows(split))):
        path = folder / f"{number:02}_{LABELS[label].lower()}.csv"
        with path.open("w", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(("time", *CHANNELS, "label"))
            for step, readings in enumerate(window):
                rows.writerow((f"{step * PERIOD_S:.1f}", *map(str, readings), LABELS[label]))
        written.append(path)
    return written


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python models/motion/data.py FOLDER")
    print(f"{len(export(Path(sys.argv[1])))} windows in {sys.argv[1]}")
