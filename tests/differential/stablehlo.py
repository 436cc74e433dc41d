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


MOVED = ("int8", "uint8", "int16", "float32", "half", "int32", "uint32", "int64", "uint64", "bool")


def longs(values: Any) -> np.ndarray[Any, Any]:
    return np.asarray(values, np.int64)


@differential("STABLEHLO_PAD", *MOVED)
def pad(d: Draw, kind: str) -> Case:
    """Borders of more cells than there are take away nothing but cells: an empty result has odd shapes."""
    shape = d.shape("shape", 1, 5, limit=200)
    interior = d.note("interior", d.rng.integers(0, 3, len(shape)) * (d.rng.random(len(shape)) < 0.5))
    cells = [n + (n - 1) * gap for n, gap in zip(shape, interior)]
    low = d.note("low", d.rng.integers([-(n // 2) for n in cells], 4))
    high = d.note("high", d.rng.integers([-((n - 1) // 2) for n in cells], 4))
    g = GraphBuilder()
    x = g.input(shape, dtype_of(kind))
    y = g.tensor(shape, dtype_of(kind))
    g.op(
        "STABLEHLO_PAD", [x, g.constant(d.values((), kind))], [y],
        edgePaddingLow=longs(low), edgePaddingHigh=longs(high), interiorPadding=longs(interior),
    )  # fmt: skip
    return Case(g, [y], [d.values(shape, kind)])


@differential("STABLEHLO_GATHER", *MOVED)
def gather(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 4, limit=300)
    batch = d.shape("batch", 0, 2, limit=20)
    rank = len(shape)
    sizes = [int(d.rng.integers(1, n + 1)) for n in shape]
    collapsed = [i for i in range(rank) if d.rng.random() < 0.4]
    for i in collapsed:
        sizes[i] = 1
    mapped = d.note("map", [int(i) for i in d.rng.permutation(rank)[: int(d.rng.integers(0, rank + 1))]])
    axis = d.integer("index_vector_dim", 0, len(batch))
    starts = [*batch[:axis], len(mapped), *batch[axis:]]  # the reference reads astray where it needs no axis
    out_rank = len(batch) + rank - len(collapsed)
    offsets = sorted(int(i) for i in d.rng.permutation(out_rank)[: rank - len(collapsed)])
    d.note("sizes, collapsed, starts, offsets", (sizes, collapsed, starts, offsets))
    g = GraphBuilder()
    index = d.pick("index", ("int32", "int64"))
    x, i = g.input(shape, dtype_of(kind)), g.input(starts, index)
    y = g.tensor((1,) * out_rank, dtype_of(kind))
    g.op(
        "STABLEHLO_GATHER", [x, i], [y], offsetDims=longs(offsets), collapsedSliceDims=longs(collapsed),
        startIndexMap=longs(mapped), indexVectorDim=axis, sliceSizes=longs(sizes),
    )  # fmt: skip
    return Case(g, [y], [d.values(shape, kind), d.rng.integers(-2, max(shape) + 2, starts).astype(index)])


def body(d: Draw, g: GraphBuilder, kind: str, ops: tuple[str, ...]) -> None:
    """The graph that combines two elements, which is the second one; "" has no node."""
    name = d.pick("body", ops)
    g.subgraph("body")
    a, b = g.input((), dtype_of(kind)), g.input((), dtype_of(kind))
    if not name:
        return g.outputs(b)
    y = g.tensor((), dtype_of(kind))
    g.op(name, [a, b], [y])
    g.outputs(y)


NUMERIC = tuple(f"STABLEHLO_{name}" for name in ("ADD", "MULTIPLY", "MAXIMUM", "MINIMUM"))


@differential("STABLEHLO_SCATTER", "float32", "float64", *INTEGERS, "bool")
def scatter(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 4, limit=200)
    batch = d.shape("batch", 0, 2, limit=12)
    rank = len(shape)
    inserted = [i for i in range(rank) if d.rng.random() < 0.4]
    mapped = d.note("map", [int(i) for i in d.rng.permutation(rank)[: int(d.rng.integers(1, rank + 1))]])
    axis = d.integer("index_vector_dim", 0, len(batch))
    starts = [*batch[:axis], len(mapped), *batch[axis:]]
    window = [int(d.rng.integers(1, n + 1)) for i, n in enumerate(shape) if i not in inserted]
    out_rank = len(batch) + len(window)
    window_dims = sorted(int(i) for i in d.rng.permutation(out_rank)[: len(window)])
    sizes, starts_left = iter(window), iter(batch)
    updates = [next(sizes if i in window_dims else starts_left) for i in range(out_rank)]
    d.note("inserted, starts, window_dims, updates", (inserted, starts, window_dims, updates))
    g = GraphBuilder()
    index = d.pick("index", ("int32", "int64"))
    x, i, u = g.input(shape, dtype_of(kind)), g.input(starts, index), g.input(updates, dtype_of(kind))
    y = g.tensor(shape, dtype_of(kind))
    g.op(
        "STABLEHLO_SCATTER", [x, i, u], [y], updateWindowDims=longs(window_dims),
        insertedWindowDims=longs(inserted), scatterDimsToOperandDims=longs(mapped), indexVectorDim=axis,
        updateComputationSubgraphIndex=1,
    )  # fmt: skip
    g.outputs(y)
    body(d, g, kind, ("", *NUMERIC))
    inputs = [d.values(shape, kind), d.rng.integers(-1, max(shape), starts), d.values(updates, kind)]
    return Case(g, [y], [inputs[0], inputs[1].astype(index), inputs[2]])


@differential(
    "STABLEHLO_REDUCE_WINDOW", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool"
)
def reduce_window(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 5, limit=200)
    rank = len(shape)
    window, strides, base, dilations = (d.rng.integers(1, high, rank) for high in (4, 3, 3, 3))
    padding = d.rng.integers(0, 3, (rank, 2))
    low = [n - 1 for n in shape]
    padding -= (d.rng.random((rank, 2)) < 0.2) * np.minimum(
        padding + 1, np.array(low)[:, None] // 2 + padding
    )
    d.note("window, strides, base, dilations, padding", (window, strides, base, dilations, padding.tolist()))
    g = GraphBuilder()
    x = g.input(shape, kind)
    y = g.tensor(shape, kind)
    g.op(
        "STABLEHLO_REDUCE_WINDOW", [x, g.constant(d.values((), kind))], [y], windowDimensions=longs(window),
        windowStrides=longs(strides), baseDilations=longs(base), windowDilations=longs(dilations),
        padding=longs(padding.reshape(-1)), bodySubgraphIndex=1,
    )  # fmt: skip
    g.outputs(y)
    logical = ("LOGICAL_AND", "LOGICAL_OR", "STABLEHLO_AND")
    body(d, g, kind, logical if kind == "bool" else (*NUMERIC, "ADD", "MUL", "MAXIMUM", "MINIMUM"))
    return Case(g, [y], [d.values(shape, kind)])


@differential("STABLEHLO_RNG_BIT_GENERATOR", "int32", "uint32", "int64", "uint64")
def random_bits(d: Draw, kind: str) -> Case:
    algorithm = d.integer("algorithm", 0, 2)
    state = d.rng.integers(0, 2**64, 2 if algorithm == 2 else d.integer("state", 2, 3), np.uint64)
    if d.chance("carry", 0.3):
        state[1] = 2**32 - d.integer("before", 1, 4)
    g = GraphBuilder()
    x = g.input(state.shape, "uint64")
    after, bits_ = g.tensor(state.shape, "uint64"), g.tensor(d.shape("shape", 0, 3), kind)
    g.op("STABLEHLO_RNG_BIT_GENERATOR", [x], [after, bits_], algorithm=algorithm)
    return Case(g, [after, bits_], [state])
