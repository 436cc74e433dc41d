"""Evens out the channels between two layers, so that one scale suits them all.

Where a convolution's output goes through nothing but a ReLU into another convolution, a channel can be
made smaller by a factor in the first and larger by it in the second: the float results stay the same.
(Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019.)
"""

from __future__ import annotations

import numpy as np

from edge_sdk.optimize.graph import NO_TENSOR, Graph
from edge_sdk.optimize.quantize.layers import Layer, float_layers
from edge_sdk.types import Array

_KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_STRAIGHT = (0, 1)  # fused activations for which f(s x) = s f(x), s > 0: none and ReLU
_ROUNDS = 4
_MOST = 64.0  # that a channel is changed by
_DEAD = 1e-5  # of the greatest weight, below which a channel does nothing


def equalize(graph: Graph) -> int:
    """Changes weights and biases in place; the number of pairs of layers that it found."""
    pairs = _pairs(graph)
    for _ in range(_ROUNDS):
        for first, second in pairs:
            _even_out(graph, first, second)
    return len(pairs)


def _pairs(graph: Graph) -> list[tuple[Layer, Layer]]:
    layers = {layer.position: layer for layer in float_layers(graph)}
    readers = graph.consumers()
    found = []
    for layer in layers.values():
        op = graph.ops[layer.position]
        (made,) = graph.op_outputs(op)
        after = readers.get(made, [])
        if layer.kind not in _KINDS or made in graph.outputs or len(after) != 1 or after[0] not in layers:
            continue
        second = layers[after[0]]
        if second.kind not in _KINDS or graph.op_inputs(graph.ops[after[0]])[0] != made:
            continue
        multiplied = (
            second.kind == "DEPTHWISE_CONV_2D" and graph.shape(second.weights)[3] != graph.shape(made)[3]
        )
        if (
            op.builtinOptions.fusedActivationFunction in _STRAIGHT
            and layer.own
            and second.own
            and not multiplied
        ):
            found.append((layer, second))
    return found


def _even_out(graph: Graph, first: Layer, second: Layer) -> None:
    before, after = graph.constant(first.weights), graph.constant(second.weights)
    bias = None if first.bias == NO_TENSOR else graph.constant(first.bias)
    if before is None or after is None:
        return
    made = np.abs(first.matrix(before)).max(axis=1)
    read = np.abs(after).max(axis=(0, 1, 2))  # of both kinds the last axis counts the channels that come in
    used = (made > _DEAD * made.max()) & (read > _DEAD * read.max())
    factor = np.ones_like(made)
    factor[used] = np.clip(np.sqrt(made[used] / read[used]), 1 / _MOST, _MOST)
    graph.set_constant(first.weights, _along(before, 1 / factor, first.axis))
    graph.set_constant(second.weights, _along(after, factor, 3))
    if bias is not None:
        graph.set_constant(first.bias, (bias / factor).astype(np.float32))


def _along(values: Array, factor: Array, axis: int) -> Array:
    shape = [1] * values.ndim
    shape[axis] = -1
    return np.asarray(values * factor.reshape(shape), np.float32)
