"""Real models: not one byte differs from the reference, at any thread count, on any ISA of this CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ai_edge_litert", reason="the reference is ai-edge-litert: pip install -e '.[test]'")

from .recording import LARGE, SMALL, RealModel, record

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
