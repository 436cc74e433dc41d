"""Fixtures that many tests share, and what the run says about tests that it could not run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Callable

import pytest

ROOT = Path(__file__).resolve().parent.parent
STASH = Path(os.environ.get("EDGE_SDK_TEST_MODELS") or ROOT.parent / "shared" / "models").resolve()
ARMLAB = os.environ.get("EDGE_ARMLAB", "")
ARM_SITE = ROOT / "build" / "armlab-site"

ABSENT = "not run for want of"
NO_STASH = f"{ABSENT} the test models: no folder {STASH} (EDGE_SDK_TEST_MODELS)"
NO_ARMLAB = f"{ABSENT} the aarch64 userland (EDGE_ARMLAB) or of `make arm-site`"


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def stash() -> Path:
    """The folder of other projects' models, which this project does not contain: `real/`, `ops/`."""
    if not STASH.is_dir():
        pytest.skip(NO_STASH)
    return STASH


@pytest.fixture(scope="session")
def stash_data(stash: Path) -> Path:
    """The pictures, labels and results beside those models."""
    return stash.parent / "data"


ArmPython = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def arm_python() -> ArmPython:
    """arm_python(cpu, *arguments, **env): the result of aarch64 CPython with our package on its path."""
    if not ARMLAB or not (ARM_SITE / "edge_sdk").is_dir():
        pytest.skip(NO_ARMLAB)

    def run(cpu: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ARMLAB, "python", cpu, str(ARM_SITE), *arguments],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
        )

    return run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if reason.startswith(ABSENT):
            counts[reason] = counts.get(reason, 0) + 1
    for reason, count in counts.items():
        terminalreporter.write_line(f"{count} tests {reason}", yellow=True)
