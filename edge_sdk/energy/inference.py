"""The energy that one inference takes above what the idle board draws."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edge_sdk.energy.board import temperature_c, throttling
from edge_sdk.energy.meter import Clock, Meter, Recorder
from edge_sdk.errors import MeterError

if TYPE_CHECKING:
    from edge_sdk.boards import BoardProfile

SECONDS = 2.0  # of runs, and of idleness before them


@dataclass(frozen=True)
class Energy:
    """What inference takes, and how that was found; or why it was not."""

    joules: float | None  # of one inference, above idle; None: not measured
    reason: str | None  # why it was not
    meter: str  # which, and what it covers, as in "rapl: package-0"; "" where there is none
    method: str
    rate_hz: float | None  # of reading power; None for counters, which are read at both ends
    samples: int  # readings while it ran
    idle_watts: float | None  # before the runs
    watts: float | None  # while they ran, idle included
    seconds: float  # of the runs
    runs: int
    temperature_c: tuple[float | None, float | None]  # before and after
    throttled: tuple[bool | None, bool | None]  # before and after

    @property
    def text(self) -> str:
        """For people, in one line."""
        if self.joules is None:
            return f"not measured: {self.reason}"
        method = self.method if self.rate_hz is None else f"{self.method}, {self.samples} readings"
        return (
            f"{1e3 * self.joules:.3g} mJ per inference above idle ({self.meter}; {method}; "
            f"{self.idle_watts:.2f} W idle, {self.watts:.2f} W over {self.runs} runs in {self.seconds:.1f} s)"
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def not_measured(reason: str) -> Energy:
    return Energy(None, reason, "", "", None, 0, None, None, 0.0, 0, (None, None), (None, None))


def measure(
    run: Callable[[], object],
    meter: Meter,
    seconds: float = SECONDS,
    idle_s: float = SECONDS,
    rate_hz: float | None = None,
    board: BoardProfile | None = None,
    root: str | os.PathLike[str] = "/",
    clock: Clock = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Energy:
    """Calls `run`, one inference, over and over for `seconds`, and takes off what `idle_s` of idleness drew.

    `rate_hz`: how often power is read, by default the meter's own rate; counters are read at both ends.
    Temperature and throttling of `board` are read before and after. A meter that fails, or that sees no
    more than when idle, gives an `Energy` without joules and with the reason.
    """
    before = _state(board, root)
    try:
        with Recorder(meter, rate_hz, clock) as idle:
            wait(idle_s)
        run()  # clocks and the averages of meters rise with it; it does not count
        runs = 0
        with Recorder(meter, rate_hz, clock) as busy:
            end = clock() + seconds
            while runs == 0 or clock() < end:
                run()
                runs += 1
    except MeterError as problem:
        return not_measured(str(problem))
    above = busy.joules - idle.watts * busy.seconds
    reason = None
    if busy.joules <= 0:
        reason = f"{meter.name} ({meter.covers}) shows no power at all: is this a virtual machine?"
    elif above <= 0:
        reason = f"{busy.watts:.2f} W while running is no more than {idle.watts:.2f} W before"
    after = _state(board, root)
    return Energy(
        joules=above / runs if reason is None else None,
        reason=reason,
        meter=f"{meter.name}: {meter.covers}",
        method=busy.method,
        rate_hz=busy.rate_hz,
        samples=busy.samples,
        idle_watts=idle.watts,
        watts=busy.watts,
        seconds=busy.seconds,
        runs=runs,
        temperature_c=(before[0], after[0]),
        throttled=(before[1], after[1]),
    )


def _state(board: BoardProfile | None, root: str | os.PathLike[str]) -> tuple[float | None, bool | None]:
    slow = throttling(root)
    return temperature_c(board, root) if board else None, None if slow is None else slow.now
