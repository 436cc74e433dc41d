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


@differential("RELU", "int8", "uint8", "int16", "float32")
def relu(d: Draw, kind: str) -> Case:
    return rescaling(d, "RELU", kind)


@differential("RELU6", "int8", "uint8", "int16", "float32")
def relu6(d: Draw, kind: str) -> Case:
    return rescaling(d, "RELU6", kind)


@differential("LEAKY_RELU", "int8", "uint8", "int16", "float32", relative=1e-6)
def leaky_relu(d: Draw, kind: str) -> Case:
    alpha = d.pick("alpha", (0.01, 0.1, 0.2, 0.25, 0.5, 1.0, 1.5, float(d.rng.uniform(0, 1))))
    return rescaling(d, "LEAKY_RELU", kind, alpha=alpha)


@differential("HARD_SWISH", "int8", "uint8", "float32", absolute=1e-6, relative=1e-6)
def hard_swish(d: Draw, kind: str) -> Case:
    return rescaling(d, "HARD_SWISH", kind)


def sigmoid_input(d: Draw, kind: str) -> dict[str, Any]:
    q = d.quantization("x", kind)
    if kind == "int16":  # LiteRT shifts codes of the first two, others it multiplies
        scale = d.pick("int16_scale", (2.0**-12, 2.0**-11, 2.0**-10, 2.0**-14, d.scale(2.0**-12, 5)))
        q["scale"] = float(np.float32(scale))
    return q


@differential("LOGISTIC", "int8", "uint8", "int16", "float32", "half", absolute=1e-6)
def logistic(d: Draw, kind: str) -> Case:
    q_out = {**d.quantization("y", kind), "scale": 1 / (32768 if kind == "int16" else 256)}
    return unary(d, "LOGISTIC", kind, sigmoid_input(d, kind), q_out if quantized(kind) else {})


@differential("TANH", "int8", "uint8", "int16", "float32", "half", absolute=1e-6)
def tanh(d: Draw, kind: str) -> Case:
    q_out = {**d.quantization("y", kind), "scale": 1 / (32768 if kind == "int16" else 128)}
    return unary(d, "TANH", kind, sigmoid_input(d, kind), q_out if quantized(kind) else {})


@differential("RELU_N1_TO_1", "int8", "uint8", "float32")
def relu_n1_to_1(d: Draw, kind: str) -> Case:
    return rescaling(d, "RELU_N1_TO_1", kind)


def root(d: Draw, op: str, kind: str) -> Case:
    q = d.quantization("x", kind)
    case = unary(d, op, kind, q, d.quantization("y", kind, 2.0**-8))
    if q:  # where the run fails for negative ones
        return Case(case.graph, case.outputs, [np.maximum(case.inputs[0], q["zero_point"])])
    return case  # half of the inputs are negative: NaN in both


@differential("SQRT", "float32", "int16", "int8", relative=1e-6)
def sqrt(d: Draw, kind: str) -> Case:
    return root(d, "SQRT", kind)


@differential("RSQRT", "float32", "int16", "int8", relative=1e-6)
def rsqrt(d: Draw, kind: str) -> Case:
    return root(d, "RSQRT", kind)


@differential("EXP", "float32", "int16", "int8", relative=1e-6)
def exp(d: Draw, kind: str) -> Case:
    return unary(d, "EXP", kind, d.quantization("x", kind, 2.0**-13), d.quantization("y", kind, 2.0**-10, 6))


@differential("LOG", "float32", "int16", "int8", absolute=1e-6, relative=1e-6)
def log(d: Draw, kind: str) -> Case:
    return unary(d, "LOG", kind, d.quantization("x", kind, 2.0**-10), d.quantization("y", kind, 2.0**-12))


@differential("ABS", "float32", "int32", "int16", "int8", "plain_int16")
def abs_(d: Draw, kind: str) -> Case:
    return rescaling(d, "ABS", kind)


@differential("NEG", "float32", "int8", "int16", "int32", "int64", "half")
def neg(d: Draw, kind: str) -> Case:
    return unary(d, "NEG", kind, {}, {})


@differential("SQUARE", "float32", relative=1e-6)
def square(d: Draw, kind: str) -> Case:
    return unary(d, "SQUARE", kind, {}, {})


