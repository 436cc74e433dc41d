"""The power sensors that the profile of a board names (`sensors.power` in boards/*.toml)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge_sdk.energy.ina import Rails
from edge_sdk.energy.meter import Meter
from edge_sdk.energy.rapl import Counters, rapl
from edge_sdk.errors import MeterError

if TYPE_CHECKING:
    from edge_sdk.boards import BoardProfile

_WATTS = {"mW": 1e-3, "mV,mA": 1e-6}


def of_board(what: str, board: BoardProfile | None, root: Path) -> Meter | None:
    """The first rail of the profile, which is the whole board's, or the one that `what` names."""
    rails = board.power if board else ()
    sensor = next((s for s in rails if s.rail == what or not what), None)
    if sensor is None:
        if not what:
            return None
        raise MeterError(f"the board's profile has no rail {what!r}, only {', '.join(s.rail for s in rails)}")
    if not what and "/powercap/" in sensor.paths[0]:
        return rapl("", board, root)  # machines with several packages share a profile
    files = [next(iter(sorted(root.glob(path.lstrip("/")))), None) for path in sensor.paths]
    found = [file for file in files if file is not None]
    if len(found) < len(files):
        return None
    if sensor.unit == "uJ":
        return Counters("board", sensor.rail, found)
    return Rails("board", sensor.rail, [(tuple(found), _WATTS[sensor.unit])])
