"""Binary ops with broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from .harness import ACTIVATIONS, Case, Draw, differential, dtype_of, quantized


def broadcast_shapes(d: Draw, high: int = 5) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes: equal, or one with axes of 1 or left out, or a scalar."""
    full = d.shape("shape", 1, high)
    form = d.pick("broadcast", ("equal", "equal", "ones", "both", "shorter", "one"))
    if form == "equal":
        return full, full
    if form == "one":
        pair = full, (1,) * int(d.rng.integers(1, len(full) + 1))
    elif form == "shorter":
        pair = full, full[int(d.rng.integers(1, len(full) + 1)) :] or (1,)
    else:
        left = d.rng.random(len(full)) < (0.3 if form == "both" else 0)
        right = ~left & (d.rng.random(len(full)) < 0.5)
        pair = (
            tuple(1 if one else n for n, one in zip(full, left)),
            tuple(1 if one else n for n, one in zip(full, right)),
        )
    swap = d.chance("swap", 0.5)
    return d.note("shapes", pair[::-1] if swap else pair)  # type: ignore[no-any-return]


def binary(
    d: Draw, op: str, kind: str, a: np.ndarray[Any, Any], b: np.ndarray[Any, Any],
    quantizations: tuple[dict[str, Any], dict[str, Any], dict[str, Any]], activation: bool = True,
    **more: Any,
) -> Case:  # fmt: skip
    """The op on a and b, one of which may be a constant."""
    g = GraphBuilder()
    constant = d.pick("constant", ("none", "none", "a", "b"))
    operands, inputs = [], []
    for name, values, q in (("a", a, quantizations[0]), ("b", b, quantizations[1])):
        if constant == name:
            operands.append(g.constant(values, **q))
        else:
            operands.append(g.input(values.shape, values.dtype.name, **q))
            inputs.append(values)
    y = g.tensor((), dtype_of(kind), **quantizations[2])
    options = {"fusedActivationFunction": d.pick("activation", ACTIVATIONS)} if activation else {}
    g.op(op, operands, [y], **options, **more)
    return Case(g, [y], inputs)


def sum_like(op: str, d: Draw, kind: str) -> Case:
    left, right = broadcast_shapes(d)
    qa = d.quantization("qa", kind)
    qb = d.quantization("qb", kind, qa.get("scale", 1.0), 3)
    if qa and d.chance("same_scale", 0.2):
        qb = {**qb, "scale": qa["scale"]}
    qy = d.quantization("qy", kind, 1.5 * max(qa.get("scale", 1), qb.get("scale", 1)), 2)
    a, b = d.values(left, kind), d.values(right, kind)
    if kind != "int16":
        return binary(d, op, kind, a, b, (qa, qb, qy))
    # Scales that are all powers of two are shifted, unless the option says otherwise. LiteRT's shifts know no
    # broadcasting.
    shifts = d.chance("pot_scale_int16", 0.5)
    if shifts and d.chance("powers_of_two", 0.6):
        b = d.values(left, kind)
        qy["scale"] = 2.0 ** d.integer("exponent", -14, -2)
        qa["scale"], qb["scale"] = qy["scale"], qy["scale"] * 2.0 ** -d.integer("shift", 0, 12)
        if d.chance("second_is_greater", 0.5):
            qa, qb = qb, qa
    return binary(d, op, kind, a, b, (qa, qb, qy), potScaleInt16=shifts)


@differential("ADD", "half", absolute=1e-6, relative=1e-3)
@differential(
    "ADD", "int8", "uint8", "int16", "float32", "int32", "int64", "plain_int16", absolute=1e-6, relative=1e-6
)
def add(d: Draw, kind: str) -> Case:
    return sum_like("ADD", d, kind)


@differential("SUB", "int8", "uint8", "int16", "float32", "int32", "int64", absolute=1e-6, relative=1e-6)
def sub(d: Draw, kind: str) -> Case:
    return sum_like("SUB", d, kind)


@differential("MUL", "half", absolute=1e-6, relative=1e-3)
@differential(
    "MUL",
    "int8",
    "uint8",
    "int16",
    "float32",
    "int32",
    "int64",
    "plain_int16",
    "uint32",
    "complex64",
    relative=1e-6,
)
def mul(d: Draw, kind: str) -> Case:
    left, right = broadcast_shapes(d)
    qa, qb = d.quantization("qa", kind), d.quantization("qb", kind)
    codes = 60 if dtype_of(kind) != "int16" else 20000
    qy = d.quantization("qy", kind, codes * qa.get("scale", 1) * qb.get("scale", 1), 3)
    relu = kind not in ("uint32", "complex64")  # the reference clamps these to what it makes of -1 and 6
    return binary(d, "MUL", kind, d.values(left, kind), d.values(right, kind), (qa, qb, qy), activation=relu)


