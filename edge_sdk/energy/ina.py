"""Texas Instruments' INA chips, which measure supply rails: by hwmon's files, or by those of older Jetsons.

Sources: https://docs.kernel.org/hwmon/ina3221.html, ina2xx.html and ina238.html; the rails of Jetsons
(jtop reads the same files) from NVIDIA's L4T developer guides, "Clock Frequency and Power Management".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from edge_sdk.energy.meter import BaseMeter, Meter, number
from edge_sdk.errors import MeterError

if TYPE_CHECKING:
    from edge_sdk.boards import BoardProfile

# What a Jetson calls the rail that feeds all the others.
_WHOLE_BOARD = ("VDD_IN", "POM_5V_IN")
# Of an INA3221 in4 to in6 are shunt voltages in uV, in7 and curr4 sums.
_CHANNELS = (1, 2, 3)

Product = tuple["tuple[Path, ...]", float]  # files whose product, times the number, is in watts


def hwmon(what: str, board: BoardProfile | None, root: Path) -> Meter | None:
    """The rail of the whole board, or else the only one, or those that `what` names (`VDD_CPU+VDD_SOC`)."""
    rails: dict[str, Product] = {}
    for chip in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        kind = _text(chip / "name")
        for i in _CHANNELS if kind.startswith("ina") else ():
            power, volt, ampere = (chip / f"{name}{i}_input" for name in ("power", "in", "curr"))
            if power.exists():
                product: Product = (power,), 1e-6
            elif volt.exists() and ampere.exists():
                product = (volt, ampere), 1e-6
            else:
                continue
            labels = (_text(chip / name) for name in (f"power{i}_label", f"in{i}_label", "label"))
            label = next(filter(None, labels), f"{kind}-{chip.name}-{i}")
            rails.setdefault(label, product)
    return _chosen("hwmon", what, rails)


def jetson(what: str, board: BoardProfile | None, root: Path) -> Meter | None:
    """The same of Jetsons with L4T 32, whose driver has files of its own."""
    rails: dict[str, Product] = {}
    for file in sorted(root.glob("sys/bus/i2c/drivers/ina3221x/*/iio:device*/in_power*_input")):
        channel = file.name[len("in_power") : -len("_input")]
        label = _text(file.with_name(f"rail_name_{channel}")) or f"{file.parent.name}-{channel}"
        rails.setdefault(label, ((file,), 1e-3))
    return _chosen("jetson", what, rails)


class Rails(BaseMeter):
    """The sum of some rails' power, which the chips convert anew every few milliseconds, or tens of them."""

    def __init__(self, name: str, covers: str, rails: list[Product]) -> None:
        super().__init__(name, covers)
        self._rails = rails
        self.read()

    def read(self) -> float:
        watts = 0.0
        for files, unit in self._rails:
            for file in files:
                unit *= number(file)
            watts += unit
        return watts


def _chosen(name: str, what: str, rails: Mapping[str, Product]) -> Meter | None:
    if not rails:
        return None
    wanted = what.split("+") if what else [label for label in _WHOLE_BOARD if label in rails][:1]
    if not wanted and len(rails) == 1:
        wanted = list(rails)
    if not wanted or any(label not in rails for label in wanted):
        raise MeterError(
            f"{name} has the rails {', '.join(rails)}, and {what or 'one of the whole board'} is not among "
            f"them: name those that add up to it, as in {name}:{'+'.join(list(rails)[:2])}"
        )
    return Rails(name, "+".join(wanted), [rails[label] for label in wanted])


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
