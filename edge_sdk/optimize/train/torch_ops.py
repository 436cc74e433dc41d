"""What works on single elements, along an axis, or only moves elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
import torch
from torch.nn import functional as F

from edge_sdk.errors import ModelError
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.train.torch_node import FUSED, MAKERS, Function, Node, register
from edge_sdk.types import Array

_PLAIN: dict[str, Function] = {
    "RELU": F.relu,
    "RELU6": FUSED["RELU6"],
    "RELU_N1_TO_1": FUSED["RELU_N1_TO_1"],
    "RELU_0_TO_1": lambda x: x.clamp(0, 1),
    "LOGISTIC": torch.sigmoid,
    "TANH": torch.tanh,
    "HARD_SWISH": lambda x: x * (x + 3).clamp(0, 6) / 6,
    "ELU": F.elu,
    "EXP": torch.exp,
    "LOG": torch.log,
    "SQRT": torch.sqrt,
    "RSQRT": torch.rsqrt,
    "SQUARE": torch.square,
    "ABS": torch.abs,
    "NEG": torch.neg,
    "LOG_SOFTMAX": lambda x: F.log_softmax(x, -1),
    "L2_NORMALIZATION": lambda x: x / x.square().sum(-1, keepdim=True).clamp_min(1e-12).sqrt(),
    "PRELU": lambda x, slope: torch.where(x >= 0, x, x * slope),
    "MAXIMUM": torch.maximum,
    "MINIMUM": torch.minimum,
    "POW": torch.pow,
    "SQUARED_DIFFERENCE": lambda a, b: (a - b).square(),
    "DEQUANTIZE": lambda x: x,  # of float16 constants, which `torch_graph` holds as float32
    "CAST": lambda x: x.float(),  # to float32; `torch_graph` lets no other through
}
for _kind, _function in _PLAIN.items():
    MAKERS[_kind] = lambda node, function=_function: function  # type: ignore[misc]


def _arithmetic(function: Function) -> Callable[[Node], Function]:
    def make(node: Node) -> Function:
        act = node.activation()
        return lambda a, b: act(function(a, b))

    return make


MAKERS["ADD"] = _arithmetic(torch.add)
MAKERS["SUB"] = _arithmetic(torch.sub)
MAKERS["MUL"] = _arithmetic(torch.mul)
MAKERS["DIV"] = _arithmetic(torch.div)


@register("SOFTMAX")
def _softmax(node: Node) -> Function:
    beta = node.options.beta
    return lambda x: F.softmax(x * beta, -1)


@register("LEAKY_RELU")
def _leaky_relu(node: Node) -> Function:
    alpha = node.options.alpha
    return lambda x: F.leaky_relu(x, alpha)


@register("GELU")
def _gelu(node: Node) -> Function:
    approximate = "tanh" if node.options.approximate else "none"
    return lambda x: F.gelu(x, approximate=approximate)


# Reductions.


@register("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", one_input=True)
def _reduction(node: Node) -> Function:
    function = {"MEAN": torch.mean, "SUM": torch.sum, "REDUCE_MAX": torch.amax, "REDUCE_MIN": torch.amin}
    reduce, axes, keep = function[node.kind], node.axes(1), node.options.keepDims
    return lambda x: reduce(x, axes, keep)


# What only moves elements.


@register("RESHAPE", "SQUEEZE", "EXPAND_DIMS", one_input=True)
def _reshape(node: Node) -> Function:
    made = node.made()
    return lambda x: x.reshape(made)


@register("TRANSPOSE", one_input=True)
def _transpose(node: Node) -> Function:
    order = node.numbers(1)
    return lambda x: x.permute(order)


@register("PAD", "PADV2", one_input=True)
def _pad(node: Node) -> Function:
    value = 0.0
    if node.kind == "PADV2":
        given = node.graph.constant(node.graph.op_inputs(node.op)[2])
        if given is None:
            raise ModelError("PADV2: the value is computed, not constant")
        value = float(given.reshape(-1)[0])
    widths = np.array(node.numbers(1)).reshape(-1, 2)[::-1].reshape(-1).tolist()  # torch: last axis first
    return lambda x: F.pad(x, widths, value=value)


@register("MIRROR_PAD", one_input=True)
def _mirror_pad(node: Node) -> Function:
    reflect = node.options.mode == tflite_file.schema().MirrorPadMode.REFLECT
    widths = np.array(node.numbers(1)).reshape(-1, 2).tolist()
    mode: Any = "reflect" if reflect else "symmetric"
    places = [np.pad(np.arange(n), pair, mode) for n, pair in zip(node.shape(), widths)]
    return picker(node, places)


@register("STRIDED_SLICE", one_input=True)
def _strided_slice(node: Node) -> Function:
    o, shape, made = node.options, node.shape(), node.made()
    if o.ellipsisMask or o.newAxisMask:
        raise ModelError("STRIDED_SLICE: ellipsis and new axes cannot be trained")
    bounds = zip(shape, *(node.numbers(i) for i in (1, 2, 3)))
    places = []
    for axis, (length, begin, end, step) in enumerate(bounds):
        bit = 1 << axis
        if o.shrinkAxisMask & bit:
            places.append(np.array([begin % length]))
            continue
        cut = slice(None if o.beginMask & bit else begin, None if o.endMask & bit else end, step)
        places.append(np.arange(length)[cut])
    places += [np.arange(n) for n in shape[len(places) :]]
    pick = picker(node, places)
    return lambda x: pick(x).reshape(made)


@register("SLICE", one_input=True)
def _slice(node: Node) -> Function:
    ends = zip(node.numbers(1), node.made())
    return picker(node, [np.arange(begin, begin + size) for begin, size in ends])


def picker(node: Node, places: Sequence[Array]) -> Function:
    """Along each axis those elements that `places` lists."""
    chosen = [
        (axis, torch.from_numpy(np.ascontiguousarray(where)))
        for axis, (where, length) in enumerate(zip(places, node.shape()))
        if not np.array_equal(where, np.arange(length))
    ]

    def run(x: Any) -> Any:
        for axis, where in chosen:
            x = x.index_select(axis, where)
        return x

    return run


@register("CONCATENATION")
def _concatenation(node: Node) -> Function:
    axis, act = node.options.axis, node.activation()
    return lambda *parts: act(torch.cat(parts, axis))


@register("PACK")
def _pack(node: Node) -> Function:
    axis = node.options.axis
    return lambda *parts: torch.stack(parts, axis)


@register("UNPACK", one_input=True)
def _unpack(node: Node) -> Function:
    axis = node.options.axis
    return lambda x: x.unbind(axis)


@register("SPLIT")
def _split(node: Node) -> Function:
    axis, count = node.numbers(0)[0], node.options.numSplits
    return lambda _, x: x.chunk(count, axis)


@register("SPLIT_V", one_input=True)
def _split_v(node: Node) -> Function:
    axis = node.numbers(2)[0]
    outputs = node.graph.op_outputs(node.op)
    sizes = [node.graph.shape(t)[axis] for t in outputs]
    return lambda x: x.split(sizes, axis)


@register("GATHER")
def _gather(node: Node) -> Function:
    if node.options.batchDims:
        raise ModelError("GATHER: batch axes cannot be trained")
    axis, made = node.options.axis, node.made()
    return lambda x, where: x.index_select(axis, where.reshape(-1).long()).reshape(made)
