"""Variables that handles name, what fills them once, and composites: beside LiteRT over several runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the reference is ai-edge-litert: pip install -e '.[test]'")

from ai_edge_litert import schema_py_generated as S
from builders import GraphBuilder
from flatbuffers import flexbuffers

from edge_sdk import _native, bench
from edge_sdk.errors import ModelError, UnsupportedOpError
from edge_sdk.optimize import tflite_file


def handle(g: GraphBuilder, name: str) -> int:
    h = g.tensor((), "resource")
    g.op("VAR_HANDLE", [], [h], container="box", sharedName=name)
    return h


def counter(start: tuple[int, ...] = (2, 3), subgraph: int = 1) -> bytes:
    """y = before; before = before + x, with a start of 5, beside a variable that is never read."""
    g = GraphBuilder()
    x = g.input((2, 3), "float32")
    y, after = g.tensor((2, 3), "float32"), g.tensor((2, 3), "float32")
    g.op("CALL_ONCE", [], [], initSubgraphIndex=subgraph)
    g.op("READ_VARIABLE", [handle(g, "sum")], [y])
    g.op("ADD", [y, x], [after])
    g.op("ASSIGN_VARIABLE", [handle(g, "sum"), after], [])
    g.op("ASSIGN_VARIABLE", [handle(g, "last"), x], [])
    g.outputs(y, after)
    g.subgraph("once")
    g.op("ASSIGN_VARIABLE", [handle(g, "sum"), g.constant(np.full(start, 5, np.float32))], [])
    g.outputs()
    return g.build()


def composite(subgraph: int = 1) -> bytes:
    """y = -(x + 1)^2, whose square and sum are a composite."""
    g = GraphBuilder()
    x = g.input((4,), "float32")
    s, y = g.tensor((4,), "float32"), g.tensor((4,), "float32")
    g.op("STABLEHLO_COMPOSITE", [x], [s])
    g.op("NEG", [s], [y])
    g.outputs(y)
    g.subgraph("one_more_squared")
    a, b, c = g.input((4,), "float32"), g.tensor((4,), "float32"), g.tensor((4,), "float32")
    g.op("ADD", [a, g.constant(np.ones(4, np.float32))], [b])
    g.op("SQUARE", [b], [c])
    g.outputs(c)
    tree = tflite_file.read(g.build())
    options: Any = S.StableHLOCompositeOptionsT(name="test.squared", decompositionSubgraphIndex=subgraph)
    options.compositeAttributes = np.frombuffer(bytes(flexbuffers.Dumps({})), np.uint8)
    node = tree.subgraphs[0].operators[0]
    node.builtinOptions2Type = S.BuiltinOptions2.StableHLOCompositeOptions
    node.builtinOptions2 = options
    return tflite_file.write(tree)


@pytest.mark.parametrize("model", [counter(), composite()], ids=["variables", "composite"])
def test_equals_the_reference_over_several_runs(model: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(model)
    found = bench.check(path, runs=4)
    assert found.agrees
    assert found.equal == found.tensors * 4


def test_variables_start_as_filled_once_in_every_session_and_after_a_reset() -> None:
    plan = _native.Plan(_native.ParsedModel.from_bytes(counter()))
    x, (y, after) = plan.inputs()[0], plan.outputs()

    def run(session: Any) -> tuple[float, float]:
        session.view(x)[...] = 2
        session.run()
        return session.view(y)[0, 0], session.view(after)[1, 2]

    first = _native.Session(plan, 1)
    assert [run(first), run(first)] == [(5, 7), (7, 9)]
    assert run(_native.Session(plan, 1)) == (5, 7)
    first.reset()
    assert run(first) == (5, 7)


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        (counter(start=(2, 2)), UnsupportedOpError, "CALL_ONCE.*another type or shape"),
        (counter(subgraph=9), ModelError, "calls subgraph 9 of 2"),
        (counter(subgraph=-1), ModelError, "calls subgraph -1"),
        (composite(subgraph=7), ModelError, "calls subgraph 7 of 2"),
        (composite(subgraph=0), ModelError, "call themselves"),
    ],
)
def test_calls_that_lead_nowhere_are_refused(model: bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        _native.Plan(_native.ParsedModel.from_bytes(model))
