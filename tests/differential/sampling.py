"""Ops that choose, count or draw, and normalizations of their neighbourhood."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from .activations import unary
from .harness import ACTIVATIONS, Case, Draw, differential, dtype_of, quantized


@differential("LOG_SOFTMAX", "int8", "uint8", "float32", absolute=2e-5, relative=1e-5)
def log_softmax(d: Draw, kind: str) -> Case:
    q_out = {"scale": 1 / 16, "zero_point": 127 if kind == "int8" else 255} if quantized(kind) else {}
    return unary(d, "LOG_SOFTMAX", kind, d.quantization("x", kind, 2.0**-4, 5), q_out)


@differential("L2_POOL_2D", "float32", absolute=1e-5, relative=1e-5)
def l2_pool_2d(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.note("shape", (d.pick("batch", (1, 2)), *(int(n) for n in d.rng.integers(1, 10, 3))))
    padding = d.pick("padding", ("SAME", "VALID"))
    most = [n if padding == "VALID" else n + 2 for n in shape[1:3]]
    x, y = g.input(shape, kind), g.tensor((), kind)
    g.op(
        "L2_POOL_2D", [x], [y], padding=padding, fusedActivationFunction=d.pick("activation", ACTIVATIONS),
        filterHeight=d.integer("filter_h", 1, min(4, most[0])), strideH=d.integer("stride_h", 1, 3),
        filterWidth=d.integer("filter_w", 1, min(4, most[1])), strideW=d.integer("stride_w", 1, 3),
    )  # fmt: skip
    return Case(g, [y], [d.values(shape, kind)])


@differential("LOCAL_RESPONSE_NORMALIZATION", "float32", absolute=1e-6, relative=1e-5)
def local_response_normalization(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.note("shape", (d.pick("batch", (1, 2)), *(int(n) for n in d.rng.integers(1, 12, 3))))
    x, y = g.input(shape, kind), g.tensor((), kind)
    g.op(
        "LOCAL_RESPONSE_NORMALIZATION", [x], [y], radius=d.integer("radius", 0, 6),
        bias=float(d.rng.uniform(0.5, 2)), alpha=float(d.rng.uniform(0, 1)), beta=float(d.rng.uniform(0, 1)),
    )  # fmt: skip
    return Case(g, [y], [d.values(shape, kind)])


@differential("FAKE_QUANT", "float32", absolute=1e-6, relative=1e-6)
def fake_quant(d: Draw, kind: str) -> Case:
    low, high = float(-(2.0 ** d.rng.uniform(-3, 3))), float(2.0 ** d.rng.uniform(-3, 3))
    if d.chance("one_sided", 0.3):
        low = 0.0
    return unary(d, "FAKE_QUANT", kind, {}, {}, min=low, max=high, numBits=d.pick("bits", (2, 8, 8, 16)))


@differential("BUCKETIZE", "float32", "float64", "int32", "int64")
def bucketize(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4)
    values = d.values(shape, kind)
    bounds = np.sort(d.values((d.integer("bounds", 1, 12),), kind).astype(np.float32))
    if d.chance("on_bounds", 0.5):
        values.flat[::2] = bounds[0].astype(kind)
    x, y = g.input(shape, kind), g.tensor((), "int32")
    g.op("BUCKETIZE", [x], [y], boundaries=bounds.tolist())
    return Case(g, [y], [values])


def suppression(d: Draw, op: str, soft: bool) -> Case:
    g = GraphBuilder()
    count = d.integer("boxes", 1, 30)
    boxes = d.rng.uniform(0, 1, (count, 4)).astype(np.float32)
    if d.chance("small", 0.5):
        boxes[:, 2:] = boxes[:, :2] + d.rng.uniform(0, 0.3, (count, 2)).astype(np.float32)
    scores = d.rng.permutation(np.linspace(0.01, 0.99, count)).astype(np.float32)
    parameters: list[Any] = [np.array(d.integer("limit", 0, count + 3), np.int32)]
    parameters.append(np.array(d.pick("iou", (0.1, 0.3, 0.5, 0.9)), np.float32))
    parameters.append(np.array(d.pick("score", (0.0, 0.2, 0.5)), np.float32))
    if soft:
        parameters.append(np.array(d.pick("sigma", (0.0, 0.3, 1.0)), np.float32))
    inputs = [g.input(boxes.shape, "float32"), g.input(scores.shape, "float32")]
    outputs = [g.tensor((), t) for t in (("int32", "float32", "int32") if soft else ("int32", "int32"))]
    g.op(op, [*inputs, *(g.constant(p) for p in parameters)], outputs)
    return Case(g, outputs, [boxes, scores])


@differential("NON_MAX_SUPPRESSION_V4", "float32")
def non_max_suppression_v4(d: Draw, kind: str) -> Case:
    return suppression(d, "NON_MAX_SUPPRESSION_V4", False)


@differential("NON_MAX_SUPPRESSION_V5", "float32", absolute=1e-6)
def non_max_suppression_v5(d: Draw, kind: str) -> Case:
    return suppression(d, "NON_MAX_SUPPRESSION_V5", True)


def drawn(d: Draw, op: str) -> Case:
    g = GraphBuilder()
    shape = np.array(d.shape("shape", 0, 4), np.int32)
    y, z, x = g.tensor((), "float32"), g.tensor((), "float32"), g.input((1,), "float32")
    g.op(op, [g.constant(shape)], [y], seed=d.integer("seed", 1, 2**40), seed2=d.integer("seed2", 0, 2**40))
    g.op("ADD", [y, x], [z])
    return Case(g, [z], [np.zeros(1, np.float32)])


@differential("RANDOM_UNIFORM", "float32")
def random_uniform(d: Draw, kind: str) -> Case:
    return drawn(d, "RANDOM_UNIFORM")


@differential("RANDOM_STANDARD_NORMAL", "float32", absolute=1e-5)
def random_standard_normal(d: Draw, kind: str) -> Case:
    return drawn(d, "RANDOM_STANDARD_NORMAL")


@differential("MULTINOMIAL", "float32")
def multinomial(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    logits = d.values((d.integer("rows", 1, 4), d.integer("classes", 1, 12)), kind)
    if d.chance("impossible", 0.3):
        logits.flat[:: d.integer("every", 2, 5)] = -np.inf
    y = g.tensor((), d.pick("output", ("int32", "int64")))
    samples = g.constant(np.array(d.integer("samples", 1, 30), np.int32))
    x = g.input(logits.shape, kind)
    g.op("MULTINOMIAL", [x, samples], [y], seed=d.integer("seed", 1, 2**40), seed2=d.integer("seed2", 0, 99))
    return Case(g, [y], [logits])


@differential("WHERE", "bool", "float32", "int8", "uint8", "int32", "uint32", "int64")
def where(d: Draw, kind: str) -> Case:
    """Of a constant; the shape is not known otherwise."""
    g = GraphBuilder()
    values = d.values(d.shape("shape", 1, 4), kind)
    values.flat[:: d.integer("every", 1, 3)] = 0
    y, z, zero = g.tensor((), "int64"), g.tensor((), "int64"), g.input((1,), "int64")
    g.op("WHERE", [g.constant(values)], [y])
    g.op("ADD", [y, zero], [z])
    return Case(g, [z], [np.zeros(1, np.int64)])


@differential("UNIQUE", "float32", "int8", "uint8", "int16", "int32", "int64")
def unique(d: Draw, kind: str) -> Case:
    """Of a constant, as WHERE."""
    g = GraphBuilder()
    count = d.integer("count", 1, 40)
    if kind == "float32":
        values = d.rng.integers(-4, 5, count).astype(np.float32) / 2
    else:
        values = d.rng.integers(0, 9, count).astype(kind)
    index = d.pick("index", ("int32", "int64"))
    x = g.constant(values)
    y, i, c, z = (
        g.tensor((), dtype_of(kind)),
        g.tensor((), index),
        g.tensor((), "int32"),
        g.input((1,), index),
    )
    j = g.tensor((), index)
    g.op("UNIQUE", [x], [y, i], idxOutType=index)
    g.op("CAST", [y], [c], outDataType="int32")
    g.op("ADD", [i, z], [j])
    return Case(g, [c, j], [np.zeros(1, index)])
