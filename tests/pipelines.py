"""Models and tasks small enough to know what a pipeline of them must give."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

import edge_sdk
from edge_sdk import tasks
from edge_sdk.optimize import tflite_file
from edge_sdk.types import Array, Box, Detection, Frame, Geometry, TensorSpec


def mean_model(shape: tuple[int, ...], dtype: str, labels: list[str]) -> edge_sdk.Model:
    """Averages over the middle axes: the classes are the channels."""
    scale = 1 / 255 if dtype == "uint8" else None
    g = GraphBuilder()
    x = g.input(shape, dtype, scale=scale)
    axes = g.constant(np.arange(1, len(shape) - 1, dtype=np.int32))
    y = g.tensor((1, shape[-1]), dtype, scale=scale)
    g.op("MEAN", [x, axes], [y], keepDims=False)
    return edge_sdk.load(tflite_file.add_metadata(g.build(outputs=[y]), labels=labels))


class Walking:
    """A task that finds one thing in each picture, a step further than in the last."""

    name = "detect"

    def __init__(self, model: edge_sdk.Model) -> None:
        self._inner, self._step = tasks.for_model(model), 0

    def prepare(self, frame: Frame, spec: TensorSpec, out: Array | None = None) -> tuple[Array, Geometry]:
        return self._inner.prepare(frame, spec, out)

    def decode(self, outputs: Any, geometry: Geometry) -> tuple[Detection, ...]:
        self._step += 1
        return (Detection(0, 0.9, "walker", Box(self._step, 0, self._step + 10, 20)),)
