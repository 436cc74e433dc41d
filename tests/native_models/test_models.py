"""Real models: not one byte differs from the reference, at any thread count, on any ISA of this CPU."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ai_edge_litert", reason="the reference is ai-edge-litert: pip install -e '.[test]'")

from edge_sdk.errors import UnsupportedOpError

from .recording import DEEP_FLOAT, LARGE, SMALL, RealModel, record

COMPARE = Path(__file__).with_name("compare.py")
THREADS = ("1", "2", "3")


def check(model: RealModel, stash: Path, folder: Path) -> None:
    from edge_sdk import _native

    file, cases = record(model, stash, folder)
    for isa in dict.fromkeys(("scalar", *_native.detected_isas())):
        result = subprocess.run(
            [sys.executable, str(COMPARE), str(file), str(cases), *THREADS],
            env={**os.environ, "EDGE_ISA": isa},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, f"{model.path} on {isa}:\n{result.stdout}{result.stderr[-3000:]}"


@pytest.mark.parametrize("model", SMALL, ids=lambda m: m.path)
def test_small_model(model: RealModel, stash: Path, tmp_path: Path) -> None:
    check(model, stash, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("model", LARGE, ids=lambda m: m.path)
def test_large_model(model: RealModel, stash: Path, tmp_path: Path) -> None:
    check(model, stash, tmp_path)


@pytest.mark.full
def test_every_other_model_that_we_run(stash: Path, tmp_path: Path) -> None:
    """Integers equal, floats near; a model with an op that we lack is left to its own test."""
    # Its SUM of int8: the reference takes the codes for uint8 (differential/test_beyond_reference.py).
    wrong_in_reference = {"tensorflow+flutter-tflite/movinet_int8"}
    listed = {model.path for model in (*SMALL, *LARGE)} | wrong_in_reference
    with open(stash / "catalog.csv", newline="") as catalog:
        rows = [row for row in csv.DictReader(catalog) if row["litert_runs"] == "True"]
    wanted = [
        row["path"].removeprefix("real/").removesuffix(".tflite")
        for row in rows
        if row["path"].startswith("real/") and float(row["mmacs"]) < 1000
    ]
    failures, refused, ran = [], [], 0
    for path in sorted(set(wanted) - listed):
        file = stash / "real" / f"{path}.tflite"
        if not runs_here(file):
            continue
        try:
            recorded = record(RealModel(path, DEEP_FLOAT), stash, tmp_path)
        except RuntimeError as error:  # a custom op that only LiteRT's delegates know
            refused.append(f"{path}: {error}")
            continue
        ran += 1
        command = [sys.executable, str(COMPARE), *map(str, recorded), "2"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            failures.append(f"{path}: {result.stdout}{result.stderr[-500:]}")
    assert not failures, "\n".join(failures)
    assert len(refused) <= 7, "\n".join(refused)
    assert ran > 50


def runs_here(file: Path) -> bool:
    """Whether all its ops are ours and its inputs are such that random ones make sense."""
    from edge_sdk import _native

    try:
        plan = _native.Plan(_native.ParsedModel.from_path(str(file)))
    except UnsupportedOpError:
        return False
    return all(plan.tensor(tensor)["dtype"] in ("int8", "uint8", "float32") for tensor in plan.inputs())
