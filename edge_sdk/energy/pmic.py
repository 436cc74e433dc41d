"""The power management chip of a Raspberry Pi 5, asked by `vcgencmd pmic_read_adc`.

It answers a current and a voltage for each rail that it makes (`VDD_CORE_A current(7)=0.75012000A`,
`VDD_CORE_V volt(15)=0.89745940V`). What the 5 V input feeds directly, such as USB devices, and the chip's own
losses are not among them (`EXT5V` has a voltage only), so the wall sees more.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from edge_sdk.energy.board import vcgencmd
from edge_sdk.energy.meter import BaseMeter, Meter
from edge_sdk.errors import MeterError

if TYPE_CHECKING:
    from edge_sdk.boards import BoardProfile

_LINE = re.compile(r"^\s*(\S+)_([AV])\s+(?:current|volt)\(\d+\)=([0-9.]+)[AV]\s*$", re.MULTILINE)


def pmic(what: str, board: BoardProfile | None, root: Path) -> Meter | None:
    """All rails, or those that `what` names, as in `pmic:VDD_CORE`."""
    found = rails(vcgencmd("pmic_read_adc", root))
    if not found:
        return None
    chosen = what.split("+") if what else list(found)
    if any(name not in found for name in chosen):
        raise MeterError(f"pmic has the rails {', '.join(found)}; {what} is not among them")
    return Pmic(what or f"{len(chosen)} rails", chosen, root)


class Pmic(BaseMeter):
    rate_hz = 10.0  # each reading starts a process

    def __init__(self, covers: str, chosen: list[str], root: Path) -> None:
        super().__init__("pmic", covers)
        self._chosen, self._root = chosen, root

    def read(self) -> float:
        found = rails(vcgencmd("pmic_read_adc", self._root))
        try:
            return sum(found[name] for name in self._chosen)
        except KeyError as missing:
            raise MeterError(f"vcgencmd pmic_read_adc does not tell {missing} any more") from None


def rails(answer: str) -> dict[str, float]:
    """Rail -> watts, of those that have a current and a voltage."""
    values: dict[str, dict[str, float]] = {"A": {}, "V": {}}
    for name, unit, value in _LINE.findall(answer):
        values[unit][name] = float(value)
    return {name: a * values["V"][name] for name, a in values["A"].items() if name in values["V"]}
