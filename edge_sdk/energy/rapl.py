"""RAPL: the counters of energy in x86 processors, by the kernel's powercap files.

Source: https://docs.kernel.org/power/powercap/powercap.html. A package `intel-rapl:N` contains its
sub-zones `intel-rapl:N:M` (core, uncore, dram), `psys` contains packages, and `intel-rapl-mmio:N` is
another door to the same counter: only packages are added up, each once. AMD's processors have the same files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge_sdk.energy.meter import BaseMeter, Meter, number
from edge_sdk.errors import MeterError

if TYPE_CHECKING:
    from edge_sdk.boards import BoardProfile

_ZONES = "sys/class/powercap"


def rapl(what: str, board: BoardProfile | None, root: Path) -> Meter | None:
    """All packages, or those named in `what`, as in `rapl:package-0+dram`."""
    zones: dict[str, Path] = {}
    for folder in sorted((root / _ZONES).glob("intel-rapl*:*"), key=lambda f: ("mmio" in f.name, f.name)):
        try:
            name = (folder / "name").read_text().strip()
        except OSError:
            continue
        zones.setdefault(name, folder)
    chosen = what.split("+") if what else [name for name in zones if name.startswith("package")]
    for name in chosen:
        if name not in zones:
            raise MeterError(f"rapl has no zone {name!r}; there are {', '.join(zones) or 'none'}")
    return (
        Counters("rapl", "+".join(chosen), [zones[name] / "energy_uj" for name in chosen]) if chosen else None
    )


class Counters(BaseMeter):
    """Files that count microjoules up to the number in `max_energy_range_uj` beside them, and go on at 0."""

    counts = True
    rate_hz = 0.0

    def __init__(self, name: str, covers: str, files: list[Path]) -> None:
        super().__init__(name, covers)
        self._files = files
        self._last = [number(file) for file in files]
        self._counted_uj = 0.0

    def read(self) -> float:
        for i, file in enumerate(self._files):
            now = number(file)
            if now < self._last[i]:
                self._counted_uj += number(file.with_name("max_energy_range_uj")) + 1
            self._counted_uj += now - self._last[i]
            self._last[i] = now
        return self._counted_uj / 1e6
