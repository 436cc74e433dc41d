"""What half of a network's multiply-accumulates are worth: pruned, fine-tuned, judged by other pictures.

    python scripts/bench_prune.py [--epochs 7] [--json]
    python scripts/bench_prune.py --train TRAIN.npz --test TEST.npz [--model M.tflite]

Without files it is Fashion-MNIST (`apt-get install dataset-fashion-mnist`) and the clothing model of this
project. Each .npz holds pictures `x` [n, h, w, c], 0 to 255, and their classes `y`, such as CIFAR-10's;
without `--model` a network of five convolutions is trained on the pictures first. Fashion-MNIST takes
about 10 minutes on one CPU, CIFAR-10 with a network of its own half an hour. Needs `pip install '.[train]'`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from models.fashion_mnist import data  # noqa: E402

CLOTHING = ROOT / "models" / "fashion_mnist" / "fashion_mnist_float.tflite"
RATE = 3e-3  # of training the network


def main() -> int:
    parser = argparse.ArgumentParser(description="Prune a picture classifier to half, and tune it.")
    parser.add_argument("--train", type=Path, help=".npz with pictures to learn from")
    parser.add_argument("--test", type=Path, help=".npz with pictures to judge by")
    parser.add_argument("--model", type=Path, help="the float model; without it one is trained")
    parser.add_argument("--pictures", type=int, default=45000, help="to learn from, at most (45000)")
    parser.add_argument("--train-epochs", type=int, default=14, help="of the network that is trained (14)")
    parser.add_argument("--macs", default="0.5", help="what is left of the multiply-accumulates (0.5)")
    parser.add_argument("--rounds", default="1", help="steps to go there in (1)")
    parser.add_argument("--epochs", default="7", help="of fine-tuning after each (7)")
    parser.add_argument("--augment", default="shift,mirror", help="what is done to pictures (shift,mirror)")
    parser.add_argument("-o", "--output", type=Path, help="keep the pruned file")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if bool(options.train) != bool(options.test):
        parser.error("--train and --test go together")
    with tempfile.TemporaryDirectory() as folder:
        learn, judge = (
            _pictures(where, split, Path(folder), options.pictures)
            for where, split in ((options.train, "train"), (options.test, "test"))
        )
        model = options.model or CLOTHING
        if options.train and not options.model:
            model = Path(folder) / "network.tflite"
            model.write_bytes(_trained(learn, options.train_epochs))
        command = [
            *(sys.executable, "-m", "edge_sdk", "prune", model, "--macs", options.macs),
            *("--data", learn, "--test", judge, "--limit", options.pictures),
            *("--rounds", options.rounds, "--fine-tune", options.epochs),
            *("--augment", options.augment, "-o", options.output or f"{folder}/pruned.tflite"),
            *(["--json"] if options.json else []),
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run([str(word) for word in command], env=environment).returncode


def _pictures(where: Path | None, split: str, folder: Path, most: int) -> Path:
    """A .npz as `prune` takes it: of Fashion-MNIST, or `where` with its first pictures."""
    if where is None:
        x, y = data.pictures(split)
        x = x[..., None]
    else:
        held = np.load(where)
        x, y = held["x"], held["y"]
    path = folder / f"{split}.npz"
    count = most if split == "train" else len(x)
    np.savez(path, x=x[:count].astype(np.uint8), y=y[:count].astype(np.int64))
    return path


def _trained(pictures: Path, epochs: int) -> bytes:
    """A network for these pictures, of five convolutions in three sizes, as a .tflite with normalization."""
    import torch
    from torch import nn

    from edge_sdk.optimize.data import Samples
    from edge_sdk.optimize.tflite_file import add_metadata
    from edge_sdk.optimize.train.export import export
    from edge_sdk.optimize.train.fit import Settings, fit
    from edge_sdk.optimize.train.lessons import lesson

    held = np.load(pictures)
    x, y = held["x"].astype(np.float32) / 255, held["y"]
    classes = int(y.max()) + 1

    def conv(given: int, made: int) -> list[Any]:
        return [nn.Conv2d(given, made, 3, padding=1, bias=False), nn.BatchNorm2d(made), nn.ReLU()]

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(
                *conv(x.shape[3], 32), nn.MaxPool2d(2),
                *conv(32, 64), *conv(64, 64), nn.MaxPool2d(2),
                *conv(64, 128), *conv(128, 128),
            )  # fmt: skip
            self.head = nn.Linear(128, classes)

        def forward(self, given: Any) -> Any:  # [n, h, w, c] as in the file; torch puts channels first
            features = self.features(given.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
            return self.head(features.mean((1, 2)))

    torch.manual_seed(0)
    network = Network()
    settings = Settings(RATE, augment=("shift", "mirror"))
    steps = epochs * len(x) // settings.batch

    def tell(done: int) -> None:
        if done % 100 == 0:
            print(f"\rtraining the network: {done} of {steps} steps", end="", file=sys.stderr)

    fit(network, lesson(Samples((x,), y), None, classes), settings, steps, 0, tell)
    print(file=sys.stderr)
    model = export(nn.Sequential(network, nn.Softmax(-1)), x[:1])
    return add_metadata(model, mean=0.0, std=255.0)


if __name__ == "__main__":
    sys.exit(main())
