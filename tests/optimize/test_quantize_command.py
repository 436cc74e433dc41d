"""`edge-sdk quantize` as a user types it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge_sdk
from edge_sdk.cli import main
from edge_sdk.optimize import tflite_file

from . import float_models

pytest.importorskip("litert_quantizer", reason="not run for want of litert-quantizer")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder: model.tflite and data.npz with labels, plain.tflite and bare.npz without, a wrong.npz."""
    model = float_models.network()
    (tmp_path / "model.tflite").write_bytes(tflite_file.add_metadata(model, ["a", "b", "c", "d"]))
    given = float_models.samples(model, 120)
    np.savez(tmp_path / "data.npz", picture=given.inputs[0], y=given.labels)
    np.savez(tmp_path / "wrong.npz", picture=given.inputs[0][:, :5])
    plain = float_models.network(softmax=False)
    (tmp_path / "plain.tflite").write_bytes(plain)
    np.savez(tmp_path / "bare.npz", picture=given.inputs[0][:40])
    return tmp_path


def run(folder: Path, model: str, *arguments: Any) -> int:
    before = hashlib.sha256((folder / model).read_bytes()).hexdigest()
    status = main(["quantize", str(folder / model), *map(str, arguments)])
    assert hashlib.sha256((folder / model).read_bytes()).hexdigest() == before
    return status


def test_a_file_and_a_report(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(here, "model.tflite", "-o", here / "small.tflite", "--data", here / "data.npz") == 0
    told = capsys.readouterr().out
    assert "SQNR dB" in told
    assert "top-1: 100.00 % ->" in told
    assert "times smaller" in told
    small = edge_sdk.load(here / "small.tflite")
    assert small.inputs[0].dtype == np.int8
    assert small.labels == ("a", "b", "c", "d")


def test_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("-o", here / "small.tflite", "--data", here / "data.npz", "--ranges", "mse", "--json")
    assert run(here, "model.tflite", *arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bytes_after"] == (here / "small.tflite").stat().st_size
    assert told["quality"]["measure"] == "top-1"
    assert told["settings"]["ranges"] == "mse"
    assert {layer["weights"] for layer in told["layers"]} == {"int8", ""}


def test_a_target_that_cannot_be_met_gives_the_nearest_and_3(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("-o", here / "small.tflite", "--data", here / "bare.npz", "--max-drop", "0", "--json")
    assert run(here, "plain.tflite", *arguments) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["met"] is False
    assert 0 < told["quality"]["drop"] < 1
    assert (here / "small.tflite").stat().st_size == told["bytes_after"] < told["bytes_before"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "small.tflite"], "needs samples"),
        (["-o", "small.tflite", "--max-drop", "1"], "--max-drop needs --data"),
        (["-o", "small.tflite", "--data", "wrong.npz"], "has shape [120, 5, 12, 3]"),
        (["-o", "small.tflite", "--data", "none.npz"], "none.npz"),
        (["-o", "model.tflite", "--data", "data.npz"], "never changed"),
        (["-o", "none/small.tflite", "--data", "data.npz"], "cannot write"),
        (["-o", "s.tflite", "--data", "data.npz", "--mode", "int16", "--max-drop", "1"], "from mode int8"),
    ],
)
def test_mistakes_are_told_in_one_line(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(here)
    assert run(here, "model.tflite", *arguments) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
    assert not list(here.glob("s*.tflite"))


def test_a_quantized_model_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(here, "model.tflite", "-o", here / "small.tflite", "--data", here / "data.npz") == 0
    capsys.readouterr()
    assert run(here, "small.tflite", "-o", here / "smaller.tflite", "--mode", "dynamic") == 2
    assert "quantized already" in capsys.readouterr().err
