"""StableHLO's functions of two tensors of one shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from .harness import Case, Draw, differential, dtype_of
from .logic import bits

INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64")


def operands(d: Draw, kind: str) -> list[np.ndarray[Any, Any]]:
    shape = d.shape("shape", 0, 5)
    if kind in INTEGERS:
        return [bits(d, shape, kind) for _ in range(2)]
    return [d.values(shape, kind) for _ in range(2)]


def of_two(d: Draw, op: str, kind: str, values: list[np.ndarray[Any, Any]]) -> Case:
    g = GraphBuilder()
    y = g.tensor((), dtype_of(kind))
    g.op(op, [g.input(v.shape, dtype_of(kind)) for v in values], [y])
    return Case(g, [y], values)


def register(op: str, *kinds: str) -> None:
    @differential(op, *kinds)
    def make(d: Draw, kind: str) -> Case:
        return of_two(d, op, kind, operands(d, kind))


for name in ("ADD", "MULTIPLY", "MAXIMUM", "MINIMUM"):
    register(f"STABLEHLO_{name}", "float32", "float64", "half", *INTEGERS, "bool")
register("STABLEHLO_AND", *INTEGERS, "bool")


@differential("STABLEHLO_SHIFT_LEFT", "int8", "int16", "int32")
def shift_left(d: Draw, kind: str) -> Case:
    a, b = operands(d, kind)
    within = d.rng.integers(0, 8 * b.dtype.itemsize, b.shape)  # else the reference's compiler decides
    return of_two(d, "STABLEHLO_SHIFT_LEFT", kind, [a, np.asarray(within, kind)])
