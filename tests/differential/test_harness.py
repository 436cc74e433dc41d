"""The differential tests can fail: defects planted in our side of the comparison are found."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the reference is ai-edge-litert: pip install -e '.[test]'")

from comparison import Tolerance, difference

from . import replay
from .harness import REGISTRY, load_generators, recorded, reference, run_cases

load_generators()


def off_by_one(model: bytes, inputs: Any, threads: int) -> list[Any]:
    outputs = reference(model, inputs)
    outputs[0].reshape(-1)[-1] ^= 1
    return outputs


def test_one_wrong_bit_is_found_and_the_case_named() -> None:
    with pytest.raises(AssertionError, match=r"ADD-int8 case 0 .*1 of \d+ elements differ") as caught:
        run_cases(REGISTRY["ADD-int8"], range(3), off_by_one)
    assert "EDGE_CASE=0" in str(caught.value)


def test_reference_agrees_with_itself() -> None:
    run_cases(REGISTRY["ADD-int8"], range(3), lambda model, inputs, threads: reference(model, inputs))


def test_recorded_cases_replay_as_in_an_emulator(tmp_path: Path, capsys: Any) -> None:
    names = ("ADD-int8", "TILE-string", "EQUAL-string")
    cases = [case for name in names for case in recorded(REGISTRY[name], range(3))]
    file = tmp_path / "cases.pickle"
    file.write_bytes(pickle.dumps(cases))
    assert replay.main(str(file)) == 0, capsys.readouterr().out
    cases[0][3][0].reshape(-1)[0] ^= 1
    file.write_bytes(pickle.dumps(cases))
    assert replay.main(str(file)) == 1


@pytest.mark.parametrize(
    "got",
    [
        [np.zeros(3, np.int16)],
        [np.zeros((3, 1), np.int8)],
        [np.zeros(3, np.int8)] * 2,
        [np.array([0, 0, 1], np.int8)],
    ],
    ids=["type", "shape", "count", "value"],
)
def test_differences(got: list[Any]) -> None:
    assert difference(got, [np.zeros(3, np.int8)], Tolerance(1e9, 1e9)) != ""


def test_tolerance_is_for_floats_and_nan_equals_nan() -> None:
    wanted = [np.array([1.0, np.nan, np.inf], np.float32)]
    assert difference([np.array([1.05, np.nan, np.inf], np.float32)], wanted, Tolerance(0.1)) == ""
    assert "first at [0]" in difference([np.array([1.2, np.nan, np.inf], np.float32)], wanted, Tolerance(0.1))
    assert "first at [1]" in difference([np.array([1.0, 1.0, np.inf], np.float32)], wanted, Tolerance(0.1))
    assert "first at [2]" in difference([np.array([1.0, np.nan, 9.0], np.float32)], wanted, Tolerance(0.1))
