"""Strings: cut into groups of words, compared, and moved by the ops that move anything."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder

from .harness import Case, Draw, differential
from .logic import equal, not_equal
from .shape_ops import expand_dims, gather_nd, reshape, squeeze, strided_slice, tile

for op, make in {
    "RESHAPE": reshape,
    "SQUEEZE": squeeze,
    "EXPAND_DIMS": expand_dims,
    "TILE": tile,
    "STRIDED_SLICE": strided_slice,
    "GATHER_ND": gather_nd,
    "EQUAL": equal,
    "NOT_EQUAL": not_equal,
}.items():
    differential(op, "string")(make)


@differential("SKIP_GRAM", "string")
def skip_gram(d: Draw, kind: str) -> Case:
    """Words, and what is no word: white space in front, behind, in a row and of all kinds."""
    g = GraphBuilder()
    words = [b"a", b"the", b"edge", b"of", b"\xc3\xa4", b"x\0y", b"a,b", b"\x85\xa0"]
    gaps = [b" "] * 6 + [b"  ", b"\t", b"\n", b" \v\f\r "]
    text = b"".join(
        words[d.rng.integers(len(words))] + gaps[d.rng.integers(len(gaps))]
        for _ in range(d.integer("words", 0, 8))
    )
    front = b"" if d.chance("at once", 0.6) else gaps[-1][d.integer("front", 0, 4) :]
    text = d.note("text", front + text.rstrip() + b" " * d.integer("end", 0, 2))
    texts = [text, b"not this one"][: d.integer("strings", 1, 2)]
    given = d.chance("constant", 0.2)
    x = g.strings(texts) if given else g.input((len(texts),), kind)
    y = g.tensor((0,), kind)
    g.op(
        "SKIP_GRAM", [x], [y],
        ngramSize=d.integer("size", -1, 5) if d.chance("any size", 0.5) else d.pick("size", (1, 2, 3)),
        maxSkipSize=d.pick("skip", (-1, 0, 1, 2, 5, 2**31 - 1)), includeAllNgrams=d.chance("all", 0.5),
    )  # fmt: skip
    return Case(g, [y], [] if given else [np.array(texts, object)])


@differential("SLICE", "string")
def string_slice(d: Draw, kind: str) -> Case:
    """The reference wants the file to say what comes out."""
    g = GraphBuilder()
    shape = d.shape("shape", 1, 5)
    begin = [int(d.rng.integers(n)) for n in shape]
    size = d.note("size", [int(d.rng.integers(0, n - b + 1)) for n, b in zip(shape, begin)])
    asked = [-1 if n == size[k] + begin[k] and d.rng.random() < 0.5 else size[k] for k, n in enumerate(shape)]
    dtype = d.pick("dtype", ("int32", "int64"))
    x, y = g.input(shape, kind), g.tensor(size, kind)
    g.op("SLICE", [x, *(g.constant(np.array(v, dtype)) for v in (begin, asked))], [y])
    return Case(g, [y], [d.values(shape, kind)])


@differential("GATHER", "string")
def string_gather(d: Draw, kind: str) -> Case:
    """Of vectors: the reference gathers no other strings."""
    g = GraphBuilder()
    x = d.values((d.integer("count", 1, 20),), kind)
    indices = d.rng.integers(0, len(x), d.shape("indices", 1, 1, limit=12)).astype(
        d.pick("dtype", ("int32", "int64"))
    )
    y = g.tensor((), kind)
    g.op("GATHER", [g.input(x.shape, kind), g.input(indices.shape, indices.dtype.name)], [y], axis=0)
    return Case(g, [y], [x, indices])


@differential("FILL", "string")
def string_fill(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    target = np.array(d.shape("target", 0, 4), d.pick("dtype", ("int32", "int64")))
    y = g.tensor((), kind)
    value = g.strings([d.pick("value", (b"", b"a", b"a longer one"))], ())
    g.op("FILL", [g.input(target.shape, target.dtype.name), value], [y])
    return Case(g, [y], [target])


@differential("HASHTABLE_LOOKUP", "string")
def string_lookup(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    rows = d.values((d.integer("rows", 1, 12),), kind)
    keys = np.sort(d.rng.integers(-20, 20, len(rows))).astype(np.int32)
    wanted = d.rng.integers(-22, 22, d.integer("wanted", 1, 12)).astype(np.int32)
    outputs = [g.tensor((0,), kind), g.tensor((), "uint8")]
    tensors = [g.input(v.shape, "int32") for v in (wanted, keys)]
    g.op("HASHTABLE_LOOKUP", [*tensors, g.input(rows.shape, kind)], outputs)
    return Case(g, outputs, [wanted, keys, rows])
