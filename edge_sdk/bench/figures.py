"""Figures measured before on the same class of machine, as boards/reference/ keeps them."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path
from typing import Any

from edge_sdk import boards, resources
from edge_sdk.backends import native


def machine_class() -> str:
    """The board's name, or for machines without a profile of their own CPU and ISA: "amd-epyc-avx512vnni"."""
    board = boards.detect().name
    if not board.startswith("generic-"):
        return board
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    cpu = found[1] if found else platform.machine()
    words = re.findall(r"[a-z0-9]+", re.sub(r"\([^)]*\)|@.*|\bcpu\b|\bprocessor\b", "", cpu.lower()))
    return "-".join([*words, native.isa()])


def reference(model: str, threads: int) -> tuple[float, float] | None:
    """Milliseconds of ours and LiteRT's best run of the model (its file name without suffix), or None."""
    file = resources.folder("boards") / "reference" / f"{machine_class()}.json"
    if threads not in (1, 2) or not file.is_file():
        return None
    figures: dict[str, Any] | None = json.loads(file.read_text())["models"].get(model)
    if figures is None:
        return None
    return float(figures[f"ours_{threads}"]), float(figures[f"litert_{threads}"])
