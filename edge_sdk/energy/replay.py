"""A recording instead of hardware: FILE.csv with the columns `time_s` and `watt`, or `time_s` and `joule`.

Time 0 of the file is when the meter is opened. A power holds until the next line; a counter goes straight
from line to line. After the last line both stay as they are.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING

from edge_sdk.energy.meter import BaseMeter, Clock
from edge_sdk.errors import MeterError

if TYPE_CHECKING:
    from edge_sdk.boards import BoardProfile


class Replay(BaseMeter):
    def __init__(
        self, what: str, board: BoardProfile | None, root: Path, clock: Clock = time.monotonic
    ) -> None:
        super().__init__("replay", what)
        self.counts, self._times, self._values = _table(what)
        self._clock, self._start = clock, clock()

    def read(self) -> float:
        now = self._clock() - self._start
        after = bisect_right(self._times, now)
        before = max(after - 1, 0)
        value = self._values[before]
        if self.counts and 0 < after < len(self._times):
            share = (now - self._times[before]) / (self._times[after] - self._times[before])
            value += share * (self._values[after] - value)
        return value


def _table(what: str) -> tuple[bool, list[float], list[float]]:
    file = Path(what)
    try:
        header, *lines = file.read_text().split()
        unit = {"time_s,watt": "watt", "time_s,joule": "joule"}[header]
        rows = [tuple(map(float, line.split(","))) for line in lines]
        times, values = [t for t, _ in rows], [v for _, v in rows]
    except (OSError, ValueError, KeyError) as problem:
        raise MeterError(
            f"replay: {what!r} is no recording with the columns time_s,watt or time_s,joule: {problem}"
        ) from problem
    if not rows or any(b <= a for a, b in zip(times, times[1:])):
        raise MeterError(f"{file}: a recording has lines, and its times grow")
    if unit == "joule" and any(b < a for a, b in zip(values, values[1:])):
        raise MeterError(f"{file}: a counter of joules never gets less")
    return unit == "joule", times, values
