"""What the board draws, how warm it is, and whether it slows down for it.

Where a board does not tell, the answer is None and a reason: no reading is ever made up.

    with open_meter() as meter:
        energy = measure(lambda: model.run(x), meter)

A new kind of meter needs its line in `METERS`; one of another package is named `"module:Class"`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from edge_sdk import lazy
from edge_sdk.energy.board import Throttling, temperature_c, throttling
from edge_sdk.energy.inference import Energy, measure, measure_work, not_measured
from edge_sdk.energy.meter import Factory, Meter, Recorder, Watts
from edge_sdk.errors import MeterError

if TYPE_CHECKING:
    from edge_sdk.boards import BoardProfile

# In the order in which they are looked for: what the profile of the board names is known best.
METERS = {
    "board": "edge_sdk.energy.profile:of_board",
    "pmic": "edge_sdk.energy.pmic:pmic",
    "jetson": "edge_sdk.energy.ina:jetson",
    "hwmon": "edge_sdk.energy.ina:hwmon",
    "rapl": "edge_sdk.energy.rapl:rapl",
    "replay": "edge_sdk.energy.replay:Replay",
}
_NEED_A_NAME = ("replay",)


def open_meter(
    where: str | None = None, board: BoardProfile | None = None, root: str | os.PathLike[str] = "/"
) -> Meter:
    """The meter that `where` names, or the first that this machine has.

    `NAME` or `NAME:WHAT` with a name from `METERS` (`hwmon:VDD_CPU` one rail, `replay:FILE.csv` a
    recording), or `module:Class[:WHAT]` of another package, a USB meter's say. `board`: its profile's
    sensors are used where it has some. `root`: where /sys is. `MeterError` says why there is none.
    """
    if where is None:
        return _first(board, Path(root))
    name, _, what = where.partition(":")
    if name in METERS:
        factory = METERS[name]
    else:
        attribute, _, what = what.partition(":")
        factory = f"{name}:{attribute}"
        if not attribute:
            raise MeterError(f"no meter is named {name!r}; there are {', '.join(METERS)}, or module:Class")
    meter = _factory(factory)(what, board, Path(root))
    if meter is None:
        raise MeterError(f"this machine has no meter {where!r}")
    return meter


def _factory(name: str) -> Factory:
    try:
        factory: Factory = lazy.load(name)
    except (ImportError, AttributeError) as problem:
        raise MeterError(f"meter {name!r} cannot be loaded: {problem}") from problem
    return factory


def _first(board: BoardProfile | None, root: Path) -> Meter:
    refused: list[str] = []
    for name in METERS:
        if name in _NEED_A_NAME:
            continue
        try:
            meter = _factory(METERS[name])("", board, root)
        except MeterError as problem:  # it is there, but ...
            refused.append(str(problem))
        else:
            if meter is not None:
                return meter
    raise MeterError(refused[0] if refused else "this machine has no power meter that we know")


__all__ = [
    "METERS",
    "Energy",
    "Meter",
    "MeterError",
    "Recorder",
    "Throttling",
    "Watts",
    "measure",
    "measure_work",
    "not_measured",
    "open_meter",
    "temperature_c",
    "throttling",
]
