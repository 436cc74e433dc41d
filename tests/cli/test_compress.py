"""edge-sdk compress: from a float model to the version that keeps to a budget."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("litert_quantizer", reason="compressing quantizes: pip install -e '.[optimize]'")

import edge_sdk
from edge_sdk.cli import main
from edge_sdk.resources import folder

FLOAT = folder("models") / "fashion_mnist" / "fashion_mnist_float.tflite"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Noise of several kinds and what the model calls it: labels that it knows by heart."""
    rng = np.random.default_rng(0)
    x = np.clip(rng.random((60, 28, 28, 1)) * rng.random((60, 1, 1, 1)) * 2, 0, 1).astype(np.float32)
    x[:, :, rng.integers(4, 20) :] *= rng.random((60, 1, 1, 1)) > 0.5
    model = edge_sdk.load(FLOAT)
    path = tmp_path_factory.mktemp("samples") / "noise.npz"
    np.savez(path, x=x, y=np.array([int(model.run(each[None])[0].argmax()) for each in x]))
    return str(path)


def compress(
    capsys: pytest.CaptureFixture[str], samples: str, out: Path, budget: str, *more: str
) -> tuple[int, Any]:
    words = ["compress", str(FLOAT), "-o", str(out), "--data", samples, "--budget", budget, "--epochs", "0"]
    status = main([*words, *more, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_it_stops_at_the_first_version_that_keeps_to_the_budget(
    capsys: pytest.CaptureFixture[str], samples: str, tmp_path: Path
) -> None:
    before = hashlib.sha256(FLOAT.read_bytes()).digest()
    out = tmp_path / "small.tflite"
    status, found = compress(capsys, samples, out, "size<=100KB drop<=50")
    assert status == 0
    assert found["chosen"] == "int8"
    assert [row["name"] for row in found["rows"]] == ["fashion_mnist_float", "int8"]
    assert out.stat().st_size <= 100_000
    assert edge_sdk.load(out).inputs[0].dtype == np.int8
    assert edge_sdk.load(out).labels == edge_sdk.load(FLOAT).labels
    steps = tmp_path / "small.tflite.steps"
    assert {p.name for p in steps.iterdir()} >= {"report.json", "report.png", "report.html", "int8.tflite"}
    assert hashlib.sha256(FLOAT.read_bytes()).digest() == before


def test_what_cannot_be_reached_is_marked_and_steps_are_not_done_again(
    capsys: pytest.CaptureFixture[str], samples: str, tmp_path: Path
) -> None:
    out = tmp_path / "small.tflite"
    status, found = compress(capsys, samples, out, "size<=2KB")
    assert status == 3
    assert found["chosen"] == "pruned_25_int8"  # the smallest is the nearest
    assert "size<=2KB" in found["missed"][0]
    assert len(found["rows"]) == 7
    steps = tmp_path / "small.tflite.steps"
    made = {p: p.stat().st_mtime_ns for p in steps.glob("*.tflite")}
    (steps / "pruned_25_int8.tflite").unlink()  # as if it had been interrupted there
    again, repeated = compress(capsys, samples, out, "size<=2KB")
    assert again == 3
    assert repeated["chosen"] == found["chosen"]
    anew = [p.name for p in made if p.stat().st_mtime_ns != made[p]]
    assert anew == ["pruned_25_int8.tflite"]


def test_a_budget_that_nothing_can_tell_is_refused_before_the_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    np.savez(tmp_path / "bare.npz", x=np.zeros((20, 28, 28, 1), np.float32))
    words = ["--data", str(tmp_path / "bare.npz"), "--budget", "drop<=1 size<=1KB"]
    assert main(["compress", str(FLOAT), "-o", str(tmp_path / "o.tflite"), *words]) == 2
    assert "drop<=1 needs labels, and" in capsys.readouterr().err
    assert not (tmp_path / "o.tflite.steps").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--budget", "speed<=1"], "speed"),
        (["--budget", "size<=1KB", "--data", "/nowhere.npz"], "nowhere"),
        (["--budget", "size<=1KB", "-o", str(FLOAT)], "another name"),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], samples: str, tmp_path: Path, arguments: list[str], words: str
) -> None:
    given = ["compress", str(FLOAT), "-o", str(tmp_path / "o.tflite"), "--data", samples]
    assert main([*given, *arguments]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
