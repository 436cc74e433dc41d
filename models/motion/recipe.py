"""Trains, quantizes and evaluates the activity classifier: python models/motion/recipe.py

Needs `pip install '.[train,optimize]'` and `pip install --no-deps aeon`; about a minute.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))

from models import common  # noqa: E402
from models.motion import data  # noqa: E402

STEPS = 400  # of the optimizer, each on all 40 windows
RATE = 0.01  # the peak of the one-cycle schedule
SPAN = 32.0  # readings beyond -SPAN to SPAN are cut; the data reaches 34.9


def network() -> Any:
    """A convolution over time, a depthwise-separable one, the mean of each channel, softmax."""
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            window, stride = (1, 5), (1, 2)
            self.features = nn.Sequential(
                nn.Conv2d(6, 16, window, stride, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
                nn.Conv2d(16, 16, window, stride, groups=16, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
                nn.Conv2d(16, 32, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
            )  # fmt: skip
            self.head = nn.Linear(32, len(data.LABELS))

        def forward(self, x: Any) -> Any:  # [n, 100, 6]: a picture one pixel high, six channels
            features = self.features(x.unsqueeze(1).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
            scores = self.head(features.mean((1, 2)))
            return scores if self.training else scores.softmax(-1)

    return Network()


def train(inputs: np.ndarray, truth: np.ndarray) -> Any:
    """AdamW with a one-cycle schedule on windows shifted in time, scaled and with noise."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    net = network()
    x, y = torch.from_numpy(inputs).contiguous(), torch.from_numpy(truth)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
    for _ in common.progress(range(STEPS), "training"):
        shifted = x.roll(int(torch.randint(data.STEPS, ())), dims=1)
        scaled = shifted * (0.8 + 0.4 * torch.rand(len(x), 1, 1))
        noisy = (scaled + 0.1 * torch.randn_like(x)).clamp(-SPAN, SPAN)
        loss = torch.nn.functional.cross_entropy(net(noisy), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net


RECIPE = common.Recipe(
    name="motion",
    folder=FOLDER,
    description="Names the activity in 10 s of accelerometer and gyroscope readings at 10 Hz. See its card.",
    labels=data.LABELS,
    load=data.windows,
    train=train,
    low=-SPAN,
    high=SPAN * 254 / 256,  # so that the int8 input is the reading times 4
    mean=0.0,
    std=1.0,
    budget="drop<=0 size<=6KB",
)

if __name__ == "__main__":
    common.main(RECIPE)
