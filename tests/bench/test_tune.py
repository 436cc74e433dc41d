"""Tuning: what is measured, the file beside the model, and what happens with files that do not fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge_sdk
from edge_sdk import bench, tuning
from edge_sdk.backends import native
from edge_sdk.bench.inputs import random_inputs
from edge_sdk.errors import BackendError, TuningWarning

ROOT = Path(__file__).resolve().parent.parent.parent
CLOTHING = ROOT / "models" / "fashion_mnist" / "fashion_mnist_int8.tflite"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of a model, alone in its folder."""
    copy = tmp_path / "model.tflite"
    copy.write_bytes(CLOTHING.read_bytes())
    return copy


def other_kernel(model: Path) -> tuple[int, str, str]:
    """A node of the model, the kernel that it usually gets, and another that it could have."""
    for step in native.load(str(model), 1).plan.steps():
        for kernel in step["candidates"]:
            if kernel != step["kernel"]:
                return step["nodes"][0], step["kernel"], kernel
    pytest.skip("no step of the model has a choice on this CPU")


def tuned(model: Path, **changes: Any) -> tuning.Tuning:
    """A tuning for another kernel than the usual, written beside the model."""
    node, _, kernel = other_kernel(model)
    made = replace(tuning.here(model, native.isa(), 1, {node: kernel}), **changes)
    tuning.write(model, made)
    return made


def kernels_in_use(model: Path) -> dict[int, str]:
    return {s["nodes"][0]: s["kernel"] for s in native.load(str(model), 1).plan.steps()}


def test_a_tuned_model_uses_the_kernels_and_gives_the_same_bytes(model: Path) -> None:
    before = edge_sdk.load(model, backend="native", threads=1)
    inputs = random_inputs(before.inputs)
    made = tuned(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        after = edge_sdk.load(model, backend="native", threads=1)
        in_use = kernels_in_use(model)
    assert made.kernels.items() <= in_use.items()
    assert np.array_equal(before.run(inputs)[0], after.run(inputs)[0])
    # Sessions of other shapes and those that keep all tensors have plans of their own.
    interpreter = edge_sdk.Interpreter(str(model), experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()


def test_a_model_without_the_file_or_from_bytes_is_loaded_as_usual(model: Path) -> None:
    usual = kernels_in_use(model)
    tuned(model)
    assert kernels_in_use(model) != usual
    program = native.load(model.read_bytes(), 1)
    assert {s["nodes"][0]: s["kernel"] for s in program.plan.steps()} == usual


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"isa": "mmx"}, "instruction set 'mmx'"),
        ({"cpu": "Toaster 3000"}, "CPU 'Toaster 3000'"),
        ({"version": "0.0.0"}, "version '0.0.0'"),
        ({"model_sha256": "0" * 64}, "another model"),
        ({"kernels": {99999: "gemm"}}, "does not run"),
        ({"kernels": {0: "gemm_of_tomorrow"}}, "no kernel gemm_of_tomorrow"),
        ({"kernels": {-1: "x"}}, "damaged"),
    ],
)  # fmt: skip
def test_a_foreign_tuning_is_left_aside_with_the_reason(
    model: Path, changes: dict[str, Any], why: str
) -> None:
    usual = kernels_in_use(model)
    tuned(model, **changes)
    with pytest.warns(TuningWarning, match=why) as caught:
        assert edge_sdk.load(model, backend="native", threads=1).backend == "native"
    assert len(caught) == 1
    assert "model.tflite.tune.json" in str(caught[0].message)
    with pytest.warns(TuningWarning):
        assert kernels_in_use(model) == usual


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"[]", b"\xff\xfe", b"{}", b'{"format": 2}', b"[" * 100_000, b" " * ((1 << 20) + 1),
        b'{"format": 1, "model_sha256": 3}', b"null", b'"x"',
    ],
)  # fmt: skip
def test_a_damaged_tuning_is_left_aside(model: Path, text: bytes) -> None:
    tuning.path_beside(model).write_bytes(text)
    with pytest.warns(TuningWarning, match="damaged"):
        found = edge_sdk.load(model, backend="native", threads=1)
    assert found.run(random_inputs(found.inputs))


def test_every_cut_and_every_changed_value_of_a_file_is_survived(model: Path) -> None:
    tuned(model)
    file = tuning.path_beside(model)
    whole = json.loads(file.read_text())
    for key in whole:
        for value in (None, [], {}, "", -1, "x" * 1000, {"0": None}, {"x": "y"}):
            file.write_text(json.dumps({**whole, key: value}))
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                edge_sdk.load(model, backend="native", threads=1)
            assert all(issubclass(w.category, TuningWarning) for w in caught), (key, value)


def test_writing_where_nobody_may_is_an_error_that_names_the_file(model: Path) -> None:
    made = tuning.here(model, native.isa(), 1, {})
    with pytest.raises(BackendError, match=r"nowhere/m\.tflite\.tune\.json cannot be written"):
        tuning.write(model.parent / "nowhere" / "m.tflite", made)
    assert sorted(p.name for p in model.parent.iterdir()) == ["model.tflite"]


def test_cores_of_several_kinds_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = ("0xd08", "0xd03", "0xd08")
    cores = "".join(f"processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: {part}\n\n" for part in parts)
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: cores)
    assert tuning.cpu_name() == "0x41-0xd03 0x41-0xd08"


def test_tune_chooses_what_is_faster_and_keeps_nothing_else(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, usual, other = other_kernel(model)
    steps = native.load(str(model), 1).plan.steps()
    index = next(i for i, s in enumerate(steps) if s["nodes"][0] == node)
    cost = {usual: 1000, other: 500}
    monkeypatch.setattr("edge_sdk.bench.choice._slow", lambda *_: False)

    def profile(runner: Any) -> list[int]:
        now = runner._plan.steps()
        return [cost.get(s["kernel"], 2000) if i == index else 100 for i, s in enumerate(now)]

    monkeypatch.setattr(native.NativeRunner, "profile", profile)
    rounds: list[int] = []
    found = bench.tune(model, threads=1, runs=3, progress=rounds.append)
    assert rounds == [1, 2, 3, 4, 5, 6]
    (choice,) = found.choices
    assert (choice.node, choice.usual, choice.chosen) == (node, usual, other)
    assert (choice.usual_ms, choice.chosen_ms) == (0.001, 0.0005)
    assert found.tuning.kernels == {node: other}
    cost[other] = 990  # within the noise
    assert bench.tune(model, threads=1, runs=3).tuning.kernels == {}


def test_only_another_kernel_than_the_usual_is_a_choice(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first: list[Any] = []

    def profile(runner: Any) -> list[int]:
        first.append(runner)  # whatever runs first is disturbed
        now = runner._plan.steps()
        usual = [s["kernel"] for s in steps]
        return [200 if runner is first[0] else 100 if s["kernel"] == k else 900 for s, k in zip(now, usual)]

    steps = native.load(str(model), 1).plan.steps()
    monkeypatch.setattr("edge_sdk.bench.choice._slow", lambda *_: False)
    monkeypatch.setattr(native.NativeRunner, "profile", profile)
    assert bench.tune(model, threads=1, runs=2).choices == ()


def test_the_command_writes_a_file_that_load_accepts(model: Path) -> None:
    command = [sys.executable, "-m", "edge_sdk", "tune", str(model), "--runs", "3", "--threads", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["file"] == f"{model}.tune.json"
    assert json.loads(Path(report["file"]).read_text())["threads"] == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        edge_sdk.load(model, backend="native")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "with the usual kernels" in done.stdout
