"""Convolutions and FULLY_CONNECTED."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from .harness import ACTIVATIONS, SEAMS, Case, Draw, differential, dtype_of, quantized

KINDS = ("int8", "int8_channel", "uint8", "int16", "float32", "float16")


def weights(
    d: Draw, g: GraphBuilder, shape: tuple[int, ...], kind: str, axis: int, zero_points: bool
) -> tuple[int, Any]:
    """A constant filter and its scale, an array (channels,) or (1,); zero points only if asked for."""
    channels = shape[axis]
    if not quantized(kind):
        values = d.values(shape, "float32") / 4
        if kind == "float32":
            return g.constant(values), None
        stored = g.constant(values.astype(np.float16))
        w = g.tensor(shape, "float32")
        g.op("DEQUANTIZE", [stored], [w])
        return w, None
    wide = dtype_of(kind) == "int16"
    count = channels if kind == "int8_channel" or (wide and d.chance("per_channel", 0.7)) else 1
    scale = np.array([d.scale(2.0**-7, 3) for _ in range(count)], np.float32)
    if kind == "int8_channel" and d.chance("scales_below_zero", 0.15):  # as some real files have them
        scale *= np.where(d.rng.random(count) < 0.3, -1, 1).astype(np.float32)
    zero_point: Any = 0
    if kind == "uint8":
        near = int(d.rng.integers(100, 156))
        zero_point = d.note("weight_zero_point", int(d.rng.choice([0, 255, 128, near, near, near])))
    elif zero_points and d.chance("weights_have_zero_points", 0.2):
        zero_point = d.rng.integers(-20, 21, count)
    values = d.values(shape, "int8" if kind == "int16" else dtype_of(kind))
    return g.constant(values, scale=scale, zero_point=zero_point, axis=axis), scale


def bias(
    d: Draw, g: GraphBuilder, channels: int, x_scale: float | None, w_scale: Any,
    optional: bool = True, dtype: str = "int32",
) -> list[int]:  # fmt: skip
    """The op's third input, or nothing."""
    if optional and not d.chance("bias", 0.7):
        return []
    if w_scale is None:
        return [g.constant(d.values((channels,), "float32"))]
    limit = 3000
    if dtype == "int64":  # now and then more than sums of 32 bits hold
        limit = d.pick("largest_bias", (1000000, 1000000, 2**31, 2**40))
    values = d.rng.integers(-limit, limit, channels).astype(dtype)
    return [g.constant(values, scale=np.float32(x_scale) * w_scale)]


def bias_type(d: Draw, kind: str, options: dict[str, Any]) -> str:
    """The biases' type. Of int16 it is also that of the sums, and `options` say so where it is int32."""
    if dtype_of(kind) != "int16":
        return "int32"
    dtype = str(d.pick("bias_type", ("int64", "int64", "int32")))
    # Unless they say so, the reference takes biases beside int16 weights for int32 whatever they are.
    if dtype == "int32" or kind == "int16_weights" or d.chance("bias_type_is_said", 0.3):
        options["quantizedBiasType"] = dtype
    return dtype


def output(d: Draw, g: GraphBuilder, kind: str, x_scale: float | None, w_scale: Any, terms: int) -> int:
    """An output whose scale puts sums of `terms` products about the range of the type."""
    middle = 1.0 if w_scale is None else float(x_scale * np.median(np.abs(w_scale))) * 40 * terms**0.5  # type: ignore[operator]
    return g.tensor((), dtype_of(kind), **d.quantization("y", kind, middle, 2))


def extent(d: Draw, name: str, padding: str, stride: int) -> tuple[int, int, int]:
    """(input size, filter size, dilation) of one axis; VALID leaves at least one output."""
    size = d.integer(f"in_{name}", 1, 14)
    filter_size = d.pick(f"filter_{name}", (1, 1, 2, 3, 3, 5))
    dilation = 1 if stride > 1 else d.pick(f"dilation_{name}", (1, 1, 2))
    if padding == "VALID":
        size = d.note(f"in_{name}", max(size, (filter_size - 1) * dilation + 1))
    return size, filter_size, dilation


