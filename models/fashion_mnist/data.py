"""Fashion-MNIST: 70,000 pictures of clothing, 28 x 28 grey pixels, 10 classes (MIT licence).

https://github.com/zalandoresearch/fashion-mnist; Debian ships it as `dataset-fashion-mnist`.

    python models/fashion_mnist/data.py FOLDER      writes a few test pictures, and their truth to FOLDER.csv
"""

from __future__ import annotations

import csv
import gzip
import struct
import sys
from pathlib import Path

import numpy as np

FOLDER = Path("/usr/share/datasets/fashion-mnist")
LABELS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def available() -> bool:
    """Whether the data set is installed."""
    return FOLDER.is_dir()


def pictures(split: str) -> tuple[np.ndarray, np.ndarray]:
    """The pictures [n, 28, 28] uint8, 0 the black background, and classes [n] uint8 of "train" or "test"."""
    if not available():
        raise SystemExit(f"{FOLDER} is missing: apt-get install dataset-fashion-mnist")
    prefix = {"train": "train", "test": "t10k"}[split]
    return _idx(FOLDER / f"{prefix}-images-idx3-ubyte.gz"), _idx(FOLDER / f"{prefix}-labels-idx1-ubyte.gz")


def _idx(path: Path) -> np.ndarray:
    """An IDX file of bytes: 0, 0, 8 (uint8), the number of axes, each axis as big-endian uint32, the data.

    The format is described at the end of http://yann.lecun.com/exdb/mnist/.
    """
    content = gzip.decompress(path.read_bytes())
    zero, kind, axes = struct.unpack_from(">HBB", content)
    if (zero, kind) != (0, 8):
        raise ValueError(f"{path} is no IDX file of bytes: it starts with {content[:4]!r}")
    shape = struct.unpack_from(f">{axes}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def export(folder: Path, per_class: int = 4) -> None:
    """Writes the first `per_class` test pictures of each class as PNG, and their truth to `folder`.csv."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    pixels, truth = pictures("test")
    chosen = sorted(i for label in range(len(LABELS)) for i in np.flatnonzero(truth == label)[:per_class])
    with folder.with_suffix(".csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("file", "label"))
        for i in chosen:
            label = LABELS[truth[i]]
            name = f"{i:04}_{label.lower().replace(' ', '_').replace('/', '_')}.png"
            Image.fromarray(pixels[i]).save(folder / name, optimize=True)
            rows.writerow((name, label))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python models/fashion_mnist/data.py FOLDER")
    export(Path(sys.argv[1]))
