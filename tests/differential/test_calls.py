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
from edge_sdk.errors import InputError, ModelError
from edge_sdk.optimize import tflite_file

from .replay import ours


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
        (counter(subgraph=9), ModelError, "CALL_ONCE names subgraph 9 of 2"),
        (counter(subgraph=-1), ModelError, "CALL_ONCE names subgraph -1 of 2"),
        (composite(subgraph=7), ModelError, "STABLEHLO_COMPOSITE names subgraph 7 of 2"),
        (composite(subgraph=0), ModelError, "subgraph 0 calls itself"),
    ],
)
def test_calls_that_lead_nowhere_are_refused(model: bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        _native.Plan(_native.ParsedModel.from_bytes(model))


def test_a_variable_that_is_read_into_nothing_is_refused() -> None:
    g = GraphBuilder()
    x, y = g.input((2, 3), "float32"), g.tensor((2, 3), "float32")
    g.op("ASSIGN_VARIABLE", [handle(g, "v"), x], [])
    g.op("READ_VARIABLE", [handle(g, "v")], [])
    g.op("NEG", [x], [y])
    with pytest.raises(ModelError, match="READ_VARIABLE"):
        _native.Plan(_native.ParsedModel.from_bytes(g.build([y])))


def test_a_variable_that_was_filled_with_another_shape_fails_the_run_and_names_the_op() -> None:
    session = _native.Session(_native.Plan(_native.ParsedModel.from_bytes(counter(start=(2, 2)))), 1)
    for _ in range(2):  # the session stays usable, and the fault is still there
        with pytest.raises(InputError, match=r"ADD: shapes \[2,2\] and \[2,3\]"):
            session.run()


def test_a_loop_whose_body_only_swaps_its_inputs() -> None:
    """LiteRT copies outputs over inputs one after the other, so that both end up alike."""
    g = GraphBuilder()
    i, a, b = g.input((), "int32"), g.input((3,), "float32"), g.input((3,), "float32")
    outputs = [g.tensor((), "int32"), g.tensor((3,), "float32"), g.tensor((3,), "float32")]
    g.op("WHILE", [i, a, b], outputs, condSubgraphIndex=1, bodySubgraphIndex=2)
    g.outputs(*outputs)
    g.subgraph("condition")
    i, a, b = g.input((), "int32"), g.input((3,), "float32"), g.input((3,), "float32")
    more = g.tensor((), "bool")
    g.op("LESS", [i, g.constant(np.array(3, np.int32))], [more])
    g.outputs(more)
    g.subgraph("body")
    i, a, b = g.input((), "int32"), g.input((3,), "float32"), g.input((3,), "float32")
    j = g.tensor((), "int32")
    g.op("ADD", [i, g.constant(np.array(1, np.int32))], [j], fusedActivationFunction="NONE")
    g.outputs(j, b, a)
    model = g.build()
    first, second = np.array([1, 2, 3], np.float32), np.array([4, 5, 6], np.float32)
    for start in (0, 1, 2, 3):
        count, x, y = ours(model, [np.array(start, np.int32), first, second])
        assert count == 3
        wanted = (second, first) if start % 2 == 0 else (first, second)
        np.testing.assert_array_equal([x, y], wanted)
