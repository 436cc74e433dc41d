"""The malformed graphs and constants that TFLite has a CVE or a report for, built anew: an error in words."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from builders import GraphBuilder

from edge_sdk.optimize import tflite_file

from .child import outcome
from .one_op import i, zeros


def changed(model: bytes, change: Callable[[Any], None]) -> bytes:
    tree = tflite_file.read(model)
    change(tree)
    return tflite_file.write(tree)


def pair() -> bytes:
    """x + constant -> t2 -> RELU -> t3"""
    g = GraphBuilder()
    x, c = g.input((2, 3), "float32"), g.constant(zeros(2, 3))
    t, y = g.tensor((2, 3), "float32"), g.tensor((2, 3), "float32")
    g.op("ADD", [x, c], [t])
    g.op("RELU", [t], [y])
    return g.build([y])


def ops(*values: tuple[int, str, Any]) -> Callable[[Any], None]:
    """Sets fields of operators."""

    def change(tree: Any) -> None:
        for number, key, value in values:
            setattr(tree.subgraphs[0].operators[number], key, value)

    return change


def tensors(number: int, key: str, value: Any) -> Callable[[Any], None]:
    return lambda tree: setattr(tree.subgraphs[0].tensors[number], key, value)


GRAPHS: dict[str, Callable[[Any], None]] = {
    "2020-15211 input -1 of an op that needs it": ops((1, "inputs", [-1])),
    "2020-15211 output -1": ops((1, "outputs", [-1])),
    "2020-15207 input -2": ops((1, "inputs", [-2])),
    "2020-15207 input beyond the tensors": ops((1, "inputs", [4])),
    "2020-15207 input of 2^31-1": ops((1, "inputs", [2**31 - 1])),
    "2020-15207 output beyond the tensors": ops((1, "outputs", [4])),
    "2020-15207 graph output -1": lambda tree: setattr(tree.subgraphs[0], "outputs", [-1]),
    "2020-15207 graph input beyond": lambda tree: setattr(tree.subgraphs[0], "inputs", [99]),
    "2020-15207 op code beyond": ops((1, "opcodeIndex", 7)),
    "2020-15210 an op writes its input": ops((1, "outputs", [2])),
    "2020-15210 an op writes the graph's input": ops((1, "outputs", [0])),
    "2020-15210 an op writes a constant": ops((1, "outputs", [1])),
    "2020-15210 two ops write the same": ops((1, "inputs", [0]), (1, "outputs", [2])),
    "2021-29591 ops that wait for each other": ops((0, "inputs", [3, 1])),
    "2021-29591 an op that waits for itself": ops((0, "inputs", [2, 1])),
    "2020-15209 a constant without bytes": lambda tree: setattr(tree.buffers[1], "data", None),
    "2020-15209 a constant of too few bytes": lambda tree: setattr(
        tree.buffers[1], "data", np.zeros(8, np.uint8)
    ),
    "#3076 buffer beyond the buffers": tensors(2, "buffer", 99),
    "#3076 buffer of an input beyond the buffers": tensors(0, "buffer", 2**32 - 1),
    "#111458 extent 2^31-1": tensors(0, "shape", i([2**31 - 1, 2**31 - 1])),
    "#111458 negative extent": tensors(0, "shape", i([-7, 3])),
    "2021-29605 rank 1000": tensors(0, "shape", i([1] * 1000)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graph_is_refused(name: str) -> None:
    assert outcome(pair()) == "ran"
    found = outcome(changed(pair(), GRAPHS[name]))
    assert found.startswith("ModelError"), found


@pytest.mark.parametrize("root", [0, 4, 5, 8, 24, 2**16, 2**31, 2**32 - 1])
def test_eight_bytes(root: int) -> None:
    """#115308: a root table behind the end."""
    assert outcome(struct.pack("<I", root) + b"TFL3").startswith("ModelError")


def caller(op: str, subgraph: int, **options: Any) -> bytes:
    """Graph 0 calls `subgraph` by `op`, and graph 1 graph 0 by the same."""
    g = GraphBuilder()
    for number, callee in enumerate((subgraph, 0)):
        if number:
            g.subgraph("other")
        x, y = g.input((1,), "int32"), g.tensor((1,), "int32")
        named = {k: callee if v is ... else v for k, v in options.items()}
        inputs = [g.constant(np.array([True])), x] if op == "IF" else [x]
        once = op == "CALL_ONCE"
        g.op(op, [] if once else inputs, [] if once else [y], **named)
        if once:
            g.op("RELU", [x], [y])
        g.outputs(y)
    return g.build()