@differential("FLOOR", "float32", "half")
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


@differential("PRELU", "int8", "uint8", "int16", "float32", relative=1e-6)
def prelu(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 2, 4)
    alpha_shape = d.pick("alpha", (shape[-1:], (*(1 for _ in shape[1:-1]), shape[-1]), shape[1:], shape))
    q = d.quantization("x", kind)
    alpha_kind = "int8" if kind == "int16" else kind
    q_alpha = d.quantization("alpha_q", alpha_kind, 2.0**-7, 2)
    x = g.input(shape, dtype_of(kind), **q)
    alpha = g.constant(d.values(alpha_shape, alpha_kind), **q_alpha)
    y = g.tensor((), dtype_of(kind), **d.quantization("y", kind, q.get("scale", 1), 2))
    g.op("PRELU", [x, alpha], [y])
    return Case(g, [y], [d.values(shape, kind)])


@differential("SOFTMAX", "half", absolute=2e-3)
@differential("SOFTMAX", "int8", "uint8", "int16", "int8_to_int16", "float32", absolute=1e-6)
def softmax(d: Draw, kind: str) -> Case:
    ends = {
        "int8": {"scale": 1 / 256, "zero_point": -128},
        "uint8": {"scale": 1 / 256, "zero_point": 0},
        "int16": {"scale": 1 / 32768, "zero_point": 0},
        "int8_to_int16": {"scale": 1 / 65536, "zero_point": -32768},
    }
    beta = d.pick("beta", (1.0, 1.0, 0.5, float(d.rng.uniform(0.1, 3))))
    q = d.quantization("x", kind)
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4, limit=600)
    shape = d.note("shape", (*shape[:-1], min(shape[-1], 250)))  # LiteRT aborts if a sum of exps reaches 256
    x = g.input(shape, dtype_of(kind), **q)
    y = g.tensor((), "int16" if kind == "int8_to_int16" else dtype_of(kind), **ends.get(kind, {}))
    g.op("SOFTMAX", [x], [y], beta=beta)
    return Case(g, [y], [d.values(shape, kind)])


@differential("QUANTIZE", "float32", "int8", "uint8", "int16", "int32")
def quantize(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4)
    pairs = {"int16": ("int8", "int16", "int32"), "int32": ("int8", "int16")}
    target = d.pick("to", pairs.get(kind, ("int8", "uint8", "int16")))
    q_in = d.quantization("x", kind)
    q_out = d.quantization("y", target, q_in.get("scale", 2.0**-5), 2)
    if kind == "int32":
        q_in = {"scale": d.scale(2.0**-12), "zero_point": d.integer("zero", -50, 50)}
        q_out["scale"] = d.scale(q_in["scale"] * 2.0**4, 4)
    if target == "int32":
        q_out = {"scale": d.scale(q_in["scale"] / 4, 6), "zero_point": d.integer("zero", -50, 50)}
    if kind == "int16" and target == "int8":
        q_out["scale"] = d.scale(q_in["scale"] * 2.0**8, 3)
    if q_in and d.chance("same_scale", 0.3):
        q_out["scale"] = q_in["scale"]
        if {target, kind} == {"int8", "uint8"} and d.chance("shifted_by_128", 0.7):
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


@differential("DEQUANTIZE", "int4")
def dequantize_int4(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4)
    axis = d.integer("axis", 0, len(shape) - 1)
    count = shape[axis] if d.chance("per_channel", 0.5) else 1
    scale = [d.scale() for _ in range(count)]
    x = g.constant_int4(d.rng.integers(-8, 8, shape), scale=scale, zero_point=[0] * count, axis=axis)
    floats, y = g.tensor(shape, "float32"), g.tensor((), "float32")
    g.op("DEQUANTIZE", [x], [floats])
    g.op("ADD", [floats, g.input(shape, "float32")], [y])
    return Case(g, [y], [d.values(shape, "float32")])


@differential("DEQUANTIZE", "int8", "uint8", "int16", "float16")
def dequantize(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4)
    source = "float16" if kind == "float16" else dtype_of(kind)
    x = g.input(shape, source, **d.quantization("x", kind))
    y = g.tensor((), "float32")
    g.op("DEQUANTIZE", [x], [y])
    return Case(g, [y], [d.values(shape, kind).astype(source)])


