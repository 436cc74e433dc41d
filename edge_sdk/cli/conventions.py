"""The options of edge-sdk run for Home Assistant, Frigate's listeners and Sparkplug hosts."""

from __future__ import annotations

import argparse
import time
from typing import Any

from edge_sdk.boards import BoardProfile
from edge_sdk.energy import MeterError, Watts, open_meter, temperature_c, throttling
from edge_sdk.errors import InputError
from edge_sdk.publish.message import Health
from edge_sdk.tasks import Task
from edge_sdk.tasks.track import Tracker

_READ_EVERY_S = 5.0
_MAX_LABELS = 20  # of a model with more, each gets its counter when it is seen


def add_conventions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home-assistant", nargs="?", const="keep", choices=("keep", "remove"),
                        help="mqtt: appear in Home Assistant; with `remove` until the run ends")  # fmt: skip
    parser.add_argument("--frigate", action="store_true", help="mqtt: events of tracked objects as Frigate's")
    parser.add_argument("--sparkplug", nargs="?", const="edge-sdk", metavar="GROUP",
                        help="mqtt: be an edge node of Sparkplug B, in this group (edge-sdk)")  # fmt: skip
    parser.add_argument("--track", action="store_true", help="number the objects; --frigate does it too")


def check_conventions(options: argparse.Namespace) -> None:
    """Conventions need a broker."""
    given = _given(options)
    if given and not any(url.startswith(("mqtt", "ws")) for url in options.publish):
        raise InputError(f"--{given[0].replace('_', '-')} needs a broker: --publish mqtt://host:port/topic")


def _given(options: argparse.Namespace) -> list[str]:
    return [name for name in ("home_assistant", "frigate", "sparkplug") if getattr(options, name)]


def tracker_of(options: argparse.Namespace, task: Task) -> Tracker | None:
    if not (options.track or options.frigate):
        return None
    if task.name != "detect":
        raise InputError(f"--{'frigate' if options.frigate else 'track'} needs a model that detects objects")
    return Tracker()


def conventions_of(options: argparse.Namespace, task: Task, sensors: Sensors) -> dict[str, Any]:
    """The options of one MQTT publisher that these options stand for."""
    if not _given(options):
        return {}
    known: tuple[str, ...] = getattr(task, "labels", ()) if task.name == "detect" else ()
    labels = known if len(known) <= _MAX_LABELS else ()
    chosen: dict[str, Any] = {"health": sensors.new()}
    if options.home_assistant:
        chosen["home_assistant"] = {"labels": labels, "remove": options.home_assistant == "remove"}
    if options.frigate:
        chosen["frigate"] = True
    if options.sparkplug:
        chosen["sparkplug"] = {"labels": labels, "group": options.sparkplug}
    return chosen


class Sensors:
    """Reads the board's sensors, not more often than they change, into the `Health` of each publisher."""

    def __init__(self, board: BoardProfile, meter: str | None = None) -> None:
        """`meter`: as for `energy.open_meter`; "none" for none."""
        self._board, self._meter, self._read_at = board, meter, float("-inf")
        self._healths: list[Health] = []
        self._watts: Watts | None = None

    def new(self) -> Health:
        if not self._healths:
            self._watts = self._open()
        health = Health()
        self._healths.append(health)
        self._read_at = float("-inf")
        self.read()
        return health

    def read(self) -> None:
        if not self._healths or time.monotonic() - self._read_at < _READ_EVERY_S:
            return
        self._read_at = time.monotonic()
        slow, warm = throttling(), temperature_c(self._board)
        watts = self._watts.read() if self._watts else None
        for health in self._healths:
            health.temperature_c, health.throttled = warm, None if slow is None else slow.now
            health.watts = watts

    def _open(self) -> Watts | None:
        try:
            return None if self._meter == "none" else Watts(open_meter(self._meter, self._board))
        except MeterError:
            if self._meter is not None:
                raise
            return None
