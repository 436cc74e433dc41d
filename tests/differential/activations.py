"""Unary functions, SOFTMAX, and the ops between number formats."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from .harness import Case, Draw, differential, dtype_of, quantized


def unary(d: Draw, op: str, kind: str, q_in: dict[str, Any], q_out: dict[str, Any], **options: Any) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 5, limit=600)
    x = g.input(shape, dtype_of(kind), **q_in)
    y = g.tensor((), dtype_of(kind), **q_out)
    g.op(op, [x], [y], **options)
    return Case(g, [y], [d.values(shape, kind)])


def rescaling(d: Draw, op: str, kind: str, **options: Any) -> Case:
    q = d.quantization("x", kind)
    return unary(d, op, kind, q, d.quantization("y", kind, q.get("scale", 1), 2), **options)


@differential("RELU", "int8", "uint8", "float32")
def relu(d: Draw, kind: str) -> Case:
    return rescaling(d, "RELU", kind)


@differential("RELU6", "int8", "uint8", "float32")
def relu6(d: Draw, kind: str) -> Case:
    return rescaling(d, "RELU6", kind)


@differential("LEAKY_RELU", "int8", "uint8", "float32", relative=1e-6)
def leaky_relu(d: Draw, kind: str) -> Case:
    alpha = d.pick("alpha", (0.01, 0.1, 0.2, 0.25, 0.5, 1.0, 1.5, float(d.rng.uniform(0, 1))))
    return rescaling(d, "LEAKY_RELU", kind, alpha=alpha)


@differential("HARD_SWISH", "int8", "uint8", "float32", absolute=1e-6, relative=1e-6)
def hard_swish(d: Draw, kind: str) -> Case:
    return rescaling(d, "HARD_SWISH", kind)


@differential("LOGISTIC", "int8", "uint8", "float32", absolute=1e-6)
def logistic(d: Draw, kind: str) -> Case:
    q_out = {**d.quantization("y", kind), "scale": 1 / 256} if quantized(kind) else {}
    return unary(d, "LOGISTIC", kind, d.quantization("x", kind), q_out)


@differential("TANH", "int8", "uint8", "float32", absolute=1e-6)
def tanh(d: Draw, kind: str) -> Case:
    q_out = {**d.quantization("y", kind), "scale": 1 / 128} if quantized(kind) else {}
    return unary(d, "TANH", kind, d.quantization("x", kind), q_out)


@differential("RELU_N1_TO_1", "int8", "uint8", "float32")
def relu_n1_to_1(d: Draw, kind: str) -> Case:
    return rescaling(d, "RELU_N1_TO_1", kind)


@differential("SQRT", "float32", relative=1e-6)
def sqrt(d: Draw, kind: str) -> Case:
    return unary(d, "SQRT", kind, {}, {})  # half of the inputs are negative: NaN in both


@differential("RSQRT", "float32", relative=1e-6)
def rsqrt(d: Draw, kind: str) -> Case:
    return unary(d, "RSQRT", kind, {}, {})


@differential("EXP", "float32", relative=1e-6)
def exp(d: Draw, kind: str) -> Case:
    return unary(d, "EXP", kind, {}, {})


@differential("LOG", "float32", absolute=1e-6, relative=1e-6)
def log(d: Draw, kind: str) -> Case:
    return unary(d, "LOG", kind, {}, {})


@differential("ABS", "float32", "int32")
def abs_(d: Draw, kind: str) -> Case:
    return unary(d, "ABS", kind, {}, {})


@differential("NEG", "float32", "int32", "int64")
def neg(d: Draw, kind: str) -> Case:
    return unary(d, "NEG", kind, {}, {})


@differential("SQUARE", "float32", relative=1e-6)
def square(d: Draw, kind: str) -> Case:
    return unary(d, "SQUARE", kind, {}, {})


@differential("FLOOR", "float32")
def floor(d: Draw, kind: str) -> Case:
    return unary(d, "FLOOR", kind, {}, {})


@differential("L2_NORMALIZATION", "int8", "uint8", "float32", absolute=1e-6)
def l2_normalization(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 2, 4, limit=600)
    x = g.input(shape, dtype_of(kind), **d.quantization("x", kind))
    ends = {"int8": {"scale": 1 / 128, "zero_point": 0}, "uint8": {"scale": 1 / 128, "zero_point": 128}}
    y = g.tensor((), dtype_of(kind), **ends.get(kind, {}))
    g.op("L2_NORMALIZATION", [x], [y])
    return Case(g, [y], [d.values(shape, kind)])


@differential("PRELU", "int8", "uint8", "float32", relative=1e-6)
def prelu(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 2, 4)
    alpha_shape = d.pick("alpha", (shape[-1:], (*(1 for _ in shape[1:-1]), shape[-1]), shape[1:], shape))
    q = d.quantization("x", kind)
    q_alpha = d.quantization("alpha_q", kind, 2.0**-7, 2)
    x = g.input(shape, dtype_of(kind), **q)
    alpha = g.constant(d.values(alpha_shape, kind), **q_alpha)
    y = g.tensor((), dtype_of(kind), **d.quantization("y", kind, q.get("scale", 1), 2))
    g.op("PRELU", [x, alpha], [y])
    return Case(g, [y], [d.values(shape, kind)])


@differential("SOFTMAX", "int8", "uint8", "float32", absolute=1e-6)
def softmax(d: Draw, kind: str) -> Case:
    ends = {"int8": {"scale": 1 / 256, "zero_point": -128}, "uint8": {"scale": 1 / 256, "zero_point": 0}}
    beta = d.pick("beta", (1.0, 1.0, 0.5, float(d.rng.uniform(0.1, 3))))
    q = d.quantization("x", kind)
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4, limit=600)
    shape = d.note("shape", (*shape[:-1], min(shape[-1], 250)))  # LiteRT aborts if a sum of exps reaches 256
    x = g.input(shape, dtype_of(kind), **q)
    y = g.tensor((), dtype_of(kind), **ends.get(kind, {}))
    g.op("SOFTMAX", [x], [y], beta=beta)
    return Case(g, [y], [d.values(shape, kind)])


@differential("QUANTIZE", "float32", "int8", "uint8")
def quantize(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4)
    target = d.pick("to", ("int8", "uint8"))
    q_in = d.quantization("x", kind)
    q_out = d.quantization("y", target, q_in.get("scale", 2.0**-5), 2)
    if q_in and d.chance("same_scale", 0.3):
        q_out["scale"] = q_in["scale"]
        if target != kind and d.chance("shifted_by_128", 0.7):
            low = d.integer("low", 0, 255)
            q_in["zero_point"], q_out["zero_point"] = (low - 128, low) if kind == "int8" else (low, low - 128)
    x = g.input(shape, dtype_of(kind), **q_in)
    y = g.tensor((), target, **q_out)
    g.op("QUANTIZE", [x], [y])
    values = d.values(shape, kind)
    if kind == "float32" and d.chance("ties", 0.5):
        values = (d.rng.integers(-400, 400, shape) * np.float32(q_out["scale"] / 2)).astype(np.float32)
    if kind == "float32" and d.chance("infinite", 0.1):
        extreme = np.float32(d.rng.choice([np.inf, -np.inf, np.nan, 1e30]))
        values = np.where(d.rng.random(shape) < 0.2, extreme, values)
    return Case(g, [y], [values])


@differential("DEQUANTIZE", "int8", "uint8", "float16")
def dequantize(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4)
    source = "float16" if kind == "float16" else dtype_of(kind)
    x = g.input(shape, source, **d.quantization("x", kind))
    y = g.tensor((), "float32")
    g.op("DEQUANTIZE", [x], [y])
    return Case(g, [y], [d.values(shape, kind).astype(source)])


NUMBERS = ("float32", "int32", "int64", "int8", "uint8", "bool", "int16")


@differential("CAST", *NUMBERS)
def cast(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 5)
    target = d.pick("to", NUMBERS)
    values = d.values(shape, kind)
    if kind == "float32":  # beyond the target's range the C++ cast is undefined
        limit = 127 if target in ("int8", "uint8") else 30000
        values = np.clip(values * 10, 0 if target == "uint8" else -limit, limit)
    x = g.input(shape, kind)
    y = g.tensor((), target)
    g.op("CAST", [x], [y], inDataType=kind, outDataType=target)
    return Case(g, [y], [values])
