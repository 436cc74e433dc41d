"""Models without signature and labels, whose inputs, weights or outputs are not the usual ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import GraphBuilder

import edge_sdk
from edge_sdk.cli import main, samples
from edge_sdk.errors import InputError
from edge_sdk.optimize import data, timing
from edge_sdk.optimize.quantize import report
from edge_sdk.resources import folder
from edge_sdk.types import Array

from . import float_models

FLOAT = folder("models") / "fashion_mnist" / "fashion_mnist_float.tflite"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(timing, "_SECONDS", 0.0)
    return tmp_path


def words_as_floats() -> bytes:
    """Float inputs that are indices into a table of 12 words, as older text classifiers have."""
    rng = np.random.default_rng(0)
    g = GraphBuilder()
    x = g.input((1, 6), "float32")
    numbers = g.tensor((1, 6), "int32")
    g.op("CAST", [x], [numbers])
    words = g.tensor((1, 6, 8), "float32")
    g.op("GATHER", [g.constant(rng.standard_normal((12, 8)).astype(np.float32)), numbers], [words], axis=0)
    mean = g.tensor((1, 8), "float32")
    g.op("MEAN", [words, g.constant(np.array([1], np.int32))], [mean], keepDims=False)
    for given, made in ((8, 32), (32, 3)):
        weights = g.constant(rng.standard_normal((made, given)).astype(np.float32))
        y = g.tensor((1, made), "float32")
        activation = "RELU" if made > 3 else "NONE"
        g.op("FULLY_CONNECTED", [mean, weights, g.constant(np.zeros(made, np.float32))], [y],
             fusedActivationFunction=activation)  # fmt: skip
        mean = y
    return g.build(outputs=[mean])


def test_random_values_stand_in_for_indices_too(capsys: pytest.CaptureFixture[str]) -> None:
    Path("words.tflite").write_bytes(words_as_floats())
    assert main(["prune", "words.tflite", "-o", "p.tflite", "--macs", "0.5"]) == 0
    assert main(["compare", "words.tflite", "p.tflite"]) == 0
    pytest.importorskip("litert_quantizer", reason="not run for want of litert-quantizer ('.[optimize]')")
    assert main(["quantize", "words.tflite", "-o", "q.tflite", "--mode", "dynamic"]) == 0
    assert capsys.readouterr().err == ""


def test_samples_that_are_no_indices_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("words.tflite").write_bytes(words_as_floats())
    np.savez("data.npz", x=np.full((20, 6), 99, np.float32))
    assert main(["prune", "words.tflite", "-o", "p.tflite", "--macs", "0.5", "--data", "data.npz"]) == 2
    told = capsys.readouterr().err
    assert "GATHER: index 99 is outside of an axis of 12" in told
    assert told.count("\n") == 1


def test_blocks_of_float16_weights_are_left_alone_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    Path("half.tflite").write_bytes(float_models.network(half=True))
    assert main(["prune", "half.tflite", "-o", "s.tflite", "--sparsity", "block"]) == 2
    told = capsys.readouterr().err
    assert "4 layers left alone: its weights are unpacked by other ops, as from float16; quantize" in told
    assert told.count("\n") == 1


def test_results_of_changing_shape_are_refused() -> None:
    class Detector:
        """Gives as many boxes as it finds."""

        def __init__(self) -> None:
            model = edge_sdk.load(FLOAT)
            self.inputs, self.outputs, self.metadata = model.inputs, model.outputs, model.metadata

        def run(self, inputs: Sequence[Array]) -> list[Any]:
            return [np.zeros((int(inputs[0].sum()), 7), np.float32)]

    x = np.zeros((3, 28, 28, 1), np.float32)
    x[:, 0, 0, 0] = 2, 2, 5
    assert data.results(Detector(), data.Samples((x[:2],)))[0].shape == (2, 2, 7)
    with pytest.raises(InputError, match=r"has the shape \[2, 7\] for one sample and \[5, 7\] for another"):
        data.results(Detector(), data.Samples((x,)))


def test_more_samples_than_fit_are_picked_from_and_that_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "_BYTES", 30 * 28 * 28 * 4)
    np.savez("data.npz", x=np.zeros((50, 28, 28), np.uint8), y=np.arange(50) % 10)
    arguments = ["compare", str(FLOAT), str(FLOAT), "--data", "data.npz"]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert "data.npz: 30 samples, evenly picked, fill 94.1 KB; name a limit for more" in told.err
    assert "30 samples from data.npz" in told.out
    assert main([*arguments, "--limit", "40"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "40 samples from data.npz" in told.out


def test_coded_layers_keep_their_codes_in_float16(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("litert_quantizer", reason="not run for want of litert-quantizer ('.[optimize]')")
    Path("mixed.tflite").write_bytes(float_models.network(coded_head=True))
    assert main(["quantize", "mixed.tflite", "-o", "f16.tflite", "--mode", "float16"]) == 0
    x = np.random.default_rng(0).random((1, 12, 12, 3), np.float32)
    before, after = (edge_sdk.load(name).run(x)[0] for name in ("mixed.tflite", "f16.tflite"))
    np.testing.assert_allclose(after, before, atol=0.01)
    assert Path("f16.tflite").stat().st_size < Path("mixed.tflite").stat().st_size


def test_silent_results_have_a_finite_distance() -> None:
    assert report._decibels(0.0, 1e30) == -report._decibels(1e30, 0.0) == -report._SQNR_MOST
    assert report._decibels(100.0, 1.0) == pytest.approx(20)


def test_what_litert_refuses_is_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("litert_quantizer", reason="not run for want of litert-quantizer ('.[optimize]')")
    g = GraphBuilder()
    x = g.input((1, 4), "float32")
    y, z = g.tensor((1, 3), "float32"), g.tensor((1, 3), "float32")
    g.op("FULLY_CONNECTED", [x, g.constant(np.ones((3, 4), np.float32)), g.constant(np.zeros(3, np.float32))],
         [y], fusedActivationFunction="NONE")  # fmt: skip
    g.op("FlexNobodyHasIt", [y], [z])
    Path("flex.tflite").write_bytes(g.build(outputs=[z]))
    np.savez("data.npz", x=np.zeros((20, 4), np.float32))
    for more in (["--data", "data.npz"], ["--mode", "float16"]):
        assert main(["quantize", "flex.tflite", "-o", "out.tflite", *more]) == 2
        assert "FlexNobodyHasIt" in capfd.readouterr().err