@differential("CONV_2D", *KINDS, absolute=1e-4, relative=1e-5)
def conv_2d(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    padding = d.pick("padding", ("SAME", "VALID"))
    stride_h, stride_w = (d.pick(f"stride_{a}", (1, 1, 2, 3)) for a in "hw")
    in_h, filter_h, dilation_h = extent(d, "h", padding, stride_h)
    in_w, filter_w, dilation_w = extent(d, "w", padding, stride_w)
    groups = d.pick("groups", (1, 1, 1, 1, 2, 3))
    depth = d.pick("filter_depth", SEAMS if groups == 1 else SEAMS[:8])
    out = groups * d.pick("out_per_group", SEAMS if groups == 1 else SEAMS[:8])
    shape = (d.pick("batch", (1, 1, 1, 2)), in_h, in_w, depth * groups)
    q = d.quantization("x", kind)
    x = g.input(shape, dtype_of(kind), **q)
    w, w_scale = weights(d, g, (out, filter_h, filter_w, depth), kind, axis=0, zero_points=False)
    options: dict[str, Any] = {}
    dtype = bias_type(d, kind, options)
    # LiteRT rejects CONV_2D without one.
    b = bias(d, g, out, q.get("scale"), w_scale, optional=False, dtype=dtype)
    y = output(d, g, kind, q.get("scale"), w_scale, filter_h * filter_w * depth)
    g.op(
        "CONV_2D", [x, w, *b], [y],
        padding=padding, strideH=stride_h, strideW=stride_w,
        dilationHFactor=dilation_h, dilationWFactor=dilation_w,
        fusedActivationFunction=d.pick("activation", ACTIVATIONS), **options,
    )  # fmt: skip
    return Case(g, [y], [d.values(shape, kind)])


@differential("DEPTHWISE_CONV_2D", *KINDS, absolute=1e-4, relative=1e-5)
def depthwise_conv_2d(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    padding = d.pick("padding", ("SAME", "VALID"))
    stride = d.pick("stride", (1, 1, 2, 3))
    in_h, filter_h, dilation_h = extent(d, "h", padding, stride)
    in_w, filter_w, dilation_w = extent(d, "w", padding, stride)
    depth, multiplier = d.pick("depth", SEAMS), d.pick("multiplier", (1, 1, 1, 2, 3, 8))
    shape = (d.pick("batch", (1, 1, 2)), in_h, in_w, depth)
    q = d.quantization("x", kind)
    x = g.input(shape, dtype_of(kind), **q)
    out = depth * multiplier
    w, w_scale = weights(d, g, (1, filter_h, filter_w, out), kind, axis=3, zero_points=True)
    b = bias(d, g, out, q.get("scale"), w_scale, dtype="int64" if kind == "int16" else "int32")
    y = output(d, g, kind, q.get("scale"), w_scale, filter_h * filter_w)
    g.op(
        "DEPTHWISE_CONV_2D", [x, w, *b], [y],
        padding=padding, strideH=stride, strideW=stride, depthMultiplier=multiplier,
        dilationHFactor=dilation_h, dilationWFactor=dilation_w,
        fusedActivationFunction=d.pick("activation", ACTIVATIONS),
    )  # fmt: skip
    return Case(g, [y], [d.values(shape, kind)])


@differential("FULLY_CONNECTED", *KINDS, "int16_weights", absolute=1e-4, relative=1e-5)
def fully_connected(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    depth, out = d.pick("depth", (*SEAMS, 130, 257, 900)), d.pick("out", SEAMS)
    keep = d.chance("keep_num_dims", 0.4)
    batch = d.shape("batch", 1, 3, limit=12)
    shape = (*batch, depth)
    if not keep and d.chance("folded", 0.3):  # (n, 1, a, b) with a * b = depth
        shape = d.note("shape", (*batch, 1, depth))
    q = d.quantization("x", kind)
    x = g.input(shape, dtype_of(kind), **q)
    w, w_scale = weights(d, g, (out, depth), kind, axis=0, zero_points=True)
    options: dict[str, Any] = {}
    b = bias(d, g, out, q.get("scale"), w_scale, dtype=bias_type(d, kind, options))
    y = output(d, g, kind, q.get("scale"), w_scale, depth)
    activation = d.pick("activation", ACTIVATIONS)
    g.op("FULLY_CONNECTED", [x, w, *b], [y], keepNumDims=keep, fusedActivationFunction=activation, **options)
    return Case(g, [y], [d.values(shape, kind)])


@differential("TRANSPOSE_CONV", *KINDS, absolute=1e-4, relative=1e-5)
def transpose_conv(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    padding = d.pick("padding", ("SAME", "VALID"))
    sizes, filters, strides = [], [], []
    for a in "hw":
        strides.append(d.pick(f"stride_{a}", (1, 2, 2, 3, 4)))
        filters.append(d.pick(f"filter_{a}", (1, 2, 3, 4, 5)))
        size = d.integer(f"out_{a}", 1, 20)
        sizes.append(d.note(f"out_{a}", max(size, filters[-1]) if padding == "VALID" else size))
    depth, out = d.pick("depth", SEAMS), d.pick("out", SEAMS)
    batch = d.pick("batch", (1, 1, 2))
    cut = [0, 0] if padding == "SAME" else [f - 1 for f in filters]
    shape = (batch, *(-(-(n - c) // s) for n, c, s in zip(sizes, cut, strides)), depth)
    q = d.quantization("x", kind)
    x = g.input(shape, dtype_of(kind), **q)
    w, w_scale = weights(d, g, (out, *filters, depth), kind, axis=0, zero_points=kind == "int8")
    options: dict[str, Any] = {}
    b = bias(d, g, out, q.get("scale"), w_scale, dtype=bias_type(d, kind, options))
    y = output(d, g, kind, q.get("scale"), w_scale, max(1, depth * filters[0] * filters[1] // 4))
    extents = g.constant(np.array([batch, *sizes, out], np.int32))
    g.op(
        "TRANSPOSE_CONV", [extents, w, x, *b], [y],
        padding=padding, strideH=strides[0], strideW=strides[1],
        fusedActivationFunction=d.pick("activation", ACTIVATIONS), **options,
    )  # fmt: skip
    return Case(g, [y], [d.values(shape, kind)])
