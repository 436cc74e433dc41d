"""Convolutions behind one another, high enough to run as chains of rows."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder

from .conv import bias, weights
from .harness import Case, Draw, differential, dtype_of

OPS = (
    ("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D"),
    ("CONV_2D", "DEPTHWISE_CONV_2D"),
    ("DEPTHWISE_CONV_2D", "CONV_2D"),
    ("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D"),
)


@differential("CHAIN", "int8", "int8_channel", "uint8", "float32", absolute=1e-3, relative=1e-4)
def chain(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    batch = d.pick("batch", (1, 1, 2))
    height, width = d.integer("height", 40, 150), d.integer("width", 1, 9)
    depth = d.integer("depth", 1, 20)
    q = d.quantization("x", kind)
    shape = (batch, height, width, depth)
    x = g.input(shape, dtype_of(kind), **q)
    first = d.values(shape, kind)
    for i, op in enumerate(d.pick("ops", OPS)):
        depthwise = op == "DEPTHWISE_CONV_2D"
        size = d.pick(f"filter_{i}", (3, 3, 5, 2) if depthwise else (1, 1, 1, 3))
        padding = d.pick(f"padding_{i}", ("SAME", "SAME", "VALID"))
        stride = d.pick(f"stride_{i}", (1, 1, 2))
        dilation = d.pick(f"dilation_{i}", (1, 1, 2)) if stride == 1 else 1
        extent = (size - 1) * dilation + 1
        if width < extent:
            padding = d.note(f"padding_{i}", "SAME")
        multiplier = d.pick(f"multiplier_{i}", (1, 1, 2)) if depthwise else 1
        out = depth * multiplier if depthwise else d.integer(f"out_{i}", 1, 33)
        filter_shape = (1, size, size, out) if depthwise else (out, size, size, depth)
        w, w_scale = weights(d, g, filter_shape, kind, axis=3 if depthwise else 0, zero_points=False)
        b = bias(d, g, out, q.get("scale"), w_scale, optional=False)
        terms = size * size * (1 if depthwise else depth)
        middle = 1.0 if w_scale is None else q["scale"] * float(np.median(np.abs(w_scale))) * 40 * terms**0.5
        height, width = (
            -(-n // stride) if padding == "SAME" else -(-(n - extent + 1) // stride) for n in (height, width)
        )
        q = d.quantization(f"y_{i}", kind, middle, 1)
        y = g.tensor((batch, height, width, out), dtype_of(kind), **q)
        options = {"depthMultiplier": multiplier} if depthwise else {}
        g.op(
            op, [x, w, *b], [y],
            padding=padding, strideH=stride, strideW=stride,
            dilationHFactor=dilation, dilationWFactor=dilation,
            fusedActivationFunction=d.pick(f"activation_{i}", ("NONE", "RELU6")), **options,
        )  # fmt: skip
        x, depth = y, out
    return Case(g, [x], [first])
