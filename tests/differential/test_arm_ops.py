"""A sample of every op on emulated 64-bit ARM against outputs recorded on this machine."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ai_edge_litert", reason="the reference is ai-edge-litert: pip install -e '.[test]'")

from .harness import REGISTRY, cases_from_environment, load_generators, recorded

load_generators()

REPLAY = Path(__file__).with_name("replay.py")


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    numbers = cases_from_environment(10)
    file = tmp_path_factory.mktemp("cases") / "cases.pickle"
    # Detections have rows that the reference leaves open; they are float arithmetic without kernels.
    generators = [g for g in REGISTRY.values() if g.op != "TFLite_Detection_PostProcess"]
    file.write_bytes(pickle.dumps([case for g in generators for case in recorded(g, numbers)]))
    return file


@pytest.mark.arm
@pytest.mark.parametrize(("cpu", "isa"), [("cortex-a53", "scalar"), ("cortex-a53", "neon"), ("max", "")])
def test_ops(cpu: str, isa: str, arm_python: Any, cases: Path) -> None:
    result = arm_python(cpu, str(REPLAY), str(cases), EDGE_ISA=isa)
    assert result.returncode == 0, f"{result.stdout[-4000:]}{result.stderr[-2000:]}"
