"""Rows of tables by their numbers or keys."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder

from .arrays import MOVED, ints
from .harness import Case, Draw, differential, dtype_of

CODES = ("hybrid", "hybrid_channel", "hybrid_uint8", "hybrid_int4")


@differential("EMBEDDING_LOOKUP", *MOVED)
def embedding_lookup(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("table", 2, 4)
    rows = d.rng.integers(0, shape[0], d.integer("wanted", 1, 9)).astype(np.int32)
    table = d.values(shape, kind)
    n, y = g.input(rows.shape, "int32"), g.tensor((), dtype_of(kind))
    if d.chance("constant", 0.5):
        g.op("EMBEDDING_LOOKUP", [n, g.constant(table)], [y])
        return Case(g, [y], [rows])
    g.op("EMBEDDING_LOOKUP", [n, g.input(shape, dtype_of(kind))], [y])
    return Case(g, [y], [rows, table])


@differential("EMBEDDING_LOOKUP", *CODES)
def embedding_codes(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("table", 2, 4)
    rows = d.rng.integers(0, shape[0], d.integer("wanted", 1, 9)).astype(np.int32)
    several = kind == "hybrid_channel" or d.chance("scales", 0.3)
    scale = [d.scale(2.0**-7, 3) for _ in range(shape[0] if several else 1)]
    if kind == "hybrid_int4":
        table = g.constant_int4(d.rng.integers(-8, 8, shape), scale=scale)
    else:
        values = d.values(shape, "int8")
        table = g.constant(values.view(np.uint8) if kind == "hybrid_uint8" else values, scale=scale)
    y = g.tensor((), "float32")
    g.op("EMBEDDING_LOOKUP", [g.input(rows.shape, "int32"), table], [y])
    return Case(g, [y], [rows])


@differential("EMBEDDING_LOOKUP_SPARSE", "float32", absolute=1e-6, relative=1e-6)
def embedding_lookup_sparse(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    table = d.values(d.shape("table", 2, 4), kind)
    extents = [d.integer("extent", 1, 4) for _ in range(d.integer("rank", 1, 3))]
    count = d.integer("count", 1, 12)
    index = np.stack([d.rng.integers(0, n, count) for n in extents], -1).astype(np.int32)
    if d.chance("sorted", 0.7):
        index = index[np.lexsort(index.T[::-1])]
    ids = d.rng.integers(0, table.shape[0], count).astype(np.int32)
    weights = d.rng.uniform(0.1, 2, count).astype(np.float32)
    inputs = [ids, index, weights, table]
    x, i, w, t = (g.input(v.shape, v.dtype.name) for v in inputs)
    y = g.tensor((), kind)
    combiner = d.pick("combiner", ("SUM", "MEAN", "SQRTN"))
    g.op("EMBEDDING_LOOKUP_SPARSE", [x, i, g.constant(ints(extents)), w, t], [y], combiner=combiner)
    return Case(g, [y], inputs)


@differential("HASHTABLE_LOOKUP", *MOVED)
def hashtable_lookup(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    rows = d.values(d.shape("rows", 1, 3), kind)
    keys = np.sort(d.rng.integers(-20, 20, rows.shape[0])).astype(np.int32)
    wanted = d.rng.integers(-22, 22, d.integer("wanted", 1, 12)).astype(np.int32)
    outputs = [g.tensor((), dtype_of(kind)), g.tensor((), "uint8")]
    inputs = [g.input(v.shape, v.dtype.name) for v in (wanted, keys, rows)]
    g.op("HASHTABLE_LOOKUP", inputs, outputs)
    return Case(g, outputs, [wanted, keys, rows])


@differential("LSH_PROJECTION", "int32")
def lsh_projection(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    seeds = d.rng.normal(0, 1, (d.integer("hashes", 1, 5), d.integer("bits", 1, 20))).astype(np.float32)
    # The fingerprint of an item and a seed is computed in another way for 17, 33 and 65 bytes and more.
    width = d.pick("width", (1, 3, 7, 8, 12, 13, 20, 28, 29, 50, 60, 61, 64, 124, 125, 200))
    items = d.values((d.integer("items", 1, 6), width), d.pick("dtype", ("int8", "uint8", "int32")))
    if d.chance("vector", 0.2):
        items = items[:, 0]
    values = [items]
    tensors = [g.constant(seeds), g.input(items.shape, items.dtype.name)]
    if d.chance("weighted", 0.5):
        values.append(d.rng.normal(0, 1, items.shape[:1]).astype(np.float32))
        tensors.append(g.input(values[1].shape, "float32"))
    y = g.tensor((), kind)
    g.op("LSH_PROJECTION", tensors, [y], type=d.pick("type", ("SPARSE", "DENSE")))
    return Case(g, [y], values)