NUMBERS = (
    "float32",
    "float64",
    "half",
    "int32",
    "uint32",
    "int64",
    "int8",
    "uint8",
    "bool",
    "int16",
    "uint16",
    "complex64",
)


@differential("CAST", *NUMBERS)
def cast(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 5)
    target = d.pick("to", NUMBERS)
    values = d.values(shape, kind)
    if values.dtype.kind in "fc":  # beyond the target's range the C++ cast is undefined
        limit = 127 if target in ("int8", "uint8") else 30000
        real = np.clip(values.real * 10, 0 if target.startswith("u") else -limit, limit)
        values = (real + 1j * values.imag if kind == "complex64" else real).astype(dtype_of(kind))
    x, y = g.input(shape, dtype_of(kind)), g.tensor((), dtype_of(target))
    g.op("CAST", [x], [y], inDataType=dtype_of(kind), outDataType=dtype_of(target))
    return Case(g, [y], [values])


@differential("CAST", "by_half", "by_bfloat16")
def cast_and_back(d: Draw, kind: str) -> Case:
    """Rounding, of all floats that there are."""
    g = GraphBuilder()
    shape = d.shape("shape", 1, 3)
    short = {"by_half": "float16"}.get(kind, "bfloat16")
    values = d.rng.integers(0, 2**32, shape, np.uint32)
    if kind == "by_half":  # most of those are infinite or 0 as halves
        values = values & 0x8FFFFFFF | d.rng.integers(0x60, 0x90, shape).astype(np.uint32) << 23
    ties = d.rng.random(shape) < 0.3
    values = np.where(ties, values & 0xFFFF8000 if kind == "by_bfloat16" else values & 0xFFFFF000, values)
    x, between, y = g.input(shape, "float32"), g.tensor(shape, short), g.tensor((), "float32")
    g.op("CAST", [x], [between], inDataType="float32", outDataType=short)
    g.op("CAST", [between], [y], inDataType=short, outDataType="float32")
    return Case(g, [y], [values.view(np.float32)])


@differential("RELU_0_TO_1", "int8", "uint8", "float32")
def relu_0_to_1(d: Draw, kind: str) -> Case:
    return rescaling(d, "RELU_0_TO_1", kind)


@differential("ELU", "int8", "float32", absolute=1e-6, relative=1e-6)
def elu(d: Draw, kind: str) -> Case:
    return rescaling(d, "ELU", kind)


@differential("GELU", "half", absolute=2e-3, relative=2e-3)
@differential("GELU", "int8", "uint8", "int16", "float32", absolute=2e-6, relative=2e-6)
def gelu(d: Draw, kind: str) -> Case:
    return rescaling(d, "GELU", kind, approximate=d.chance("approximate", 0.5))


@differential("SIN", "float32", "half", absolute=1e-6)
def sin(d: Draw, kind: str) -> Case:
    return unary(d, "SIN", kind, {}, {})


@differential("COS", "float32", "half", absolute=1e-6)
def cos(d: Draw, kind: str) -> Case:
    return unary(d, "COS", kind, {}, {})


@differential("SIGN", "float32", "float64", "int32")
def sign(d: Draw, kind: str) -> Case:
    case = unary(d, "SIGN", kind, {}, {})
    case.inputs[0].flat[::3] = d.pick("special", (0, 1) if kind == "int32" else (0.0, -0.0, np.nan))
    return case


@differential("ROUND", "float32", "half")
def round_(d: Draw, kind: str) -> Case:
    case = unary(d, "ROUND", kind, {}, {})
    case.inputs[0].flat[::2] = np.round(2 * case.inputs[0].flat[::2]) / 2  # ties
    return case


@differential("CEIL", "float32")
def ceil(d: Draw, kind: str) -> Case:
    return unary(d, "CEIL", kind, {}, {})


@differential("ZEROS_LIKE", "float32", "int32", "int64")
def zeros_like(d: Draw, kind: str) -> Case:
    return unary(d, "ZEROS_LIKE", kind, {}, {})
