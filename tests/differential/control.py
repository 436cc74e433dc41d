"""IF, STABLEHLO_CASE, WHILE and hash tables: graphs that call graphs, and shapes that depend on data."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder

from .harness import Case, Draw, differential, dtype_of


def binary(
    g: GraphBuilder, op: str, a: int, b: int, shape: tuple[int, ...], dtype: str, **options: str
) -> int:
    y = g.tensor(shape, dtype)
    g.op(op, [a, b], [y], **options)
    return y


def branch(d: Draw, g: GraphBuilder, name: str, kind: str, shape: tuple[int, ...]) -> None:
    """A graph of two tensors to two others; the shapes of these may be the branch's own."""
    g.subgraph(name)
    a, b = g.input(shape, kind), g.input(shape, kind)
    what = d.pick(name, ("sum", "swap", "first", "rows", "constant"))
    one = np.ones((1,), kind)
    plain = {"fusedActivationFunction": "NONE"}
    if what == "sum":
        g.outputs(binary(g, "ADD", a, b, shape, kind, **plain), binary(g, "SUB", a, b, shape, kind, **plain))
    elif what == "swap":
        g.outputs(
            binary(g, "MAXIMUM", b, g.constant(one), shape, kind),
            binary(g, "MUL", a, g.constant(3 * one), shape, kind, **plain),
        )
    elif what == "first":
        g.outputs(binary(g, "MINIMUM", a, b, shape, kind), binary(g, "ADD", a, a, shape, kind, **plain))
    elif what == "constant":
        g.outputs(binary(g, "MINIMUM", a, b, shape, kind), binary(g, "ADD", a, g.constant(one), shape, kind))
    else:
        y = g.tensor((2 * shape[0], *shape[1:]), kind)
        g.op("CONCATENATION", [a, b], [y], axis=0)
        g.outputs(y, binary(g, "MUL", a, b, shape, kind, **plain))


@differential("IF", "float32", "int32", "int64")
def if_(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4)
    condition = g.input((1,) if d.chance("rank_1", 0.5) else (), "bool")
    a, b = g.input(shape, kind), g.input(shape, kind)
    before, behind = g.tensor(shape, kind), g.tensor(shape, kind)
    y, z, w = (g.tensor(shape, kind) for _ in range(3))
    g.op("NEG", [a], [before])
    g.op("IF", [condition, before, b], [y, z], thenSubgraphIndex=1, elseSubgraphIndex=2)
    g.op("NEG", [z], [behind])
    g.op("NEG", [y], [w])
    branch(d, g, "then", kind, shape)
    branch(d, g, "else", kind, shape)
    truth = np.asarray(d.chance("truth", 0.5)).reshape((1,) if d.params["rank_1"] else ())
    return Case(g, [w, behind], [truth, d.values(shape, kind), d.values(shape, kind)])


@differential("STABLEHLO_CASE", "float32", "int32", "int64")
def case(d: Draw, kind: str) -> Case:
    """Numbers that no branch has take the last one."""
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4)
    branches = [1 + int(n) for n in d.rng.permutation(d.integer("branches", 1, 4))]
    chosen = g.input((1,) if d.chance("rank_1", 0.5) else (), "int32")
    a, b = g.input(shape, kind), g.input(shape, kind)
    y, z, w = (g.tensor(shape, kind) for _ in range(3))
    g.op("STABLEHLO_CASE", [chosen, a, b], [y, z], branchSubgraphIndices=d.note("order", branches))
    g.op("NEG", [y], [w])
    for n in range(len(branches)):
        branch(d, g, f"branch_{n}", kind, shape)
    number = np.full((1,) if d.params["rank_1"] else (), d.integer("number", -2, 5), np.int32)
    return Case(g, [w, z], [number, d.values(shape, kind), d.values(shape, kind)])


