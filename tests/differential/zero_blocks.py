"""Convolutions and FULLY_CONNECTED of whose weights whole blocks are zero, as pruning leaves them."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from edge_sdk.backends import native

from .conv import bias
from .harness import Case, Draw, differential, dtype_of


def with_zero_blocks(
    rng: np.random.Generator, values: np.ndarray[Any, Any], share: float
) -> np.ndarray[Any, Any]:
    """`values`, output channels first and input channels last, without about `share` of their blocks."""
    blocks = [-(-n // size) for n, size in zip((values.shape[0], values.shape[-1]), native.sparse_block())]
    kept = rng.random((blocks[0], *values.shape[1:-1], blocks[1])) >= share
    for axis, size in zip((0, -1), native.sparse_block()):
        kept = kept.repeat(size, axis)
    return values * kept[: values.shape[0], ..., : values.shape[-1]]


def layer(d: Draw, g: GraphBuilder, x: int, q: dict[str, Any], shape: tuple[int, ...], share: float,
          out_shape: tuple[int, ...], op: str, **options: Any) -> tuple[int, dict[str, Any]]:  # fmt: skip
    """The output of one op and its quantization."""
    values = with_zero_blocks(d.rng, d.rng.integers(-127, 128, shape).astype(np.int8), share)
    scale = np.array([d.scale(2.0**-7, 2) for _ in range(shape[0])], np.float32)
    w = g.constant(values, scale=scale, axis=0)
    b = bias(d, g, shape[0], q["scale"], scale, optional=False)
    terms = float(np.prod(shape[1:])) * max(1 - share, 0.05)
    q = d.quantization("y", "int8", q["scale"] * float(np.median(scale)) * 40 * terms**0.5, 1)
    y = g.tensor(out_shape, "int8", **q)
    activation = d.pick(f"activation_{op}", ("NONE", "RELU6"))
    g.op(op, [x, w, *b], [y], fusedActivationFunction=activation, **options)
    return y, q


@differential("ZERO_BLOCKS", "int8")
def zero_blocks(d: Draw, kind: str) -> Case:
    """3x3, pointwise, pointwise again (high enough for a chain of rows), then all pixels as rows."""
    g = GraphBuilder()
    batch, height, width = d.pick("batch", (1, 1, 2)), d.integer("height", 1, 60), d.integer("width", 1, 9)
    depth = d.pick("depth", (8, 16, 20, 64))
    q = d.quantization("x", kind)
    first = d.values((batch, height, width, depth), kind)
    x = g.input(first.shape, dtype_of(kind), **q)
    for i, size in enumerate((3, 1, 1)):
        out = d.pick(f"out_{i}", (8, 16, 40, 64, 80))
        share = d.pick(f"zeros_{i}", (0.0, 0.4, 0.6, 0.9, 1.0))
        x, q = layer(
            d, g, x, q, (out, size, size, depth), share, (batch, height, width, out), "CONV_2D",
            padding="SAME", strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1,
        )  # fmt: skip
        depth = out
    out = d.pick("out_rows", (1, 16, 70))
    rows = batch * height * width
    y, _ = layer(d, g, x, q, (out, depth), d.pick("zeros_rows", (0.4, 0.8)), (rows, out), "FULLY_CONNECTED")
    return Case(g, [y], [first])
