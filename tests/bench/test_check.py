"""`edge_sdk.bench.check` and `edge-sdk check`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import GraphBuilder

from edge_sdk import bench
from edge_sdk.errors import InputError, UnsupportedOpError

CLOTHING = Path(__file__).parents[2] / "models/fashion_mnist/fashion_mnist_int8.tflite"


@pytest.fixture
def parting(tmp_path: Path) -> str:
    """NEG, then SUM of int8, which the reference takes for unsigned, then RESHAPE of what has parted."""
    g = GraphBuilder()
    x = g.input((1, 8), "int8", scale=0.5)
    a = g.tensor((1, 8), "int8", scale=0.5)
    s, y = (g.tensor(shape, "int8", scale=4.0) for shape in ((1,), (1, 1)))
    g.op("NEG", [x], [a])
    g.op("SUM", [a, g.constant(np.array([1], np.int32))], [s])
    g.op("RESHAPE", [s, g.constant(np.array([1, 1], np.int32))], [y])
    path = tmp_path / "parting.tflite"
    path.write_bytes(g.build([y]))
    return str(path)


def command(*arguments: Any) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "edge_sdk", "check", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True)


def test_a_model_that_agrees_is_equal_in_every_tensor() -> None:
    found = bench.check(CLOTHING)
    assert found.agrees
    assert found.tensors > 3
    assert found.equal == found.tensors * found.runs


def test_the_first_parting_is_the_op_at_fault(parting: str) -> None:
    found = bench.check(parting, runs=1)
    assert not found.agrees
    first = found.partings[0]
    assert (first.op, first.run, first.share) == ("SUM", 0, 1.0)
    assert [p.op for p in found.partings] == ["SUM", "RESHAPE"]
    assert found.equal == found.tensors - 2


def test_inputs_that_do_not_fit_are_named(parting: str) -> None:
    with pytest.raises(InputError, match=r"int8 of shape \[1, 8\], got float32"):
        bench.check(parting, [np.zeros((1, 8), np.float32)])
    with pytest.raises(InputError, match="0 arrays for a model with 1 input"):
        bench.check(parting, [])


def test_an_op_that_nobody_has_is_named(tmp_path: Path) -> None:
    g = GraphBuilder()
    x = g.input((1, 8), "float32")
    y = g.tensor((1, 8), "float32")
    g.op("NobodysOp", [x], [y], custom_options=b"")
    path = tmp_path / "custom.tflite"
    path.write_bytes(g.build([y]))
    with pytest.raises(UnsupportedOpError, match="NobodysOp"):
        bench.check(path)


def test_the_command_names_the_first_difference_and_ends_with_1(parting: str, tmp_path: Path) -> None:
    done = command(CLOTHING, parting)
    assert done.returncode == 1, done.stderr
    rows = done.stdout.splitlines()
    assert "equal" in rows[2]
    assert "SUM" in rows[3]
    assert "differs" in rows[3]
    report = json.loads(command(CLOTHING, parting, "--json").stdout)["models"]
    assert [m["agrees"] for m in report] == [True, False]
    assert report[1]["partings"][0]["op"] == "SUM"
    assert command(CLOTHING).returncode == 0


def test_the_command_takes_inputs_from_a_file(parting: str, tmp_path: Path) -> None:
    # Codes that are the same as signed and as unsigned numbers: both add up the same.
    np.savez(tmp_path / "low.npz", np.full((1, 8), -3, np.int8))
    done = command(parting, "--inputs", tmp_path / "low.npz")
    assert done.returncode == 0, done.stdout
    assert command(parting, "--inputs", tmp_path / "none.npz").returncode == 2
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    bad = command(parting, "--inputs", tmp_path / "bad.npz")
    assert bad.returncode == 2
    assert len(bad.stderr.strip().splitlines()) == 1