def without(values: np.ndarray[Any, Any], forbidden: float) -> np.ndarray[Any, Any]:
    """`values` where `forbidden` is replaced by its neighbour, for divisors."""
    low = np.iinfo(values.dtype).min if values.dtype.kind in "iu" else -np.inf
    neighbour = forbidden - 1 if forbidden > low else forbidden + 1
    return np.where(values == forbidden, np.array(neighbour, values.dtype), values)


@differential("DIV", "uint8", "float32", "int32", "int8", "int16", relative=1e-6)
def div(d: Draw, kind: str) -> Case:
    left, right = broadcast_shapes(d)
    qa, qb = d.quantization("qa", kind), d.quantization("qb", kind)
    qy = d.quantization("qy", kind, qa.get("scale", 1) / qb.get("scale", 1) / 8, 3)
    divisor = without(d.values(right, kind), qb.get("zero_point", 0))
    return binary(d, "DIV", kind, d.values(left, kind), divisor, (qa, qb, qy))


@differential("FLOOR_DIV", "int8", "int16", "int32", "float32", relative=1e-6)
def floor_div(d: Draw, kind: str) -> Case:
    left, right = broadcast_shapes(d)
    divisor = without(d.values(right, kind), 0)
    values = d.values(left, kind)
    if kind != "float32":  # the lowest integer divided by -1 is what the reference's compiler makes of it
        values = without(values, np.iinfo(kind).min)
    return binary(d, "FLOOR_DIV", kind, values, divisor, ({}, {}, {}), activation=False)


@differential("FLOOR_MOD", "int8", "int16", "int32", "int64", "float32", relative=1e-6)
def floor_mod(d: Draw, kind: str) -> Case:
    left, right = broadcast_shapes(d)
    divisor = without(d.values(right, kind), 0)
    return binary(d, "FLOOR_MOD", kind, d.values(left, kind), divisor, ({}, {}, {}), activation=False)


@differential("SQUARED_DIFFERENCE", "int8", "float32", "int32", absolute=1e-5, relative=1e-5)
def squared_difference(d: Draw, kind: str) -> Case:
    left, right = broadcast_shapes(d, 4)
    qa = d.quantization("qa", kind)
    qb = d.quantization("qb", kind, qa.get("scale", 1.0), 2)
    qy = d.quantization("qy", kind, 100 * max(qa.get("scale", 1), qb.get("scale", 1)) ** 2, 2)
    return binary(
        d,
        "SQUARED_DIFFERENCE",
        kind,
        d.values(left, kind),
        d.values(right, kind),
        (qa, qb, qy),
        activation=False,
    )


def extremum(op: str, d: Draw, kind: str) -> Case:
    left, right = broadcast_shapes(d)
    q = d.quantization("q", kind) if quantized(kind) else {}
    return binary(d, op, kind, d.values(left, kind), d.values(right, kind), (q, q, q), activation=False)


@differential("MINIMUM", "int8", "uint8", "int16", "float32", "int32", "int64", "half")
def minimum(d: Draw, kind: str) -> Case:
    return extremum("MINIMUM", d, kind)


@differential("MAXIMUM", "int8", "uint8", "int16", "float32", "int32", "int64", "half")
def maximum(d: Draw, kind: str) -> Case:
    return extremum("MAXIMUM", d, kind)


@differential("POW", "float32", "int32", relative=1e-5)
def power(d: Draw, kind: str) -> Case:
    left, right = broadcast_shapes(d, 4)
    base, exponent = d.values(left, kind), d.values(right, kind)
    if kind == "int32":
        base, exponent = (d.rng.integers(-9, 10, left, kind), d.rng.integers(0, 10, right, kind))
    return binary(d, "POW", kind, base, exponent, ({}, {}, {}), activation=False)


@differential("ATAN2", "half", absolute=1e-6, relative=1e-3)
@differential("ATAN2", "float32", "float64", absolute=1e-6)
def atan2(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 5)
    a, b = d.values(shape, kind), d.values(shape, kind)
    a.flat[::5] = 0
    b.flat[::7] = 0
    return binary(d, "ATAN2", kind, a, b, ({}, {}, {}), activation=False)


@differential("ADD_N", "float32", "int32", absolute=1e-5, relative=1e-5)
def add_n(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 0, 5)
    values = [d.values(shape, kind) for _ in range(d.integer("inputs", 2, 5))]
    y = g.tensor((), kind)
    g.op("ADD_N", [g.input(shape, kind) for _ in values], [y])
    return Case(g, [y], values)
