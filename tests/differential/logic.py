"""Comparisons, what is done with bools and bits, and what chooses by them."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from .elementwise import binary, broadcast_shapes
from .harness import Case, Draw, differential, dtype_of, quantized

ORDERED = ("int8", "uint8", "float32", "half", "int16", "int32", "int64")


def compared(d: Draw, kind: str, shape: tuple[int, ...], like: np.ndarray[Any, Any] | None = None) -> Any:
    """Values that are equal to those of `like` now and then."""
    values = d.values(shape, kind)
    if like is not None and like.size and d.chance("alike", 0.5):
        values = np.where(d.rng.random(shape) < 0.5, like.ravel()[0], values).astype(values.dtype)
    return values


def comparison(d: Draw, op: str, kind: str, codes: bool) -> Case:
    """`codes`: the op looks at the scales of such a type."""
    left, right = broadcast_shapes(d, 4)  # the reference broadcasts no more axes
    qa = {**d.quantization("qa", kind), "scale": d.scale(2.0**-6, 5)} if codes else {}
    same = d.chance("same_quantization", 0.3)
    qb = qa if same or not codes else {**d.quantization("qb", kind), "scale": d.scale(qa["scale"], 1)}
    for q in (qa, qb):
        if q:
            q["scale"] = min(q["scale"], 0.99)
    a = compared(d, kind, left)
    b = compared(d, kind, right, a)
    g = GraphBuilder()
    x = g.input(left, dtype_of(kind), **qa)
    z = g.constant(b, **qb) if d.chance("constant", 0.4) else g.input(right, dtype_of(kind), **qb)
    y = g.tensor((), "bool")
    g.op(op, [x, z], [y])
    return Case(g, [y], [a, b])


@differential("EQUAL", *ORDERED, "bool")
def equal(d: Draw, kind: str) -> Case:
    return comparison(d, "EQUAL", kind, quantized(kind) and (kind != "int16" or d.chance("scaled", 0.5)))


@differential("NOT_EQUAL", *ORDERED, "bool")
def not_equal(d: Draw, kind: str) -> Case:
    return comparison(d, "NOT_EQUAL", kind, quantized(kind))


def order(op: str) -> None:
    @differential(op, *ORDERED)
    def make(d: Draw, kind: str) -> Case:
        return comparison(d, op, kind, quantized(kind) and (kind != "int16" or d.chance("scaled", 0.5)))


for name in ("LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"):
    order(name)


def plain(d: Draw, op: str, kind: str, a: Any, b: Any) -> Case:
    return binary(d, op, kind, a, b, ({}, {}, {}), activation=False)


@differential("LOGICAL_AND", "bool")
def logical_and(d: Draw, kind: str) -> Case:
    left, right = broadcast_shapes(d, 4)
    return plain(d, "LOGICAL_AND", kind, d.values(left, kind), d.values(right, kind))


@differential("LOGICAL_OR", "bool")
def logical_or(d: Draw, kind: str) -> Case:
    left, right = broadcast_shapes(d, 4)
    return plain(d, "LOGICAL_OR", kind, d.values(left, kind), d.values(right, kind))


@differential("LOGICAL_NOT", "bool")
def logical_not(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 0, 5)
    x, y = g.input(shape, "bool"), g.tensor((), "bool")
    g.op("LOGICAL_NOT", [x], [y])
    return Case(g, [y], [d.values(shape, kind)])


BITS = ("int8", "uint8", "int16", "uint16", "int32", "uint32")


def bits(d: Draw, shape: tuple[int, ...], kind: str) -> np.ndarray[Any, Any]:
    info = np.iinfo(kind)
    return d.rng.integers(info.min, info.max, shape, kind, endpoint=True)


@differential("BITWISE_XOR", *BITS)
def bitwise_xor(d: Draw, kind: str) -> Case:
    left, right = broadcast_shapes(d, 4)
    return plain(d, "BITWISE_XOR", kind, bits(d, left, kind), bits(d, right, kind))


@differential("RIGHT_SHIFT", *BITS)
def right_shift(d: Draw, kind: str) -> Case:
    left, right = broadcast_shapes(d, 4)
    wide = d.chance("wide", 0.3)
    low = 0 if kind.startswith("u") else -3
    by = bits(d, right, kind) if wide else d.rng.integers(low, 36, right).astype(kind)
    return plain(d, "RIGHT_SHIFT", kind, bits(d, left, kind), by)


SIZES = {"int8": 1, "uint8": 1, "int16": 2, "int32": 4, "uint32": 4, "float32": 4, "int64": 8}


@differential("BITCAST", *SIZES)
def bitcast(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    to = d.pick("to", [t for t in SIZES if t != "float32"])  # NaNs of other bits would be equal
    shape = d.shape("shape", 0, 4)
    if SIZES[to] > SIZES[kind]:
        shape = (*shape, SIZES[to] // SIZES[kind])
    x, y = g.input(shape, kind), g.tensor((), to)
    g.op("BITCAST", [x], [y])
    return Case(g, [y], [d.values(shape, kind)])


MOVED = (
    *("int8", "uint8", "int16", "uint16", "float32", "half", "float64"),
    *("int32", "uint32", "int64", "bool", "complex64"),
)


def select(d: Draw, op: str, kind: str, shapes: list[tuple[int, ...]]) -> Case:
    g = GraphBuilder()
    q = d.quantization("q", kind) if quantized(kind) else {}
    d.note("shapes", shapes)
    kinds = ("bool", kind, kind)
    inputs = [g.input(s, dtype_of(k), **(q if i else {})) for i, (s, k) in enumerate(zip(shapes, kinds))]
    y = g.tensor(shapes[1] if op == "SELECT" else (7,), dtype_of(kind), **q)
    g.op(op, inputs, [y])
    return Case(g, [y], [d.values(s, k) for s, k in zip(shapes, kinds)])


@differential("SELECT", *MOVED)
def select_v1(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 5)
    condition = d.pick("condition", (shape, shape, (), shape[:1]))
    return select(d, "SELECT", kind, [condition, shape, shape])


@differential("SELECT_V2", *MOVED)
def select_v2(d: Draw, kind: str) -> Case:
    full = d.shape("shape", 1, 5)
    shapes = []
    for _ in range(3):
        kept = [n if d.rng.random() < 0.7 else 1 for n in full]
        shapes.append(tuple(kept[int(d.rng.integers(len(full))) if d.rng.random() < 0.2 else 0 :]))
    return select(d, "SELECT_V2", kind, shapes)
