"""What flows into the layers of a model: mean and covariance of the channels, over samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import edge_sdk
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.data import Progress, Samples
from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.prune.channels import Channels, Layer
from edge_sdk.optimize.prune.search import storage
from edge_sdk.types import Array

_POSITIONS = 256  # of a sample, evenly picked: neighbours say much the same
_WIDEST = 2048  # channels of which a covariance is kept; above, the variances alone
RIDGE = 1e-3  # added to variances, of their mean: what hardly varies is not divided by


@dataclass(frozen=True)
class Moments:
    """Of one layer's input, a column a channel."""

    mean: Array  # [channels]
    variance: Array  # [channels]
    covariance: Array | None  # [channels, channels]; None for very wide inputs


def weights_of(graph: Graph, tensor: int) -> Array:
    """A layer's weights or bias as float32, wherever the file has them."""
    origin = storage(graph, tensor, graph.producers())
    values = None if origin is None else graph.constant(origin)
    assert values is not None  # `channels.find` takes no other layers
    return values.astype(np.float32)


def put_weights(graph: Graph, tensor: int, values: Array) -> None:
    """Replaces them, in the type that the file has."""
    origin = storage(graph, tensor, graph.producers())
    old = None if origin is None else graph.constant(origin)
    assert origin is not None
    assert old is not None
    graph.set_constant(origin, values.astype(old.dtype))


def consumers(channels: Channels) -> list[Layer]:
    """The layers that look at channels which may go, and what they look at."""
    return [layer for layer in channels.layers if layer.inputs is not None and layer.inputs.any()]


def inflow(
    model: bytes, channels: Channels, samples: Samples, progress: Progress = lambda done: None
) -> dict[int, Moments]:
    """The moments of what each of `consumers` reads, by the layer's position among the ops."""
    layers = consumers(channels)
    sources = list(dict.fromkeys(layer.source for layer in layers))
    columns = {layer.source: len(layer.inputs) for layer in layers if layer.inputs is not None}
    probe = edge_sdk.load(showing(model, sources), threads=1)
    given = len(probe.outputs) - len(sources)
    sums = {s: _Sums(columns[s]) for s in sources}
    for i in range(len(samples)):
        outputs = probe.run(samples.arrays(i, probe.inputs))[given:]
        for source, values in zip(sources, outputs):
            sums[source].add(values.reshape(-1, columns[source]))
        progress(i + 1)
    found = {s: of.moments() for s, of in sums.items()}
    return {layer.op: found[layer.source] for layer in layers}


def showing(model: bytes, tensors: Sequence[int]) -> bytes:
    """The model with some of its activations as further outputs."""
    tree = tflite_file.read(model)
    tree.signatureDefs = None
    tree.subgraphs[0].outputs = [*map(int, tree.subgraphs[0].outputs), *tensors]
    return tflite_file.write(tree)


class _Sums:
    def __init__(self, columns: int) -> None:
        self._count = 0
        self._total, self._squares = np.zeros(columns), np.zeros(columns)
        self._products = np.zeros((columns, columns) if columns <= _WIDEST else 0)

    def add(self, rows: Array) -> None:
        picked = rows[:: max(1, len(rows) // _POSITIONS)].astype(np.float64)
        self._count += len(picked)
        self._total += picked.sum(0)
        self._squares += np.square(picked).sum(0)
        if self._products.size:
            self._products += picked.T @ picked

    def moments(self) -> Moments:
        mean = self._total / self._count
        variance = np.maximum(self._squares / self._count - np.square(mean), 0)
        # Of fewer rows than channels a covariance says nothing but what those rows happen to be.
        if not self._products.size or self._count < 2 * len(mean):
            return Moments(mean, variance, None)
        return Moments(mean, variance, self._products / self._count - np.outer(mean, mean))
