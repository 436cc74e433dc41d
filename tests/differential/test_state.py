"""What an op keeps from run to run, and what a reset makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the reference is ai-edge-litert: pip install -e '.[test]'")

from builders import GraphBuilder
from comparison import difference

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


def halved(x: np.ndarray[Any, Any], times: int) -> np.ndarray[Any, Any]:
    """x / 2^times as TFLite rescales: half up once, then half away from zero."""
    y = (x + 1) >> 1
    return np.asarray((y + (1 << (times - 2)) - (y < 0)) >> (times - 1))


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
    kept = np.zeros((batches, units * rank, length), np.int64)
    for _ in range(6):
        codes = rng.integers(-128, 128, (batches, inputs))
        session.view(x)[...] = codes
        session.run()
        newest = np.clip(halved((codes - 3) @ features.T, 7), -128, 127)
        stored = (newest + zero).astype(np.int8).astype(np.int64)  # wraps, as there
        kept = np.concatenate([kept[:, :, 1:], (stored - zero)[:, :, None]], 2)
        sums = (kept * time).sum(2).reshape(batches, units, rank).sum(2) + bias
        wanted = np.clip(halved(sums, 6) + 5, -128, 127)
        np.testing.assert_array_equal(session.view(y), wanted)
