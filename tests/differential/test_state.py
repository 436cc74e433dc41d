"""What an op keeps from run to run, and what a reset makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the reference is ai-edge-litert: pip install -e '.[test]'")

from builders import GraphBuilder
from comparison import difference
from expected.integers import svdf

from edge_sdk import _native

from .harness import REGISTRY, Draw, Generator, load_generators, seed_of, with_shapes

load_generators()
STATEFUL = [g.id for g in REGISTRY.values() if g.make.__module__.endswith((".recurrent", ".rnn"))]


def interpreter(model: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    made = Interpreter(model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    made.allocate_tensors()
    return made


def runs(generator: Generator, number: int) -> None:
    """Three runs, a reset, and one more, beside LiteRT."""
    draw = Draw(seed_of(generator, number))
    case = generator.make(draw, generator.kind)
    theirs = interpreter(case.graph.build(case.outputs))
    theirs.invoke()
    details = theirs.get_output_details(), theirs.get_input_details()
    model = with_shapes(
        case.graph.build(case.outputs),
        case.outputs,
        [theirs.get_tensor(d["index"]) for d in details[0]],
    )
    theirs = interpreter(model)
    session = _native.Session(_native.Plan(_native.ParsedModel.from_bytes(model)), 2)
    for turn in range(4):
        if turn == 3:
            theirs.reset_all_variables()
            session.reset()
        for detail, value in zip(details[1], case.inputs):
            theirs.set_tensor(detail["index"], value)
            session.view(detail["index"])[...] = value
        theirs.invoke()
        session.run()
        wanted = [theirs.get_tensor(d["index"]) for d in details[0]]
        got = [np.array(session.view(d["index"])) for d in details[0]]
        assert not difference(got, wanted, generator.tolerance), f"case {number}, run {turn}: {draw.params}"


@pytest.mark.parametrize("name", STATEFUL)
def test_state_is_kept_and_reset(name: str) -> None:
    for number in range(1000, 1012):
        runs(REGISTRY[name], number)


def test_svdf_with_a_memory_of_int8() -> None:
    """As files for microcontrollers have it; LiteRT takes the codes for int16."""
    rng = np.random.default_rng(1)
    batches, inputs, units, rank, length, zero = 2, 7, 5, 2, 4, -9
    features = rng.integers(-127, 128, (units * rank, inputs))
    time = rng.integers(-127, 128, (units * rank, length))
    bias = rng.integers(-500, 500, units)
    g = GraphBuilder()
    x = g.input((batches, inputs), "int8", scale=0.5, zero_point=3)
    w = g.constant(features.astype(np.int8), scale=0.25)
    t = g.constant(time.astype(np.int8), scale=0.125)
    b = g.constant(bias.astype(np.int32))
    memory = g.tensor((batches, units * rank * length), "int8", variable=True, scale=16.0, zero_point=zero)
    y = g.tensor((batches, units), "int8", scale=128.0, zero_point=5)
    g.op("SVDF", [x, w, t, b, memory], [y], rank=rank, fusedActivationFunction="RELU")
    model = g.build([y])
    session = _native.Session(_native.Plan(_native.ParsedModel.from_bytes(model)), 1)
    kept = np.full((batches, units * rank, length), zero, np.int8)
    for _ in range(6):
        codes = rng.integers(-128, 128, (batches, inputs))
        session.view(x)[...] = codes
        session.run()
        scales = (0.5, 0.25, 16.0, 0.125, 128.0)
        wanted, kept = svdf(codes, features, time, bias, kept, (3, zero, 5), scales)
        np.testing.assert_array_equal(session.view(y), wanted)
