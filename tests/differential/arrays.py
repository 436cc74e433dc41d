"""Ops that put elements elsewhere: by indices, by blocks, mirrored, reversed; and sums along axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from .harness import Case, Draw, differential, dtype_of, quantized
from .reduce import reduction
from .shape_ops import moving

MOVED = ("int8", "uint8", "int16", "float32", "int32", "int64", "bool")


def ints(values: Any, dtype: str = "int32") -> np.ndarray[Any, Any]:
    return np.array(values, dtype)


@differential("REVERSE_V2", *MOVED, "half")
def reverse_v2(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 5)
    first = d.integer("first", 0, len(shape) - 1)
    axes = list(range(first, d.integer("last", first, len(shape) - 1) + 1))  # the reference wants neighbours
    d.rng.shuffle(axes)
    axes = [a - len(shape) if d.rng.random() < 0.3 else a for a in axes]
    return moving(d, "REVERSE_V2", kind, shape, (ints(d.note("axes", axes)),))


@differential("REVERSE_SEQUENCE", "uint8", "int16", "float32", "int32", "int64")
def reverse_sequence(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 2, 5)
    along, batch = (int(a) for a in d.note("axes", d.rng.permutation(len(shape))[:2]))
    lengths = d.rng.integers(0, shape[along] + 1, shape[batch]).astype(d.pick("lengths", ("int32", "int64")))
    if lengths.size:
        lengths[:] = np.maximum(lengths, 1)
    x, y = g.input(shape, kind), g.tensor((), kind)
    n = g.input(lengths.shape, lengths.dtype.name)
    g.op("REVERSE_SEQUENCE", [x, n], [y], seqDim=along, batchDim=batch)
    return Case(g, [y], [d.values(shape, kind), lengths])


@differential("MIRROR_PAD", *MOVED, "half", "float64", "uint16", "uint32", "complex64")
def mirror_pad(d: Draw, kind: str) -> Case:
    mode = d.pick("mode", ("REFLECT", "SYMMETRIC"))
    shape = d.shape("shape", 1, 5, limit=150)
    most = [n - (mode == "REFLECT") for n in shape]
    pads = [[int(d.rng.integers(0, min(m, 3) + 1)) for _ in range(2)] for m in most]
    pads = [p if d.rng.random() < 0.7 else [0, 0] for p in pads]
    dtype = d.pick("paddings_dtype", ("int32", "int64"))
    return moving(d, "MIRROR_PAD", kind, shape, (ints(d.note("paddings", pads), dtype),), mode=mode)


@differential("SPACE_TO_BATCH_ND", *MOVED, "half", "float64", "uint16", "uint32", "complex64")
def space_to_batch_nd(d: Draw, kind: str) -> Case:
    axes = d.pick("axes", (1, 2))
    block = [int(n) for n in d.rng.integers(1, 4, axes)]
    pads = [[int(d.rng.integers(0, 4)), int(d.rng.integers(0, 4))] for _ in range(axes)]
    cells = [int(d.rng.integers(1, 4)) * b for b in block]
    for b, (before, after), i in zip(block, pads, range(axes)):
        while cells[i] <= before + after:
            cells[i] += b
        cells[i] -= before + after
    shape = d.note("shape", (d.pick("batch", (1, 2, 3)), *cells, d.pick("channels", (1, 2, 5))))
    d.note("block", block), d.note("paddings", pads)
    return moving(d, "SPACE_TO_BATCH_ND", kind, shape, (ints(block), ints(pads)))


@differential("BATCH_TO_SPACE_ND", *MOVED, "half", "float64", "uint16", "uint32", "complex64")
def batch_to_space_nd(d: Draw, kind: str) -> Case:
    axes = d.pick("axes", (1, 2))
    block = [int(n) for n in d.rng.integers(1, 4, axes)]
    cells = [int(n) for n in d.rng.integers(1, 5, axes)]
    crops = []
    for b, n in zip(block, cells):
        before = int(d.rng.integers(0, min(3, n * b)))
        crops.append([before, int(d.rng.integers(0, min(3, n * b - before)))])
    batch = int(np.prod(block)) * d.pick("batch", (1, 2, 3))
    shape = d.note("shape", (batch, *cells, d.pick("channels", (1, 2, 5))))
    d.note("block", block), d.note("crops", crops)
    return moving(d, "BATCH_TO_SPACE_ND", kind, shape, (ints(block), ints(crops)))


@differential("DILATE", *MOVED)
def dilate(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 5, limit=100)
    steps = d.note("steps", [int(n) for n in d.rng.choice([1, 1, 2, 3, 4], len(shape))])
    x, filler, y = g.input(shape, kind), g.input((), kind), g.tensor((), kind)
    g.op("DILATE", [x, g.constant(ints(steps)), filler], [y])
    return Case(g, [y], [d.values(shape, kind), d.values((), kind)])


@differential("DYNAMIC_UPDATE_SLICE", *MOVED, "half", "float64", "uint16", "uint32", "complex64")
def dynamic_update_slice(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 5)
    part = d.note("part", tuple(int(d.rng.integers(1, n + 1)) for n in shape))
    start = d.rng.integers(-2, 9, len(shape)).astype(d.pick("start_dtype", ("int32", "int64")))
    inputs = [d.values(shape, kind), d.values(part, kind), d.note("start", start)]
    y = g.tensor((), dtype_of(kind))
    g.op("DYNAMIC_UPDATE_SLICE", [g.input(v.shape, v.dtype.name) for v in inputs], [y])
    return Case(g, [y], inputs)


@differential(
    "SCATTER_ND", "int8", "uint8", "float32", "int32", "int64", "bool", absolute=1e-5, relative=1e-5
)
def scatter_nd(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4)
    depth = d.integer("depth", 1, len(shape))
    outer = d.shape("outer", 1, 2, limit=12)
    index = np.stack([d.rng.integers(0, n, outer) for n in shape[:depth]], -1).astype(np.int32)
    updates = d.values((*outer, *shape[depth:]), kind)
    x, u = g.input(index.shape, "int32"), g.input(updates.shape, dtype_of(kind))
    y = g.tensor((), dtype_of(kind))
    g.op("SCATTER_ND", [x, u, g.constant(ints(shape))], [y])
    return Case(g, [y], [index, updates])


@differential("SPARSE_TO_DENSE", "int8", "uint8", "float32", "int32", "int64")
def sparse_to_dense(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    dtype = d.pick("index_dtype", ("int32", "int64"))
    shape = d.shape("shape", 1, 4)
    rows = d.integer("rows", 1, 8)
    index = np.stack([d.rng.integers(0, n, rows) for n in shape], -1).astype(dtype)
    if len(shape) == 1:
        flat = d.pick("flat", (True, False))
        index = index[:, 0] if flat else index
        if flat and d.chance("scalar", 0.3):
            index, rows = index[0], 1
    values = d.values((() if d.chance("one_value", 0.4) else (rows,)), kind)
    default = d.values((), kind)
    x, v, n = (g.input(a.shape, a.dtype.name) for a in (index, values, default))
    y = g.tensor((), kind)
    g.op("SPARSE_TO_DENSE", [x, g.constant(ints(shape, dtype)), v, n], [y])
    return Case(g, [y], [index, values, default])


DIAGONAL = ("int8", "uint8", "int16", "float32", "int32", "uint32", "int64")


@differential("MATRIX_DIAG", *DIAGONAL)
def matrix_diag(d: Draw, kind: str) -> Case:
    return moving(d, "MATRIX_DIAG", kind, d.shape("shape", 1, 4, limit=60), ())


@differential("MATRIX_SET_DIAG", *DIAGONAL)
def matrix_set_diag(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 2, 4)
    diagonal = (*shape[:-2], min(shape[-2:]))
    x, n = g.input(shape, kind), g.input(diagonal, kind)
    y = g.tensor((), kind)
    g.op("MATRIX_SET_DIAG", [x, n], [y])
    return Case(g, [y], [d.values(shape, kind), d.values(diagonal, kind)])


@differential("ONE_HOT", "int8", "uint8", "float32", "int32", "int64", "bool")
def one_hot(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 0, 3, limit=60)
    depth = d.integer("depth", 1, 7)
    dtype = d.pick("index_dtype", ("int32", "int64"))
    index = d.rng.integers(-2, depth + 2, shape).astype(dtype)
    on, off = d.values((), kind), d.values((), kind)
    y = g.tensor((), dtype_of(kind))
    inputs = [g.input(index.shape, dtype), g.constant(ints(depth))]
    inputs += [g.input((), dtype_of(kind)), g.input((), dtype_of(kind))]
    g.op("ONE_HOT", inputs, [y], axis=d.integer("axis", -1, len(shape)))
    return Case(g, [y], [np.asarray(index), on, off])


@differential("RANGE", "float32", "int32", "int64", absolute=1e-6)
def range_(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    start, delta = d.values((), kind), d.values((), kind)
    delta = np.array(delta or 1, kind)
    steps = d.rng.integers(0, 40) if kind != "float32" else d.rng.uniform(0, 40)
    limit = np.array(start + delta * steps, kind)
    if kind != "float32" and abs(int(delta)) > 1 and steps:
        limit = np.array(limit - np.sign(delta) * int(d.rng.integers(0, min(abs(int(delta)), 9))), kind)
    d.note("range", (start, limit, delta))
    r, x, y = g.tensor((), kind), g.input((1,), kind), g.tensor((), kind)
    g.op("RANGE", [g.constant(v) for v in (start, limit, delta)], [r])
    g.op("ADD", [r, x], [y])  # the reference lets no op write what a range wrote in prepare
    return Case(g, [y], [np.zeros(1, kind)])


@differential("BROADCAST_ARGS", "int32", "int64")
def broadcast_args(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    full = d.rng.integers(0, 9, d.integer("rank", 1, 6))
    shapes = []
    for _ in range(2):
        shape = np.where(d.rng.random(full.shape) < 0.3, 1, full).astype(kind)
        shapes.append(shape[int(d.rng.integers(len(full))) if d.rng.random() < 0.4 else 0 :])
    y = g.tensor((), kind)
    g.op("BROADCAST_ARGS", [g.input(s.shape, kind) for s in shapes], [y])
    return Case(g, [y], d.note("shapes", shapes))


@differential("CUMSUM", "float32", "int32", "int64", absolute=1e-4, relative=1e-5)
def cumsum(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 5)
    axis = ints(d.integer("axis", -len(shape), len(shape) - 1))
    options = {"exclusive": d.chance("exclusive", 0.5), "reverse": d.chance("reverse", 0.5)}
    return moving(d, "CUMSUM", kind, shape, (axis,), **options)


@differential("TOPK_V2", "int8", "uint8", "int16", "float32", "int32", "int64")
def topk_v2(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4)
    k = d.integer("k", 0, shape[-1])
    values = d.values(shape, kind)
    if kind == "float32" and d.chance("nan", 0.2):
        values.flat[:: d.integer("every", 1, 4)] = np.nan
    q = d.quantization("q", kind) if quantized(kind) else {}
    narrow = d.chance("narrow", 0.3)
    x, y = g.input(shape, kind, **q), g.tensor((), kind, **q)
    i = g.tensor((), "int16" if narrow else "int32")
    g.op("TOPK_V2", [x, g.constant(ints(k, d.pick("k_dtype", ("int32", "int16"))))], [y, i])
    return Case(g, [y, i], [values])


@differential("SEGMENT_SUM", "float32", "int32", absolute=1e-5, relative=1e-5)
def segment_sum(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 4)
    ids = np.cumsum(d.rng.integers(0, 2, shape[0])).astype(np.int32)
    return moving(d, "SEGMENT_SUM", kind, shape, (d.note("ids", ids - ids[0]),))


def unsorted_segment(op: str) -> None:
    @differential(op, "float32", "int32", absolute=1e-5, relative=1e-4)
    def make(d: Draw, kind: str) -> Case:
        g = GraphBuilder()
        shape = d.shape("shape", 1, 4)
        ids_shape = shape[: d.integer("ids_rank", 1, len(shape))]
        segments = d.integer("segments", 1, 6)
        ids = d.rng.integers(-1, segments, ids_shape).astype(np.int32)
        x, y = g.input(shape, kind), g.tensor((), kind)
        g.op(op, [x, g.input(ids.shape, "int32"), g.constant(ints(segments))], [y])
        return Case(g, [y], [d.values(shape, kind), ids])


for name in ("SUM", "PROD", "MAX", "MIN"):
    unsorted_segment(f"UNSORTED_SEGMENT_{name}")


@differential(
    "REDUCE_PROD", "float32", "int8", "int16", "int32", "int64", "bool", absolute=1e-5, relative=1e-4
)
def reduce_prod(d: Draw, kind: str) -> Case:
    return reduction(d, "REDUCE_PROD", kind, 8)


@differential("REDUCE_ANY", "bool")
def reduce_any(d: Draw, kind: str) -> Case:
    return reduction(d, "REDUCE_ANY", kind, None)


@differential("REDUCE_ALL", "bool")
def reduce_all(d: Draw, kind: str) -> Case:
    return reduction(d, "REDUCE_ALL", kind, None)


WINDOWED = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool")


@differential("REDUCE_WINDOW", *WINDOWED, absolute=1e-4, relative=1e-4)
def reduce_window(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 5)
    dilations = d.note("dilations", [int(n) for n in d.rng.integers(1, 4, len(shape))])
    most = [(n - 1) // step + 1 for n, step in zip(shape, dilations)]
    window = d.note("window", [int(d.rng.integers(1, min(n, 4) + 1)) for n in most])
    strides = d.note("strides", [int(n) for n in d.rng.integers(1, 4, len(shape))])
    functions = ("ALL", "ANY") if kind == "bool" else ("ADD", "MUL", "MINIMUM", "MAXIMUM", "ALL", "ANY")
    tensors = [g.constant(ints(v, "int64")) for v in (window, strides, dilations)]
    x, start, y = g.input(shape, kind), g.input((), kind), g.tensor((), kind)
    g.op("REDUCE_WINDOW", [x, start, *tensors], [y], reduceFunction=d.pick("function", functions))
    return Case(g, [y], [d.values(shape, kind), d.values((), kind)])
