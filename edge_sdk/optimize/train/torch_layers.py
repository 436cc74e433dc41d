"""Convolutions, pools, products and resizing. Torch has channels first: `permute` only changes the view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.train.torch_node import Function, Node, register
from edge_sdk.optimize.train.torch_ops import picker
from edge_sdk.types import Array


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


@register("CONV_2D", "DEPTHWISE_CONV_2D")
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


@register("TRANSPOSE_CONV")
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


@register("MAX_POOL_2D", "AVERAGE_POOL_2D")
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


@register("FULLY_CONNECTED")
def _fully_connected(node: Node) -> Function:
    act, made = node.activation(), node.made()
    return lambda x, w, bias=None: act(F.linear(x.reshape(-1, w.shape[1]), w, bias)).reshape(made)


@register("BATCH_MATMUL")
def _batch_matmul(node: Node) -> Function:
    left, right = node.options.adjX, node.options.adjY
    return lambda a, b: (a.transpose(-1, -2) if left else a) @ (b.transpose(-1, -2) if right else b)


# Resizing, with the places and weights of the runtime.


@register("RESIZE_NEAREST_NEIGHBOR", one_input=True)
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
    return picker(node, [np.arange(batch), rows, columns, np.arange(channels)])


@register("RESIZE_BILINEAR", one_input=True)
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
