"""Trains, quantizes and evaluates the Fashion-MNIST classifier: python models/fashion_mnist/recipe.py

Needs `pip install '.[train,optimize]'` and `apt-get install dataset-fashion-mnist`; about 10 minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))

from models import common  # noqa: E402
from models.fashion_mnist import data  # noqa: E402

EPOCHS = 15
BATCH = 128
RATE = 0.1  # the peak of the one-cycle schedule
SHIFT = 2  # pixels: pictures are moved by up to this much while training


def load(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures as float32 [n, 28, 28, 1] from 0 to 1, and classes as int64 [n]."""
    pixels, truth = data.pictures(split)
    return pixels[..., None].astype(np.float32) / 255, truth.astype(np.int64)


def network() -> Any:
    """Five convolutions in three stages (28, 14 and 7 pixels wide), the mean of each channel, softmax."""
    from torch import nn

    def conv(channels_in: int, channels_out: int) -> list[nn.Module]:
        layer = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        return [layer, nn.BatchNorm2d(channels_out), nn.ReLU()]

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(
                *conv(1, 16), nn.MaxPool2d(2),
                *conv(16, 32), *conv(32, 32), nn.MaxPool2d(2),
                *conv(32, 64), *conv(64, 64),
            )  # fmt: skip
            self.head = nn.Linear(64, len(data.LABELS))

        def forward(self, x: Any) -> Any:  # x [n, 28, 28, 1] as in the file; torch puts channels first
            features = self.features(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
            scores = self.head(features.mean((1, 2)))
            return scores if self.training else scores.softmax(-1)

    return Network()


def train(inputs: np.ndarray, truth: np.ndarray) -> Any:
    """SGD with a one-cycle schedule; pictures mirrored at random and moved by a few pixels."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    net = network()
    x, y = torch.from_numpy(inputs), torch.from_numpy(truth)
    steps = len(x) // BATCH
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, epochs=EPOCHS, steps_per_epoch=steps)
    order = torch.empty(0, dtype=torch.int64)
    for step in common.progress(range(EPOCHS * steps), "training"):
        if step % steps == 0:
            order = torch.randperm(len(x))
        batch = order[step % steps * BATCH :][:BATCH]
        loss = torch.nn.functional.cross_entropy(net(_augment(x[batch])), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net


def _augment(x: Any) -> Any:
    """A batch [n, 28, 28, 1] with half of its pictures mirrored and all moved by the same few pixels."""
    import torch

    mirrored = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(2), x)
    top, left = torch.randint(0, 2 * SHIFT + 1, (2,)).tolist()
    padded = torch.nn.functional.pad(mirrored, (0, 0, SHIFT, SHIFT, SHIFT, SHIFT))
    return padded[:, top : top + 28, left : left + 28]


RECIPE = common.Recipe(
    name="fashion_mnist",
    folder=FOLDER,
    description="Classifies a 28 x 28 grey picture of clothing on black into 10 classes. See its card.",
    labels=data.LABELS,
    load=load,
    train=train,
    low=0.0,
    high=1.0,  # the int8 input is the pixel minus 128
    mean=0.0,
    std=255.0,
    budget="drop<=1 size<=40KB",
)

if __name__ == "__main__":
    common.main(RECIPE)
