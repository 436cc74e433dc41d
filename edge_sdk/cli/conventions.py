"""The options of edge-sdk run for Home Assistant, Frigate's listeners and Sparkplug hosts."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from edge_sdk.boards import BoardProfile
from edge_sdk.energy import temperature_c, throttling
from edge_sdk.errors import InputError
from edge_sdk.publish.message import Health
from edge_sdk.tasks import Task
from edge_sdk.tasks.track import Tracker

_NAMES = ("home_assistant", "frigate", "sparkplug")
_READ_EVERY_S = 5.0
_MAX_LABELS = 20  # of a model with more, each gets its counter when it is seen


def add_conventions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home-assistant", nargs="?", const="keep", choices=("keep", "remove"),
                        help="mqtt: appear in Home Assistant; with `remove` until the run ends")  # fmt: skip
    parser.add_argument("--frigate", action="store_true", help="mqtt: events of tracked objects as Frigate's")
    parser.add_argument("--sparkplug", nargs="?", const="edge-sdk", metavar="GROUP",
                        help="mqtt: be an edge node of Sparkplug B, in this group (edge-sdk)")  # fmt: skip
    parser.add_argument("--track", action="store_true", help="number the objects; --frigate does it too")


def tracker_of(options: argparse.Namespace, task: Task) -> Tracker | None:
    if not (options.track or options.frigate):
        return None
    if task.name != "detect":
        raise InputError(f"--{'frigate' if options.frigate else 'track'} needs a model that detects objects")
    return Tracker()


def conventions_of(options: argparse.Namespace, task: Task, board: BoardProfile) -> dict[str, Any]:
    """The options of an MQTT publisher that these options stand for."""
    given = [name for name in _NAMES if getattr(options, name)]
    if not given:
        return {}
    if not any(url.startswith("mqtt") for url in options.publish):
        raise InputError(f"--{given[0].replace('_', '-')} needs a broker: --publish mqtt://host:port/topic")
    known: tuple[str, ...] = getattr(task, "labels", ()) if task.name == "detect" else ()
    labels = known if len(known) <= _MAX_LABELS else ()
    chosen: dict[str, Any] = {"health": _health(board)}
    if options.home_assistant:
        chosen["home_assistant"] = {"labels": labels, "remove": options.home_assistant == "remove"}
    if options.frigate:
        chosen["frigate"] = True
    if options.sparkplug:
        chosen["sparkplug"] = {"labels": labels, "group": options.sparkplug}
    return chosen


def _health(board: BoardProfile) -> Callable[[], Health]:
    """Reads the board's sensors, not more often than they change."""
    health, read_at = Health(), float("-inf")

    def read() -> Health:
        nonlocal health, read_at
        if time.monotonic() - read_at >= _READ_EVERY_S:
            slow = throttling()
            health = Health(temperature_c=temperature_c(board), throttled=None if slow is None else slow.now)
            read_at = time.monotonic()
        return health

    return read
