"""Lets the channels that stay stand in for those that go, before they do.

What a removed channel would have been is estimated from the others of the same pixel by linear
regression over samples, and that estimate is folded into the next layer's weights and bias. Where there
are too few samples for it, the mean alone is folded in. Padded borders are taken for inner pixels.
"""

from __future__ import annotations

import numpy as np

from edge_sdk.optimize.graph import BIAS, NO_TENSOR, Graph
from edge_sdk.optimize.prune.channels import Channels, Layer
from edge_sdk.optimize.prune.statistics import RIDGE, Moments, bias_of, consumers, put_weights, weights_of
from edge_sdk.types import Array


def compensate(graph: Graph, channels: Channels, gone: Array, moments: dict[int, Moments]) -> None:
    """Changes the weights of layers that look at units for which `gone` [1 + units] is set."""
    for layer in consumers(channels):
        assert layer.inputs is not None
        lost = gone[layer.inputs]
        if not lost.any() or lost.all() or layer.kind == "TRANSPOSE_CONV":  # whose pixels overlap
            continue
        slopes, offsets = estimate(moments[layer.op], lost)
        weights = weights_of(graph, layer.weights)
        removed = weights[..., lost]
        weights[..., ~lost] += removed @ slopes
        put_weights(graph, layer.weights, weights)
        taps = tuple(range(1, weights.ndim - 1))
        _put_bias(graph, layer, bias_of(graph, layer) + removed.sum(taps) @ offsets)


def estimate(moments: Moments, lost: Array) -> tuple[Array, Array]:
    """Lost channels as slopes [lost, kept] of the kept ones, and offsets [lost]."""
    mean = moments.mean
    if moments.covariance is None:
        return np.zeros((lost.sum(), (~lost).sum()), np.float32), mean[lost].astype(np.float32)
    kept = moments.covariance[np.ix_(~lost, ~lost)]
    ridge = RIDGE * max(float(moments.variance.mean()), 1e-12) * np.eye(len(kept))
    slopes = np.linalg.solve(kept + ridge, moments.covariance[np.ix_(~lost, lost)]).T
    return slopes.astype(np.float32), (mean[lost] - slopes @ mean[~lost]).astype(np.float32)


def _put_bias(graph: Graph, layer: Layer, bias: Array) -> None:
    if layer.bias != NO_TENSOR:
        put_weights(graph, layer.bias, bias)
        return
    op = graph.ops[layer.op]
    tensor = graph.add_tensor(f"{graph.name(layer.weights)}/bias", bias.shape)
    graph.set_constant(tensor, bias)
    op.inputs = [*graph.op_inputs(op)[: BIAS[layer.kind]], tensor]
