"""Fourier transforms and complex numbers."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from builders import GraphBuilder

from .harness import Case, Draw, differential


def complex_values(d: Draw, shape: tuple[int, ...], dtype: str = "complex64") -> np.ndarray[Any, Any]:
    values = (d.values(shape, "float32") + 1j * d.values(shape, "float32")).astype(dtype)
    if values.size and d.chance("extremes", 0.3):
        values.flat[0] = d.pick("extreme", (1e30 + 1e30j, complex(np.inf, 1), complex(np.nan, 2), 0, 1e-30j))
    return values


# Transforms sum up to 64 * 256 numbers of a size around 8, and LiteRT adds them in another order.
@differential("RFFT2D", "float32", absolute=2e-4, relative=1e-5)
def rfft2d(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    height = d.pick("height", (1, 1, 2, 4, 8, 64))
    width = d.pick("width", (2, 4, 8, 16, 64, 256))
    lead = d.shape("lead", 0, 2, 12)
    shape = d.note("shape", (*lead, d.integer("rows", 1, height + 2), d.integer("columns", 1, width + 3)))
    x = g.input(shape, "float32")
    y = g.tensor((), "complex64")
    g.op("RFFT2D", [x, g.constant(np.array([height, width], np.int32))], [y])
    return Case(g, [y], [d.values(shape, "float32")])


def part(op: str, d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 0, 4)
    x = g.input(shape, kind)
    y = g.tensor(shape, "float32" if kind == "complex64" else "float64")
    g.op(op, [x], [y])
    return Case(g, [y], [complex_values(d, shape, kind)])


for name in ("COMPLEX_ABS", "REAL", "IMAG"):
    differential(name, "complex64", "complex128", relative=1e-7)(partial(part, name))


CASTS = ("float32", "int32", "int64", "uint8", "int16", "bool", "complex64")


@differential("CAST", "to_complex64", "of_complex64")
def cast(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 0, 4)
    other = d.pick("other", CASTS)
    source, target = (other, "complex64") if kind == "to_complex64" else ("complex64", other)
    x, y = g.input(shape, source), g.tensor(shape, target)
    g.op("CAST", [x], [y], inDataType=source, outDataType=target)
    if source != "complex64":
        return Case(g, [y], [d.values(shape, source)])
    # Numbers that every target holds: what others become is the CPU's choice in LiteRT.
    values = d.rng.uniform(0, 127, shape) + 1j * d.rng.uniform(0, 127, shape)
    return Case(g, [y], [values.astype(np.complex64)])
