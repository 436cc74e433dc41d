"""Lets the channels that stay stand in for those that go, before they do.

What a removed channel would have been is estimated from the others of the same pixel by linear
regression over samples, and that estimate is folded into the next layer's weights and bias. Where there
are too few samples for it, the mean alone is folded in. Padded borders are taken for inner pixels.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from edge_sdk.optimize.graph import BIAS, NO_TENSOR, OUTPUT_CHANNELS, Graph
from edge_sdk.optimize.prune.channels import Channels
from edge_sdk.optimize.prune.search import storage
from edge_sdk.optimize.prune.statistics import RIDGE, Moments, consumers, put_weights, weights_of
from edge_sdk.types import Array


def compensate(graph: Graph, channels: Channels, gone: Array, moments: dict[int, Moments]) -> None:
    """Changes the weights of layers that look at units for which `gone` [1 + units] is set.

    Layers that share weights, or have no bias of their own (see `own_biases`), stay as they are.
    """
    layers = consumers(channels)
    reads = Counter(layer.weights for layer in channels.layers)
    for layer in layers:
        assert layer.inputs is not None
        lost = gone[layer.inputs]
        if not lost.any() or lost.all() or reads[layer.weights] > 1:
            continue
        if layer.kind == "TRANSPOSE_CONV" or layer.bias == NO_TENSOR:  # of the former, pixels overlap
            continue
        slopes, offsets = estimate(moments[layer.op], lost)
        weights = weights_of(graph, layer.weights)
        removed = weights[..., lost]
        weights[..., ~lost] += removed @ slopes
        put_weights(graph, layer.weights, weights)
        taps = tuple(range(1, weights.ndim - 1))
        bias = weights_of(graph, layer.bias) + removed.sum(taps) @ offsets
        put_weights(graph, layer.bias, bias)


def estimate(moments: Moments, lost: Array) -> tuple[Array, Array]:
    """Lost channels as slopes [lost, kept] of the kept ones, and offsets [lost]."""
    mean = moments.mean
    if moments.covariance is None:
        return np.zeros((lost.sum(), (~lost).sum()), np.float32), mean[lost].astype(np.float32)
    kept = moments.covariance[np.ix_(~lost, ~lost)]
    ridge = RIDGE * max(float(moments.variance.mean()), 1e-12) * np.eye(len(kept))
    slopes = np.linalg.solve(kept + ridge, moments.covariance[np.ix_(~lost, lost)]).T
    return slopes.astype(np.float32), (mean[lost] - slopes @ mean[~lost]).astype(np.float32)


def own_biases(graph: Graph) -> None:
    """Gives each float layer a bias that no other op reads: a shared one ties channels together."""
    reads = Counter(t for op in graph.ops for t in graph.op_inputs(op))
    producers = graph.producers()
    for op in graph.ops:
        kind = graph.kind(op)
        if kind not in BIAS:
            continue
        given = graph.op_inputs(op)
        if graph.type(given[1]) != "FLOAT32" or storage(graph, given[1], producers) is None:
            continue
        given += [NO_TENSOR] * (BIAS[kind] + 1 - len(given))
        old = given[BIAS[kind]]
        if old != NO_TENSOR and (reads[old] == 1 or storage(graph, old, producers) is None):
            continue
        count = graph.shape(given[1])[OUTPUT_CHANNELS[kind]]
        values = np.zeros(count, np.float32) if old == NO_TENSOR else weights_of(graph, old)
        given[BIAS[kind]] = graph.add_tensor(f"{graph.name(graph.op_outputs(op)[0])}/bias", values.shape)
        graph.set_constant(given[BIAS[kind]], values)
        op.inputs = given
