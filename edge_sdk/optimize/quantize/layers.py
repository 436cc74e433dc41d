"""The layers of a model, what goes into them on real samples, and weights that lie on the codes' grid.

litert-quantizer takes for a channel's scale its greatest weight through the greatest code. So weights that
already are multiples of a scale, with the greatest code in use, pass through it unchanged: how they are
rounded is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.graph import BIAS, NO_TENSOR, OUTPUT_CHANNELS, Graph
from edge_sdk.optimize.quantize.calibrate import watch
from edge_sdk.types import Array

_ROWS = 48  # of a layer's input that are kept of one sample
_SAMPLES = 96  # that the inputs of layers are taken from
_AT_ONCE = 1024  # rows that are multiplied
_LARGEST = 1600  # inputs of one output beyond which no error is passed on between weights
_DAMPING = 0.01  # of the mean of the diagonal
_CLIPS = np.linspace(0.35, 1.0, 40)  # of the greatest weight, that a scale may cut at


@dataclass(frozen=True)
class Layer:
    """A convolution or fully-connected op with constant float weights."""

    position: int  # in the graph's ops
    kind: str
    weights: int  # tensors
    bias: int  # NO_TENSOR if it has none
    axis: int  # of the weights, that counts output channels
    own: bool  # no other op reads the weights

    def matrix(self, values: Array) -> Array:
        """Weights as [output channels, inputs of one output]."""
        return np.moveaxis(values, self.axis, 0).reshape(values.shape[self.axis], -1)

    def back(self, matrix: Array, shape: tuple[int, ...]) -> Array:
        moved = (shape[self.axis], *shape[: self.axis], *shape[self.axis + 1 :])
        return np.ascontiguousarray(np.moveaxis(matrix.reshape(moved), 0, self.axis), np.float32)


@dataclass
class Inputs:
    """Of one layer: what its outputs are computed from, [rows, inputs of one output]."""

    mean: Array  # [inputs], depthwise: [channels, taps]
    product: Array | None  # inputs^T inputs / rows; None for depthwise and for large layers


def float_layers(graph: Graph) -> list[Layer]:
    """Those that there is something to quantize in."""
    readers = graph.consumers()
    found = []
    for position, op in graph.layers():
        kind, inputs = graph.kind(op), graph.op_inputs(op)
        if graph.type(inputs[1]) != "FLOAT32" or graph.type(graph.op_outputs(op)[0]) != "FLOAT32":
            continue
        bias = inputs[BIAS[kind]] if len(inputs) > BIAS[kind] else NO_TENSOR
        own = len(readers[inputs[1]]) == 1
        found.append(Layer(position, kind, inputs[1], bias, OUTPUT_CHANNELS[kind], own))
    return found


def layer_inputs(graph: Graph, model: bytes, samples: Samples, seed: int = 0) -> dict[int, Inputs]:
    """Position of a layer -> statistics of its inputs over some of the samples."""
    rng = np.random.default_rng(seed)
    picked = samples.take(np.linspace(0, len(samples) - 1, min(_SAMPLES, len(samples))).astype(int))
    layers = [layer for layer in float_layers(graph) if layer.kind != "TRANSPOSE_CONV"]
    sums: dict[int, _Sums] = {}
    for values in watch(model, picked):
        for layer in layers:
            value = values.get(graph.name(graph.op_inputs(graph.ops[layer.position])[0]))
            if value is not None and value.dtype == np.float32:
                sums.setdefault(layer.position, _Sums(layer)).add(_rows(graph, layer, value, rng))
    return {position: found.inputs() for position, found in sums.items()}


class _Sums:
    """Adds up what `Inputs` has, many rows at a time: a small matrix product costs as much as a large one."""

    def __init__(self, layer: Layer) -> None:
        self._depthwise = layer.kind == "DEPTHWISE_CONV_2D"
        self._rows: list[Array] = []
        self._count = 0
        self._sum: Any = 0.0
        self._product: Any = None

    def add(self, rows: Array) -> None:
        self._rows.append(rows)
        if len(self._rows) * _ROWS >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            rows = np.concatenate(self._rows)
            self._rows = []
            self._count += len(rows)
            self._sum = self._sum + rows.sum(axis=0, dtype=np.float64)
            if not self._depthwise and rows.shape[-1] <= _LARGEST:
                self._product = rows.T @ rows + (0 if self._product is None else self._product)

    def inputs(self) -> Inputs:
        self._flush()
        product = None if self._product is None else self._product / self._count
        return Inputs(self._sum / self._count, product)


def _rows(graph: Graph, layer: Layer, value: Array, rng: np.random.Generator) -> Array:
    """Some of what the layer's dot products see; depthwise: [rows, channels, taps]."""
    weights = graph.shape(layer.weights)
    if layer.kind == "FULLY_CONNECTED":
        rows = value.reshape(-1, weights[1])
        return rows if len(rows) <= _ROWS else rows[rng.choice(len(rows), _ROWS, replace=False)]
    options = graph.ops[layer.position].builtinOptions
    made = graph.shape(graph.op_outputs(graph.ops[layer.position])[0])
    picture = value[0]
    places, inside = [], []
    for axis, (stride, dilation) in enumerate(
        ((options.strideH, options.dilationHFactor), (options.strideW, options.dilationWFactor))
    ):
        taps, size = weights[1 + axis], picture.shape[axis]
        out = made[1 + axis]
        missing = max((out - 1) * stride + (taps - 1) * dilation + 1 - size, 0)
        before = missing // 2 if options.padding == 0 else 0  # 0 is SAME
        first = rng.integers(0, out, _ROWS)[:, None] * stride - before
        place = first + np.arange(taps) * dilation
        places.append(np.clip(place, 0, size - 1))
        inside.append((place >= 0) & (place < size))
    seen = picture[places[0][:, :, None], places[1][:, None, :]]
    seen = seen * (inside[0][:, :, None] & inside[1][:, None, :])[..., None]
    if layer.kind == "DEPTHWISE_CONV_2D":
        taps = seen.reshape(_ROWS, -1, seen.shape[-1]).transpose(0, 2, 1)
        return np.repeat(taps, weights[3] // seen.shape[-1], axis=1)
    return np.asarray(seen.reshape(_ROWS, -1), np.float32)


def on_grid(matrix: Array, bits: int, inputs: Inputs | None) -> Array:
    """Weights [channels, inputs] moved to multiples of one scale a channel.

    8 bits: to the nearest. Fewer: the scale that errs least on the layer's inputs, and each weight makes
    good what those before it got wrong (GPTQ: Frantar et al., 2022), where the inputs are known.
    """
    top = 2 ** (bits - 1) - 1
    scales = np.abs(matrix).max(axis=1, keepdims=True) / top
    scales[scales == 0] = 1.0
    product = None if inputs is None else inputs.product
    if bits == 4:
        importance = np.ones(matrix.shape[1]) if product is None else np.diag(product) + 1e-12
        scales = _least_error(matrix, scales, top, importance)
    nearest = scales * np.clip(np.round(matrix / scales), -top, top)
    if product is None:
        return np.asarray(nearest)
    passed = _passing_on(matrix.astype(np.float64), scales, top, product.astype(np.float64))
    # The greatest code has to be in use, or the scale would be found smaller than it is.
    used = np.abs(passed / scales).max(axis=1, keepdims=True) > top - 0.5
    apart = [_error(matrix - moved, product) for moved in (passed, nearest)]
    return np.asarray(np.where(used & (apart[0] < apart[1])[:, None], passed, nearest))


def _error(difference: Array, product: Array) -> Array:
    """Mean square of the outputs' error, per channel."""
    return np.asarray(np.einsum("cd,de,ce->c", difference, product, difference, optimize=True))


def _least_error(matrix: Array, scales: Array, top: int, importance: Array) -> Array:
    best, least = scales, np.full(len(matrix), np.inf)
    for clip in _CLIPS:
        tried = scales * clip
        rounded = tried * np.clip(np.round(matrix / tried), -top, top)
        error = ((matrix - rounded) ** 2 * importance).sum(axis=1)
        better = error < least
        best, least = np.where(better[:, None], tried, best), np.where(better, error, least)
    return best


def _passing_on(weights: Array, scales: Array, top: int, product: Array) -> Array:
    """Rounds weight by weight, the most important first, and moves the rest to make the error good."""
    order = np.argsort(-np.diag(product))
    weights = weights[:, order]
    damped = product[np.ix_(order, order)]
    damped[np.diag_indices_from(damped)] += _DAMPING * np.mean(np.diag(damped)) + 1e-12
    factor = np.linalg.cholesky(np.linalg.inv(damped)).T
    result = np.empty_like(weights)
    scale = scales[:, 0]
    for j in range(weights.shape[1]):
        result[:, j] = scale * np.clip(np.round(weights[:, j] / scale), -top, top)
        error = (weights[:, j] - result[:, j]) / factor[j, j]
        weights[:, j + 1 :] -= error[:, None] * factor[j, j + 1 :]
    restored = np.empty_like(result)
    restored[:, order] = result
    return restored


def shift(layer: Layer, before: Array, after: Array, inputs: Inputs) -> Array:
    """How much less a layer's outputs are on average after its weights changed, per channel."""
    lost = before - after
    if layer.kind == "DEPTHWISE_CONV_2D":
        return np.asarray((lost * inputs.mean).sum(axis=1))
    return np.asarray(lost @ inputs.mean)


def bits_of(choice: str) -> int | None:
    """Of the weights, where they are codes."""
    return {"int4": 4, "int8": 8, "int16": 8}.get(choice)
