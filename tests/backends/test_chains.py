"""Ops that run together, a few rows at a time, are still seen one by one from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_models

import edge_sdk
from edge_sdk import bench
from edge_sdk.backends import native
from edge_sdk.bench.inputs import random_inputs
from edge_sdk.cli import inspect
from edge_sdk.errors import InputError

OPS = ["CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "block.tflite"
    file.write_bytes(small_models.block_model())
    return file


def kernels(model: Path) -> list[str]:
    (step,) = native.load(str(model), 1).plan.steps()
    return [part["kernel"] for part in step["parts"]]


def test_placement_and_inspect_name_the_kernel_of_each_op(model: Path) -> None:
    placed = edge_sdk.load(model, backend="native").placement()
    assert [p.op for p in placed] == OPS
    assert [p.kernel for p in placed] == kernels(model)
    assert {p.reason for p in placed} == {"the native backend runs it"}
    report = inspect.describe(str(model))
    (step,) = report["steps"]
    assert [part["nodes"] for part in step["parts"]] == [[0], [1], [2]]
    assert report["arena_bytes"] == 2 * 64 * 64 * 8  # input and output, nothing between


def test_a_profile_has_one_row_for_a_chain(model: Path) -> None:
    (row,) = bench.profile(model, threads=1, runs=2, measured={})
    assert row.nodes == (0, 1, 2)
    assert row.macs == 64 * 64 * 48 * (8 + 9 + 8)
    assert row.op.split("+") == OPS
    assert row.kernel.split("+") == kernels(model)


def test_values_inside_a_chain_are_there_if_all_are_kept(model: Path) -> None:
    interpreter = edge_sdk.Interpreter(str(model))
    interpreter.allocate_tensors()
    interpreter.invoke()
    inner = native.load(str(model), 1).parsed.nodes()[1]["outputs"][0]
    with pytest.raises(InputError, match="preserve_all"):
        interpreter.get_tensor(inner)
    keeping = edge_sdk.Interpreter(str(model), experimental_preserve_all_tensors=True)
    keeping.allocate_tensors()
    x = random_inputs(edge_sdk.load(model).inputs)[0]
    for each in (interpreter, keeping):
        each.set_tensor(each.get_input_details()[0]["index"], x)
        each.invoke()
    (y, wanted) = (i.get_tensor(i.get_output_details()[0]["index"]) for i in (interpreter, keeping))
    assert len(np.unique(keeping.get_tensor(inner))) > 20
    np.testing.assert_array_equal(y, wanted)


def test_tune_tells_two_ops_of_a_chain_apart(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (step,) = native.load(str(model), 1).plan.steps()
    last = step["parts"][2]
    others = [k for k in last["candidates"] if k != last["kernel"]]
    if not others:
        pytest.skip("this CPU has one kernel for it")

    def profile(runner: Any) -> list[int]:
        parts = native.parts_of(runner.steps())
        cost = 500 if parts[2]["kernel"] == others[0] else 1000
        cost += 1000 * (parts[0]["kernel"] != step["parts"][0]["kernel"])
        return [cost // len(runner.steps())] * len(runner.steps())

    monkeypatch.setattr("edge_sdk.bench.choice._slow", lambda *_: False)
    monkeypatch.setattr(native.NativeRunner, "profile", profile)
    found = bench.tune(model, threads=1, runs=2)
    assert found.tuning.kernels == {2: others[0]}
    assert found.measured == 3
