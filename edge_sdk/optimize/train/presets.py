"""Small networks for microcontrollers and little boards, to be students of larger ones.

Each function takes the model's input shape, batch axis first, the number of outputs and a width, and
returns a torch module from [n, ...] to [n, outputs]: scores, no softmax. Pictures are [n, h, w, c]; windows
of a signal [n, t, c] are pictures one pixel high.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from edge_sdk.errors import InputError


def tiny_cnn(shape: tuple[int, ...], outputs: int, width: int = 8) -> Any:
    """Three convolutions, twice as many channels after each pool."""
    c, kernel, pool = _picture(shape)
    return nn.Sequential(
        _ChannelsFirst(),
        *_conv(c, width, kernel), nn.MaxPool2d(pool),
        *_conv(width, 2 * width, kernel), nn.MaxPool2d(pool),
        *_conv(2 * width, 4 * width, kernel),
        _Mean(), nn.Linear(4 * width, outputs),
    )  # fmt: skip


def ds_cnn(shape: tuple[int, ...], outputs: int, width: int = 16) -> Any:
    """One convolution and four depthwise separable ones, like the keyword spotter of MLPerf Tiny."""
    c, kernel, pool = _picture(shape)
    blocks = [
        layer
        for _ in range(4)
        for layer in (*_conv(width, width, kernel, groups=width), *_conv(width, width, (1, 1)))
    ]
    return nn.Sequential(
        _ChannelsFirst(), *_conv(c, width, kernel, stride=pool), *blocks, _Mean(), nn.Linear(width, outputs)
    )


def resnet8(shape: tuple[int, ...], outputs: int, width: int = 8) -> Any:
    """Three residual blocks, like the image classifier of MLPerf Tiny."""
    c, kernel, pool = _picture(shape)
    return nn.Sequential(
        _ChannelsFirst(),
        *_conv(c, width, kernel),
        _Residual(width, width, kernel, (1, 1)),
        _Residual(width, 2 * width, kernel, pool),
        _Residual(2 * width, 4 * width, kernel, pool),
        _Mean(), nn.Linear(4 * width, outputs),
    )  # fmt: skip


def mlp(shape: tuple[int, ...], outputs: int, width: int = 32) -> Any:
    """Two hidden layers."""
    given = int(torch.Size(shape[1:]).numel())
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(given, width), nn.ReLU(),
        nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, outputs),
    )  # fmt: skip


_POOLED = 4  # pixels along an axis, from which on two pools leave something of it

PRESETS = {"tiny_cnn": tiny_cnn, "ds_cnn": ds_cnn, "resnet8": resnet8, "mlp": mlp}


class _ChannelsFirst(nn.Module):
    def forward(self, x: Any) -> Any:
        return (x.unsqueeze(1) if x.ndim == 3 else x).permute(0, 3, 1, 2)


class _Mean(nn.Module):
    """Of each channel over the picture. Channels are put last before, as they are in the file."""

    def forward(self, x: Any) -> Any:
        return x.permute(0, 2, 3, 1).mean((1, 2))


class _Residual(nn.Module):
    def __init__(self, given: int, made: int, kernel: tuple[int, int], stride: tuple[int, int]) -> None:
        super().__init__()
        last = nn.Conv2d(made, made, kernel, padding=_same(kernel), bias=False)
        self.way = nn.Sequential(*_conv(given, made, kernel, stride), last, nn.BatchNorm2d(made))
        same = given == made and stride == (1, 1)
        self.side = nn.Identity() if same else nn.Conv2d(given, made, 1, stride)

    def forward(self, x: Any) -> Any:
        return torch.relu(self.way(x) + self.side(x))


def _conv(
    given: int, made: int, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1), groups: int = 1
) -> list[Any]:
    layer = nn.Conv2d(given, made, kernel, stride, _same(kernel), groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(made), nn.ReLU()]


def _same(kernel: tuple[int, int]) -> tuple[int, int]:
    return kernel[0] // 2, kernel[1] // 2


def _picture(shape: tuple[int, ...]) -> tuple[int, tuple[int, int], tuple[int, int]]:
    """Channels, and the sizes of convolution kernels and pools that suit the shape."""
    if len(shape) not in (3, 4):
        raise InputError(f"the input has shape {list(shape)}; only the preset mlp takes that")
    high, wide = (shape[1] if len(shape) == 4 else 1), shape[-2]
    pool = (2 if high >= _POOLED else 1, 2 if wide >= _POOLED else 1)
    return shape[-1], (3 if high > 1 else 1, 3), pool
