"""The energy that one inference, or one result of a pipeline, takes above what the idle board draws."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from edge_sdk.energy.board import temperature_c, throttling
from edge_sdk.energy.meter import Clock, Meter, Recorder
from edge_sdk.errors import MeterError

if TYPE_CHECKING:
    from edge_sdk.boards import BoardProfile

SECONDS = 2.0  # of runs, and of idleness before them
_WORK_HZ = 5.0  # at most, over work that may go on for days: reading some meters starts a process

T = TypeVar("T")
_State = tuple[Optional[float], Optional[bool]]  # temperature, throttled


@dataclass(frozen=True)
class Energy:
    """What inference takes, and how that was found; or why it was not."""

    joules: float | None  # of one inference or result, above idle; None: not measured
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
    per: str = "inference"  # or "result": with all that a pipeline does for it

    @property
    def text(self) -> str:
        """For people, in one line."""
        if self.joules is None:
            return f"not measured: {self.reason}"
        method = self.method if self.rate_hz is None else f"{self.method}, {self.samples} readings"
        return (
            f"{1e3 * self.joules:.3g} mJ per {self.per} above idle ({self.meter}; {method}; "
            f"{self.idle_watts:.2f} W idle, {self.watts:.2f} W over {self.runs} "
            f"{'runs' if self.per == 'inference' else 'results'} in {self.seconds:.1f} s)"
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
    return _above_idle(meter, idle, busy, runs, "inference", (before, _state(board, root)))


def measure_work(
    work: Callable[[], T],
    results: Callable[[T], int],
    meter: Meter,
    idle_s: float = SECONDS,
    board: BoardProfile | None = None,
    root: str | os.PathLike[str] = "/",
    clock: Clock = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> tuple[T, Energy]:
    """Calls `work` once, and what each of its results took above what `idle_s` of idleness before it drew.

    `results` tells from what `work` returns how many there were. The work is done whether or not the meter
    answers; what it raises is raised.
    """
    before, begun = _state(board, root), False
    done: list[T] = []
    rate = None if meter.counts else min(meter.rate_hz, _WORK_HZ)
    try:
        with Recorder(meter, rate, clock) as idle:
            wait(idle_s)
        with Recorder(meter, rate, clock) as busy:
            begun = True
            done.append(work())
    except MeterError as problem:
        if begun and not done:  # it is the work's own
            raise
        return done[0] if done else work(), not_measured(str(problem))
    count, states = results(done[0]), (before, _state(board, root))
    if not count:
        return done[0], not_measured("there were no results")
    return done[0], _above_idle(meter, idle, busy, count, "result", states)


def _above_idle(
    meter: Meter, idle: Recorder, busy: Recorder, runs: int, per: str, states: tuple[_State, _State]
) -> Energy:
    above = busy.joules - idle.watts * busy.seconds
    reason = None
    if busy.joules <= 0:
        reason = f"{meter.name} ({meter.covers}) shows no power at all: is this a virtual machine?"
    elif above <= 0:
        reason = f"{busy.watts:.2f} W while running is no more than {idle.watts:.2f} W before"
    before, after = states
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
        per=per,
    )


def _state(board: BoardProfile | None, root: str | os.PathLike[str]) -> _State:
    slow = throttling(root)
    return temperature_c(board, root) if board else None, None if slow is None else slow.now