@pytest.mark.parametrize("subgraph", [-1, 0, 1, 2, 2**31 - 1])
@pytest.mark.parametrize(
    ("op", "options"),
    [
        ("WHILE", {"condSubgraphIndex": ..., "bodySubgraphIndex": ...}),
        ("IF", {"thenSubgraphIndex": ..., "elseSubgraphIndex": ...}),
        ("CALL_ONCE", {"initSubgraphIndex": ...}),
        ("STABLEHLO_COMPOSITE", None),
    ],
    ids=["while", "if", "call_once", "composite"],
)
def test_graphs_that_call_each_other(op: str, options: dict[str, Any] | None, subgraph: int) -> None:
    """2021-29591: round in a circle, or to graphs that are not there."""
    if options is not None:
        file = caller(op, subgraph, **options)
    else:
        schema = tflite_file.schema()

        def change(tree: Any) -> None:
            for graph, callee in zip(tree.subgraphs, (subgraph, 0)):
                node = graph.operators[0]
                node.builtinOptions2Type = schema.BuiltinOptions2.StableHLOCompositeOptions
                node.builtinOptions2 = schema.StableHLOCompositeOptionsT(
                    name="odml.test", decompositionSubgraphIndex=callee
                )

        file = changed(caller(op, subgraph), change)
    found = outcome(file)
    assert found.startswith(("ModelError", "UnsupportedOpError")), found


def sparse(change: Callable[[Any], None]) -> bytes:
    g = GraphBuilder()
    w, y = g.sparse(np.eye(6, 6, dtype=np.float32), (2, 3)), g.tensor((6, 6), "float32")
    g.op("DENSIFY", [w], [y])
    return changed(g.build([y]), lambda tree: change(tree.subgraphs[0].tensors[0].sparsity))


def level(key: str, value: Any, number: int = 1) -> Callable[[Any], None]:
    """Sets a field of a dimension's metadata; level 1 is the compressed one."""
    return lambda s: setattr(s.dimMetadata[number], key, value)


def vector(key: str, values: list[int]) -> Callable[[Any], None]:
    return lambda s: setattr(getattr(s.dimMetadata[1], key), "values", np.array(values))


SPARSE: dict[str, Callable[[Any], None]] = {
    "segments beyond the indices": vector("arraySegments", [0, 2, 4, 999]),
    "negative segments": vector("arraySegments", [-5, 2, 4, 6]),
    "segments that fall": vector("arraySegments", [0, 6, 2, 4]),
    "too few segments": vector("arraySegments", [0, 6]),
    "no segments": level("arraySegments", None),
    "indices beyond the matrix": vector("arrayIndices", [0, 200, 0, 1, 0, 1]),
    "too few indices": vector("arrayIndices", [0]),
    "no indices": level("arrayIndices", None),
    "dense size 0": level("denseSize", 0, 0),
    "dense size beyond": level("denseSize", 2**31 - 1, 0),
    "dense size -1": level("denseSize", -1, 0),
    "order out of range": lambda s: setattr(s, "traversalOrder", i([0, 9, 2, 3])),
    "order negative": lambda s: setattr(s, "traversalOrder", i([0, -1, 2, 3])),
    "order twice": lambda s: setattr(s, "traversalOrder", i([0, 0, 2, 3])),
    "no order": lambda s: setattr(s, "traversalOrder", None),
    "block of no axis": lambda s: setattr(s, "blockMap", i([0, 7])),
    "block of an axis twice": lambda s: setattr(s, "blockMap", i([1, 1])),
    "fewer levels": lambda s: s.dimMetadata.pop(),
    "no levels": lambda s: setattr(s, "dimMetadata", None),
}


@pytest.mark.parametrize("name", SPARSE)
def test_sparse_constant_is_refused(name: str) -> None:
    """2022-23560"""
    assert outcome(sparse(lambda s: None)) == "ran"
    found = outcome(sparse(SPARSE[name]))
    assert found.startswith("ModelError"), found
