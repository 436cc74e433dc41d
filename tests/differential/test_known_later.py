"""Every op with its constants given as inputs: what is known only while running gives the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the reference is ai-edge-litert: pip install -e '.[test]'")

from comparison import Tolerance, difference

from edge_sdk import _native
from edge_sdk.optimize import tflite_file

from .harness import REGISTRY, Draw, Generator, cases_from_environment, load_generators, seed_of
from .replay import write

load_generators()
SAMPLE = 6


def all_given(model: bytes) -> tuple[bytes, dict[int, np.ndarray[Any, Any]]]:
    """The model with its constants as inputs, and their values by tensor."""
    tree = tflite_file.read(model)
    graph = tree.subgraphs[0]
    parsed = _native.ParsedModel.from_bytes(model)
    values: dict[int, np.ndarray[Any, Any]] = {}
    for op in graph.operators:
        for index in op.inputs:
            if index < 0 or index in values or index in graph.inputs:
                continue
            tensor = graph.tensors[index]
            data = tree.buffers[tensor.buffer].data
            if data is None or len(data) == 0 or tensor.sparsity is not None:
                continue
            if parsed.tensors()[index]["dtype"] in ("int4", "string"):
                continue
            values[index] = np.array(parsed.constant(index))
            tensor.buffer = 0
            graph.inputs = [*graph.inputs, index]
    return tflite_file.write(tree), values


def run(model: bytes, values: dict[int, np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    plan = _native.Plan(_native.ParsedModel.from_bytes(model))
    session = _native.Session(plan, 2)
    for _ in range(2):  # the second run takes what the first one prepared
        for index, value in values.items():
            write(session, index, value)
        session.run()
        session.reset()
    return [np.array(session.view(index)) for index in plan.outputs()]


def compare(generator: Generator, number: int) -> None:
    draw = Draw(seed_of(generator, number))
    case = generator.make(draw, generator.kind)
    model = case.graph.build(case.outputs)
    given = dict(zip(_native.ParsedModel.from_bytes(model).inputs(), case.inputs))
    changed, constants = all_given(model)
    if not constants:
        return
    wanted = run(model, given)
    got = run(changed, {**given, **constants})
    found = difference(case.defined(got), case.defined(wanted), Tolerance(1e-6, 1e-6))
    assert not found, f"{generator.id} case {number}: {found}\n  {draw.params}"


@pytest.mark.parametrize("name", REGISTRY)
def test_constants_may_be_known_only_while_running(name: str) -> None:
    for number in cases_from_environment(SAMPLE):
        compare(REGISTRY[name], number)
