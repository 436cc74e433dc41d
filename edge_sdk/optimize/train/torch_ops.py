"""What each operator of a float `.tflite` graph computes, as torch functions of one sample.

`MAKERS[kind](node)` gives a function of the tensors that the node reads. Shapes and axes are those of the
file, channels last, batch axis included; `torch_graph` maps the whole over a batch of samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
import torch
from torch.nn import functional as F

from edge_sdk.errors import ModelError
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.graph import Graph
from edge_sdk.types import Array

Function = Callable[..., Any]
MAKERS: dict[str, Callable[[Node], Function]] = {}
ONE_INPUT: set[str] = set()  # kinds whose other inputs are shapes, axes and the like


@dataclass(frozen=True)
class Node:
    """One operator of the file."""

    graph: Graph
    op: Any
    kind: str

    @property
    def options(self) -> Any:
        return self.op.builtinOptions

    def shape(self, i: int = 0) -> tuple[int, ...]:
        """Of input `i`."""
        return self.graph.shape(self.graph.op_inputs(self.op)[i])

    def made(self) -> tuple[int, ...]:
        """The shape of the first output."""
        return self.graph.shape(self.graph.op_outputs(self.op)[0])

    def numbers(self, i: int) -> list[int]:
        """The integers of input `i`, which has to be constant."""
        tensor = self.graph.op_inputs(self.op)[i]
        values = self.graph.constant(tensor)
        if values is None:
            raise ModelError(f"{self.kind}: input {i} '{self.graph.name(tensor)}' is computed, not constant")
        return [int(n) for n in values.reshape(-1)]

    def axes(self, i: int) -> list[int]:
        return [axis % len(self.shape()) for axis in self.numbers(i)]

    def activation(self) -> Function:
        """What is fused behind the operator."""
        code = self.options.fusedActivationFunction
        enum = tflite_file.schema().ActivationFunctionType
        for name, function in _FUSED.items():
            if code == getattr(enum, name):
                return function
        raise ModelError(f"{self.kind}: fused activation {code} cannot be trained")


def _op(*kinds: str, one_input: bool = False) -> Callable[[Callable[[Node], Function]], Any]:
    def register(maker: Callable[[Node], Function]) -> Callable[[Node], Function]:
        MAKERS.update(dict.fromkeys(kinds, maker))
        if one_input:
            ONE_INPUT.update(kinds)
        return maker

    return register


# Activations and other functions of single elements.

_FUSED: dict[str, Function] = {
    "NONE": lambda x: x,
    "RELU": F.relu,
    "RELU6": lambda x: x.clamp(0, 6),
    "RELU_N1_TO_1": lambda x: x.clamp(-1, 1),
    "TANH": torch.tanh,
}
_PLAIN: dict[str, Function] = {
    "RELU": F.relu,
    "RELU6": _FUSED["RELU6"],
    "RELU_N1_TO_1": _FUSED["RELU_N1_TO_1"],
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


@_op("SOFTMAX")
def _softmax(node: Node) -> Function:
    beta = node.options.beta
    return lambda x: F.softmax(x * beta, -1)


@_op("LEAKY_RELU")
def _leaky_relu(node: Node) -> Function:
    alpha = node.options.alpha
    return lambda x: F.leaky_relu(x, alpha)


@_op("GELU")
def _gelu(node: Node) -> Function:
    approximate = "tanh" if node.options.approximate else "none"
    return lambda x: F.gelu(x, approximate=approximate)


# Convolutions, pools and products. Torch has channels first: `permute` only changes the view.


def _first(x: Any) -> Any:
    return x.permute(0, 3, 1, 2)


def _last(x: Any) -> Any:
    return x.permute(0, 2, 3, 1)


def _margins(node: Node, window: Sequence[int], strides: Sequence[int]) -> tuple[int, int, int, int]:
    """Padding on the left, right, top and bottom: what SAME lacks, the odd pixel behind."""
    if node.options.padding == tflite_file.schema().Padding.VALID:
        return 0, 0, 0, 0
    made, given = node.made()[1:3], node.shape()[1:3]
    rows, columns = (
        max((out - 1) * stride + size - length, 0)
        for out, stride, size, length in zip(made, strides, window, given)
    )
    return columns // 2, columns - columns // 2, rows // 2, rows - rows // 2


@_op("CONV_2D", "DEPTHWISE_CONV_2D")
def _convolution(node: Node) -> Function:
    o, act = node.options, node.activation()
    strides, dilation = (o.strideH, o.strideW), (o.dilationHFactor, o.dilationWFactor)
    weights = node.shape(1)
    window = [(n - 1) * d + 1 for n, d in zip(weights[1:3], dilation)]
    left, right, top, bottom = _margins(node, window, strides)
    even = left == right and top == bottom
    depthwise = node.kind == "DEPTHWISE_CONV_2D"
    groups = node.shape()[3] if depthwise else node.shape()[3] // weights[3]
    order = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)

    def run(x: Any, w: Any, bias: Any = None) -> Any:
        x = _first(x)
        if not even:
            x = F.pad(x, (left, right, top, bottom))
        padding = (top, left) if even else 0
        return act(_last(F.conv2d(x, w.permute(order), bias, strides, padding, dilation, groups)))

    return run


@_op("TRANSPOSE_CONV")
def _transpose_conv(node: Node) -> Function:
    o, act = node.options, node.activation()
    strides, window = (o.strideH, o.strideW), node.shape(1)[1:3]
    rows, columns = node.made()[1:3]
    same = o.padding == tflite_file.schema().Padding.SAME
    # The places outside of the output, half of them before it: SAME as seen from the output.
    top, left = (
        max((-(-out // stride) - 1) * stride + size - out, 0) // 2 if same else 0
        for out, stride, size in zip((rows, columns), strides, window)
    )

    def run(_: Any, w: Any, x: Any, bias: Any = None) -> Any:
        whole = F.conv_transpose2d(_first(x), w.permute(3, 0, 1, 2), None, strides)
        missing = (0, max(left + columns - whole.shape[3], 0), 0, max(top + rows - whole.shape[2], 0))
        found = _last(F.pad(whole, missing)[:, :, top : top + rows, left : left + columns])
        return act(found if bias is None else found + bias)

    return run


@_op("MAX_POOL_2D", "AVERAGE_POOL_2D")
def _pool(node: Node) -> Function:
    o, act = node.options, node.activation()
    window, strides = (o.filterHeight, o.filterWidth), (o.strideH, o.strideW)
    margins = _margins(node, window, strides)
    if node.kind == "MAX_POOL_2D":
        return lambda x: act(
            _last(F.max_pool2d(F.pad(_first(x), margins, value=float("-inf")), window, strides))
        )
    # The mean of the places that lie inside: padding does not count.
    inside = F.avg_pool2d(F.pad(torch.ones(1, 1, *node.shape()[1:3]), margins), window, strides)
    return lambda x: act(_last(F.avg_pool2d(F.pad(_first(x), margins), window, strides) / inside))


@_op("FULLY_CONNECTED")
def _fully_connected(node: Node) -> Function:
    act, made = node.activation(), node.made()
    return lambda x, w, bias=None: act(F.linear(x.reshape(-1, w.shape[1]), w, bias)).reshape(made)


@_op("BATCH_MATMUL")
def _batch_matmul(node: Node) -> Function:
    left, right = node.options.adjX, node.options.adjY
    return lambda a, b: (a.transpose(-1, -2) if left else a) @ (b.transpose(-1, -2) if right else b)


# Reductions.


@_op("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", one_input=True)
def _reduction(node: Node) -> Function:
    function = {"MEAN": torch.mean, "SUM": torch.sum, "REDUCE_MAX": torch.amax, "REDUCE_MIN": torch.amin}
    reduce, axes, keep = function[node.kind], node.axes(1), node.options.keepDims
    return lambda x: reduce(x, axes, keep)


# What only moves elements.


@_op("RESHAPE", "SQUEEZE", "EXPAND_DIMS", one_input=True)
def _reshape(node: Node) -> Function:
    made = node.made()
    return lambda x: x.reshape(made)


@_op("TRANSPOSE", one_input=True)
def _transpose(node: Node) -> Function:
    order = node.numbers(1)
    return lambda x: x.permute(order)


@_op("PAD", "PADV2", one_input=True)
def _pad(node: Node) -> Function:
    value = 0.0
    if node.kind == "PADV2":
        given = node.graph.constant(node.graph.op_inputs(node.op)[2])
        if given is None:
            raise ModelError("PADV2: the value is computed, not constant")
        value = float(given.reshape(-1)[0])
    widths = np.array(node.numbers(1)).reshape(-1, 2)[::-1].reshape(-1).tolist()  # torch: last axis first
    return lambda x: F.pad(x, widths, value=value)


@_op("MIRROR_PAD", one_input=True)
def _mirror_pad(node: Node) -> Function:
    reflect = node.options.mode == tflite_file.schema().MirrorPadMode.REFLECT
    widths = np.array(node.numbers(1)).reshape(-1, 2).tolist()
    mode: Any = "reflect" if reflect else "symmetric"
    places = [np.pad(np.arange(n), pair, mode) for n, pair in zip(node.shape(), widths)]
    return _picker(node, places)


@_op("STRIDED_SLICE", one_input=True)
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
    pick = _picker(node, places)
    return lambda x: pick(x).reshape(made)


@_op("SLICE", one_input=True)
def _slice(node: Node) -> Function:
    ends = zip(node.numbers(1), node.made())
    return _picker(node, [np.arange(begin, begin + size) for begin, size in ends])


def _picker(node: Node, places: Sequence[Array]) -> Function:
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


@_op("CONCATENATION")
def _concatenation(node: Node) -> Function:
    axis, act = node.options.axis, node.activation()
    return lambda *parts: act(torch.cat(parts, axis))


@_op("PACK")
def _pack(node: Node) -> Function:
    axis = node.options.axis
    return lambda *parts: torch.stack(parts, axis)


@_op("UNPACK", one_input=True)
def _unpack(node: Node) -> Function:
    axis = node.options.axis
    return lambda x: x.unbind(axis)


@_op("SPLIT")
def _split(node: Node) -> Function:
    axis, count = node.numbers(0)[0], node.options.numSplits
    return lambda _, x: x.chunk(count, axis)


@_op("SPLIT_V", one_input=True)
def _split_v(node: Node) -> Function:
    axis = node.numbers(2)[0]
    outputs = node.graph.op_outputs(node.op)
    sizes = [node.graph.shape(t)[axis] for t in outputs]
    return lambda x: x.split(sizes, axis)


@_op("GATHER")
def _gather(node: Node) -> Function:
    if node.options.batchDims:
        raise ModelError("GATHER: batch axes cannot be trained")
    axis, made = node.options.axis, node.made()
    return lambda x, where: x.index_select(axis, where.reshape(-1).long()).reshape(made)


# Resizing, with the places and weights of the runtime.


@_op("RESIZE_NEAREST_NEIGHBOR", one_input=True)
def _resize_nearest(node: Node) -> Function:
    o = node.options

    def places(given: int, made: int) -> Array:
        index = np.arange(made, dtype=np.float32)
        scale = _scale(given, made, o.alignCorners)
        at = (index + np.float32(0.5 if o.halfPixelCenters else 0)) * scale
        at = np.floor(at + np.float32(0.5)) if o.alignCorners else np.floor(at)
        found: Array = np.clip(at, 0, given - 1).astype(np.int64)
        return found

    rows, columns = (places(g, m) for g, m in zip(node.shape()[1:3], node.made()[1:3]))
    batch, *_, channels = node.shape()
    return _picker(node, [np.arange(batch), rows, columns, np.arange(channels)])


@_op("RESIZE_BILINEAR", one_input=True)
def _resize_bilinear(node: Node) -> Function:
    rows, columns = _bilinear(node)

    def along(x: Any, axis: int, way: tuple[Any, Any, Any]) -> Any:
        low, high, share = way
        share = share.reshape(-1, *[1] * (3 - axis))
        return x.index_select(axis, low) * (1 - share) + x.index_select(axis, high) * share

    return lambda x: along(along(x, 1, rows), 2, columns)


def _bilinear(node: Node) -> Iterator[tuple[Any, Any, Any]]:
    o = node.options
    for given, made in zip(node.shape()[1:3], node.made()[1:3]):
        half = np.float32(0.5 if o.halfPixelCenters else 0)
        at = (np.arange(made, dtype=np.float32) + half) * _scale(given, made, o.alignCorners) - half
        low = np.clip(np.floor(at), 0, given - 1)
        high = np.clip(np.ceil(at), 0, given - 1)
        share = np.where(low == high, 0, at - low).astype(np.float32)
        yield (
            torch.from_numpy(low.astype(np.int64)),
            torch.from_numpy(high.astype(np.int64)),
            torch.from_numpy(share),
        )


def _scale(given: int, made: int, corners: bool) -> np.float32:
    less = 1 if corners and made > 1 else 0
    scale: np.float32 = np.float32(given - less) / np.float32(made - less)
    return scale
