"""Float inputs with 8-bit weights, and weights of 4 bits.

Kinds: "hybrid" (int8 weights with one scale), "hybrid_channel" (one a channel), "hybrid_uint8",
"hybrid_int4"; "int4" (int8 inputs).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from .conv import bias, extent, output
from .harness import ACTIVATIONS, SEAMS, Case, Draw, differential

HYBRID = ("hybrid", "hybrid_channel", "hybrid_int4")


def codes(
    d: Draw, g: GraphBuilder, shape: tuple[int, ...], kind: str, axis: int, channels: bool
) -> tuple[int, Any]:
    """A constant filter of few bits and its scales, one or one a channel."""
    count = shape[axis] if channels else 1
    scale = np.array([d.scale(2.0**-7, 3) for _ in range(count)], np.float32)
    if kind.endswith("int4"):
        values = d.rng.integers(-8, 8, shape)
        return g.constant_int4(values, scale=scale, axis=axis), scale
    # -128 overflows in the reference's SSE kernels; converters do not write it.
    values = np.maximum(d.values(shape, "int8"), -127)
    if kind == "hybrid_uint8":  # old files keep int8 codes under this name
        values = values.view(np.uint8)
    return g.constant(values, scale=scale, axis=axis), scale


def floats(d: Draw, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """About zero, of one sign, all zero now and then, with a row of zeros, or on edges between two codes."""
    values = d.values(shape, "float32")
    sort = d.rng.random()
    if sort < 0.2:
        values = np.abs(values) + np.float32(d.rng.random())
    elif sort < 0.3:
        values = -np.abs(values)
    elif sort < 0.35:
        values[...] = 0
    elif sort < 0.45:
        values[0] = 0
    elif sort < 0.65 and values.size > 2:
        low, high = (np.float32(d.rng.uniform(*ends)) for ends in ((-5, 0), (0.5, 5)))
        step = d.note("edges", d.pick("codes", ((high - low) / 255, max(-low, high) / 127)))
        values = ((d.rng.integers(int(low / step), int(high / step), shape) + 0.5) * step).astype(np.float32)
        values = (values.view(np.int32) + d.rng.integers(-2, 3, shape).astype(np.int32)).view(np.float32)
        values.flat[:2] = low, high
    return values


def ends(
    d: Draw, g: GraphBuilder, kind: str, scale: Any, x: dict[str, Any], channels: int, terms: int
) -> tuple[list[int], int]:
    """The biases, or none, and the output."""
    if kind == "int4":
        return bias(d, g, channels, x["scale"], scale, False), output(d, g, "int8", x["scale"], scale, terms)
    return [g.constant(d.values((channels,), "float32"))], g.tensor((), "float32")


def several(d: Draw, kind: str) -> bool:
    return kind == "hybrid_channel" or (kind.endswith("int4") and d.chance("per_channel", 0.6))


@differential("FULLY_CONNECTED", *HYBRID, "hybrid_uint8", "int4")
def fully_connected(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    depth, out = d.pick("depth", (*SEAMS, 130, 257)), d.pick("out", SEAMS)
    shape = (*d.shape("batch", 1, 3, limit=12), depth)
    q = d.quantization("x", "int8") if kind == "int4" else {}
    x = g.input(shape, "int8" if q else "float32", **q)
    w, scale = codes(d, g, (out, depth), kind, 0, several(d, kind))
    b, y = ends(d, g, kind, scale, q, out, depth)
    g.op(
        "FULLY_CONNECTED", [x, w, *(b if d.chance("bias", 0.7) else [])], [y],
        asymmetricQuantizeInputs=not q and kind != "hybrid_uint8" and d.chance("asymmetric", 0.5),
        fusedActivationFunction=d.pick("activation", ACTIVATIONS), keepNumDims=d.chance("keep", 0.4),
    )  # fmt: skip
    return Case(g, [y], [d.values(shape, "int8") if q else floats(d, shape)])


@differential("CONV_2D", *HYBRID, "int4")
def conv_2d(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    padding = d.pick("padding", ("SAME", "VALID"))
    stride_h, stride_w = (d.pick(f"stride_{a}", (1, 1, 2, 3)) for a in "hw")
    in_h, filter_h, dilation_h = extent(d, "h", padding, stride_h)
    in_w, filter_w, dilation_w = extent(d, "w", padding, stride_w)
    channels = several(d, kind)
    groups = d.pick("groups", (1, 1, 1, 2, 3)) if channels else 1
    depth = d.pick("filter_depth", SEAMS if groups == 1 else SEAMS[:8])
    out = groups * d.pick("out_per_group", SEAMS if groups == 1 else SEAMS[:8])
    if groups > 1 and out == groups == 1:
        out *= 2
    shape = (d.pick("batch", (1, 1, 1, 2, 3)), in_h, in_w, depth * groups)
    q = d.quantization("x", "int8") if kind == "int4" else {}
    x = g.input(shape, "int8" if q else "float32", **q)
    w, scale = codes(d, g, (out, filter_h, filter_w, depth), kind, 0, channels)
    b, y = ends(d, g, kind, scale, q, out, filter_h * filter_w * depth)
    g.op(
        "CONV_2D", [x, w, *b], [y],
        padding=padding, strideH=stride_h, strideW=stride_w,
        dilationHFactor=dilation_h, dilationWFactor=dilation_w,
        fusedActivationFunction=d.pick("activation", ACTIVATIONS),
    )  # fmt: skip
    return Case(g, [y], [d.values(shape, "int8") if q else floats(d, shape)])


@differential("DEPTHWISE_CONV_2D", "hybrid_channel", "int4")
def depthwise_conv_2d(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    padding = d.pick("padding", ("SAME", "VALID"))
    stride = d.pick("stride", (1, 1, 2, 3))
    in_h, filter_h, dilation_h = extent(d, "h", padding, stride)
    in_w, filter_w, dilation_w = extent(d, "w", padding, stride)
    depth, multiplier = d.pick("depth", SEAMS), d.pick("multiplier", (1, 1, 1, 2, 3, 8))
    out = depth * multiplier
    shape = (d.pick("batch", (1, 1, 2)), in_h, in_w, depth)
    q = d.quantization("x", "int8") if kind == "int4" else {}
    x = g.input(shape, "int8" if q else "float32", **q)
    w, scale = codes(d, g, (1, filter_h, filter_w, out), kind, 3, True)
    b, y = ends(d, g, kind, scale, q, out, filter_h * filter_w)
    g.op(
        "DEPTHWISE_CONV_2D", [x, w, *b], [y],
        padding=padding, strideH=stride, strideW=stride, depthMultiplier=multiplier,
        dilationHFactor=dilation_h, dilationWFactor=dilation_w,
        fusedActivationFunction=d.pick("activation", ACTIVATIONS),
    )  # fmt: skip
    return Case(g, [y], [d.values(shape, "int8") if q else floats(d, shape)])