@differential("WHILE", "float32", "int32", "int64")
def while_(d: Draw, kind: str) -> Case:
    """for (i = 0; i < n; ++i): sums, products, a nested loop or branch, or values that grow."""
    dtype = dtype_of(kind)
    g = GraphBuilder()
    shape = d.shape("shape", 1, 3, 60)
    body = d.pick("body", ("sum", "swap", "grow", "loop", "branch"))
    index = (1,) if d.chance("rank_1", 0.5) else ()
    i, n = g.input(index, "int32"), g.input(index, "int32")
    a, b = g.input(shape, dtype), g.input(shape, dtype)
    outputs = [
        g.tensor(index, "int32"),
        g.tensor(index, "int32"),
        g.tensor(shape, dtype),
        g.tensor(shape, dtype),
    ]
    g.op("WHILE", [i, n, a, b], outputs, condSubgraphIndex=1, bodySubgraphIndex=2)
    behind = g.tensor(shape, dtype)
    g.op("NEG", [outputs[2]], [behind])

    def signature(name: str) -> list[int]:
        g.subgraph(name)
        return [*(g.input(index, "int32") for _ in range(2)), *(g.input(shape, dtype) for _ in range(2))]

    def condition(name: str) -> None:
        i, n, _, _ = signature(name)
        more = g.tensor(index, "bool")
        g.op("LESS", [i, n], [more])
        g.outputs(more)

    def counting(name: str, what: str) -> None:
        i, n, a, b = signature(name)
        plain = {"fusedActivationFunction": "NONE"}
        next_i = binary(g, "ADD", i, g.constant(np.ones(index, np.int32)), index, "int32", **plain)
        if what == "sum":
            g.outputs(next_i, n, binary(g, "SUB", b, a, shape, dtype, **plain), b)
        elif what == "swap":
            g.outputs(
                next_i,
                n,
                binary(g, "ADD", b, b, shape, dtype, **plain),
                binary(g, "ADD", a, b, shape, dtype, **plain),
            )
        elif what == "grow":
            y = g.tensor((), dtype)
            g.op("CONCATENATION", [a, b], [y], axis=0)
            g.outputs(next_i, n, y, b)
        elif what == "loop":
            zero = g.constant(np.zeros(index, np.int32))
            ys = [
                g.tensor(index, "int32"),
                g.tensor(index, "int32"),
                g.tensor(shape, dtype),
                g.tensor(shape, dtype),
            ]
            g.op("WHILE", [zero, n, a, b], ys, condSubgraphIndex=4, bodySubgraphIndex=3)
            g.outputs(next_i, n, ys[2], ys[3])
        else:
            odd, truth = g.tensor(index, "int32"), g.tensor(index, "bool")
            g.op("FLOOR_MOD", [i, g.constant(np.full(index, 2, np.int32))], [odd])
            g.op("EQUAL", [odd, g.constant(np.ones(index, np.int32))], [truth])
            y, z = g.tensor(shape, dtype), g.tensor(shape, dtype)
            g.op("IF", [truth, a, b], [y, z], thenSubgraphIndex=3, elseSubgraphIndex=4)
            g.outputs(next_i, n, y, z)

    condition("condition")
    counting("body", body)
    if body == "loop":
        counting("inner", "sum")
        condition("inner_condition")
    elif body == "branch":
        for name, op in (("then", "ADD"), ("else", "MAXIMUM")):
            g.subgraph(name)
            a, b = g.input(shape, dtype), g.input(shape, dtype)
            g.outputs(binary(g, op, a, b, shape, dtype), b)
    start, end = d.integer("start", 0, 3), d.integer("end", 0, 6)
    numbers = [np.full(index, value, np.int32) for value in (start, end)]
    values = [np.asarray(d.rng.integers(-3, 4, shape), dtype) for _ in range(2)]
    return Case(g, [outputs[0], outputs[3], behind], [*numbers, *values])


def table(g: GraphBuilder, key: str, value: str) -> int:
    handle = g.tensor((1,), "resource")
    g.op("HASHTABLE", [], [handle], tableId=7, keyDtype=key, valueDtype=value)
    return handle


@differential("HASHTABLE_FIND", "int64", "string")
@differential("HASHTABLE_IMPORT", "int64", "string")
@differential("HASHTABLE_SIZE", "int64", "string")
@differential("HASHTABLE", "int64", "string")
def hash_table(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    other = "int64" if kind == "string" else "string"
    count = d.integer("count", 1, 12)
    numbers = d.rng.integers(-9, 10, count)
    words = [b"%d" % n for n in d.rng.integers(0, 15, count)]
    shape = d.shape("shape", 1, 3, 40)
    x = g.input(shape, kind)
    g.op("CALL_ONCE", [], [], initSubgraphIndex=1)
    default = g.strings([b"none"]) if kind == "int64" else g.constant(np.array([-1], np.int64))
    y, size = g.tensor(shape, other), g.tensor((1,), "int64")
    g.op("HASHTABLE_FIND", [table(g, kind, other), x, default], [y])
    g.op("HASHTABLE_SIZE", [table(g, kind, other)], [size])
    g.subgraph("once")
    keys, values = g.constant(numbers.astype(np.int64)), g.strings(words)
    if kind == "string":
        keys, values = values, keys
    g.op("HASHTABLE_IMPORT", [table(g, kind, other), keys, values], [])
    g.outputs()
    if kind == "int64":
        return Case(g, [y, size], [d.rng.integers(-12, 12, shape)])
    asked = np.array([b"%d" % n for n in range(18)], object)[d.rng.integers(18, size=shape)]
    return Case(g, [y, size], [asked])
