"""Fake folders of /sys, a clock and recordings, for the tests of power meters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge_sdk.energy import Meter
from edge_sdk.energy.replay import Replay


def put(root: Path, name: str, text: str | int) -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{text}\n")
    return file


def zone(root: Path, folder: str, name: str, uj: int) -> Path:
    put(root, f"sys/class/powercap/{folder}/name", name)
    put(root, f"sys/class/powercap/{folder}/max_energy_range_uj", 999_999)
    return put(root, f"sys/class/powercap/{folder}/energy_uj", uj)


class Time:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def replay(folder: Path, text: str, clock: Callable[[], float]) -> Meter:
    return Replay(str(put(folder, "meter.csv", text)), None, folder, clock)
