"""The same models on emulated 64-bit ARM against outputs recorded on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ai_edge_litert", reason="the reference is ai-edge-litert: pip install -e '.[test]'")

from .recording import LARGE, SMALL, RealModel, record

COMPARE = Path(__file__).with_name("compare.py")


@pytest.mark.arm
@pytest.mark.parametrize("isa", ["scalar", "neon"])
@pytest.mark.parametrize("model", SMALL, ids=lambda m: m.path)
def test_small_model(model: RealModel, isa: str, arm_python: Any, stash: Path, tmp_path: Path) -> None:
    file, cases = record(model, stash, tmp_path)
    result = arm_python("cortex-a53", str(COMPARE), str(file), str(cases), "1", "2", "3", EDGE_ISA=isa)
    assert result.returncode == 0, f"{model.path} on {isa}:\n{result.stdout}{result.stderr[-3000:]}"


@pytest.mark.arm
@pytest.mark.parametrize("cpu", ["cortex-a53", "max"])
@pytest.mark.parametrize("model", LARGE, ids=lambda m: m.path)
def test_large_model(model: RealModel, cpu: str, arm_python: Any, stash: Path, tmp_path: Path) -> None:
    file, cases = record(model, stash, tmp_path)
    result = arm_python(cpu, str(COMPARE), str(file), str(cases), "1", "2")
    assert result.returncode == 0, f"{model.path} on {cpu}:\n{result.stdout}{result.stderr[-3000:]}"
