"""Reductions along axes."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder

from .harness import Case, Draw, differential, dtype_of


def reduction(d: Draw, op: str, kind: str, factor: float | None) -> Case:
    """`factor`: how much coarser than the input the output is; None keeps its quantization."""
    g = GraphBuilder()
    shape = d.shape("shape", 1, 5, limit=1500)
    if d.chance("picture", 0.4):  # what classifiers do; LiteRT has a path of its own for it
        shape = d.note("shape", (d.pick("batch", (1, 2)), *(int(n) for n in d.rng.integers(1, 9, 3))))
        axes = [1, 2]
    else:
        count = int(d.rng.integers(1, len(shape) + 1))
        axes = [int(a) for a in d.rng.permutation(len(shape))[:count]]
        axes = [a - len(shape) if d.rng.random() < 0.3 else a for a in axes]
        if d.chance("axis_twice", 0.1):
            axes.append(axes[0])
    d.note("axes", axes)
    q = d.quantization("x", kind)
    same = factor is None or (bool(q) and d.chance("same_quantization", 0.3))
    q_out = q if same else d.quantization("y", kind, q.get("scale", 1) * factor, 2)
    x = g.input(shape, dtype_of(kind), **q)
    scalar = len(axes) == 1 and d.chance("scalar_axis", 0.3)
    axis = g.constant(np.array(axes[0] if scalar else axes, np.int32))
    y = g.tensor((), dtype_of(kind), **q_out)
    g.op(op, [x, axis], [y], keepDims=d.chance("keep_dims", 0.5))
    return Case(g, [y], [d.values(shape, kind)])


@differential("MEAN", "int8", "uint8", "int16", "float32", "int32", "int64", absolute=1e-5, relative=1e-5)
def mean(d: Draw, kind: str) -> Case:
    return reduction(d, "MEAN", kind, 0.5)


@differential("SUM", "uint8", "float32", "int32", "int64", absolute=1e-3, relative=1e-5)
def sum_(d: Draw, kind: str) -> Case:
    return reduction(d, "SUM", kind, 8)


@differential("REDUCE_MAX", "int8", "uint8", "int16", "float32", "int32", "int64", "bool")
def reduce_max(d: Draw, kind: str) -> Case:
    return reduction(d, "REDUCE_MAX", kind, None)


@differential("REDUCE_MIN", "int8", "uint8", "int16", "float32", "int32", "int64", "bool")
def reduce_min(d: Draw, kind: str) -> Case:
    return reduction(d, "REDUCE_MIN", kind, None)


def arg_extremum(d: Draw, op: str, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 5)
    x = g.input(shape, dtype_of(kind), **d.quantization("x", kind))
    axis = d.integer("axis", -len(shape), len(shape) - 1)
    axis_dtype = d.pick("axis_dtype", ("int32", "int64"))
    result = d.pick("output", ("int32", "int64"))
    y = g.tensor((), result)
    g.op(op, [x, g.constant(np.array(axis, axis_dtype))], [y], outputType=result)
    values = d.values(shape, kind)
    if kind != "bool" and d.chance("ties", 0.3):
        values = np.sign(values).astype(values.dtype)
    return Case(g, [y], [values])


@differential("ARG_MAX", "int8", "uint8", "float32", "int32", "bool")
def arg_max(d: Draw, kind: str) -> Case:
    return arg_extremum(d, "ARG_MAX", kind)


@differential("ARG_MIN", "int8", "uint8", "float32", "int32", "bool")
def arg_min(d: Draw, kind: str) -> Case:
    return arg_extremum(d, "ARG_MIN", kind)
