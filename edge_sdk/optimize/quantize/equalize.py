"""Evens out the channels between two layers, so that one scale suits them all.

Where a convolution's output goes through nothing but a ReLU into another convolution, a channel can be
made smaller by a factor in the first and larger by it in the second: the float results stay the same.
(Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019.) The factors
are chosen for the values between the two, as far as these reach over samples. They cost nothing in the
first layer, which has a scale a channel, nor in a depthwise second. In another second layer they make the
weights of one output uneven, so there channels go a part of the way (as in Xiao et al., SmoothQuant, 2023).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.graph import NO_TENSOR, Graph
from edge_sdk.optimize.quantize.calibrate import watch
from edge_sdk.optimize.quantize.layers import Layer, float_layers
from edge_sdk.types import Array

_KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_RELU6 = 3
_ROOM = 1.25  # for values beyond those of the samples, before a ReLU6 clips them
# Fused activations for which f(s x) = s f(x), s > 0: none, ReLU, and ReLU6 for what stays below 6.
_STRAIGHT = (0, 1, _RELU6)
_PART = 0.75  # of the way, where the reader has one scale for all channels that come in
_MOST = 64.0  # that a channel is changed by
_DEAD = 1e-5  # of the greatest value, below which a channel does nothing


def equalize(graph: Graph, reach: Mapping[str, Array]) -> int:
    """Changes weights and biases in place; the number of pairs of layers that it found.

    `reach`: name of a tensor -> the greatest value of each channel over samples.
    """
    pairs = [(first, second) for first, second in _pairs(graph) if _made(graph, first) in reach]
    for first, second in pairs:
        _even_out(graph, first, second, reach[_made(graph, first)])
    return len(pairs)


def channel_reach(graph: Graph, model: bytes, samples: Samples) -> dict[str, Array]:
    """What `equalize` needs to know."""
    names = {_made(graph, first) for first, _ in _pairs(graph)}
    found: dict[str, Array] = {}
    for values in watch(model, samples):
        for name in names & values.keys():
            peaks = np.abs(values[name]).reshape(-1, values[name].shape[-1]).max(axis=0)
            found[name] = np.maximum(found.get(name, peaks), peaks)
    return found


def _made(graph: Graph, layer: Layer) -> str:
    return graph.name(graph.op_outputs(graph.ops[layer.position])[0])


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


def _even_out(graph: Graph, first: Layer, second: Layer, reach: Array) -> None:
    before, after = graph.constant(first.weights), graph.constant(second.weights)
    bias = None if first.bias == NO_TENSOR else graph.constant(first.bias)
    if before is None or after is None:
        return
    read = np.abs(after).max(axis=(0, 1, 2))  # of both kinds the last axis counts the channels that come in
    used = (reach > _DEAD * reach.max()) & (read > _DEAD * read.max())
    if not used.any():
        return
    factor = np.ones_like(reach)
    clipped = graph.ops[first.position].builtinOptions.fusedActivationFunction == _RELU6
    factor[used] = np.minimum(reach[used] / (6 / _ROOM if clipped else reach[used].max()), 1)
    if second.kind == "CONV_2D":  # whose weights have one scale for all channels that come in
        factor[used] = factor[used] ** _PART
    factor = np.maximum(factor, 1 / _MOST)
    graph.set_constant(first.weights, _along(before, 1 / factor, first.axis))
    graph.set_constant(second.weights, _along(after, factor, 3))
    if bias is not None:
        graph.set_constant(first.bias, (bias / factor).astype(np.float32))


def _along(values: Array, factor: Array, axis: int) -> Array:
    shape = [1] * values.ndim
    shape[axis] = -1
    return np.asarray(values * factor.reshape(shape), np.float32)
