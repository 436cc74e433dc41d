"""What every meter of power can do, and what is made of its readings."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Optional, Protocol

from edge_sdk.errors import MeterError

if TYPE_CHECKING:
    from edge_sdk.boards import BoardProfile

Clock = Callable[[], float]  # seconds, only ever more
_SETTLE_S = 0.02  # a counter's hardware needs some milliseconds to count on


class Meter(Protocol):
    """Reads power, or a counter of energy. One thread at a time."""

    @property
    def name(self) -> str:
        """As in `METERS`."""
        ...

    @property
    def covers(self) -> str:
        """What is measured: rails, domains, a file."""
        ...

    @property
    def counts(self) -> bool:
        """Whether `read` gives joules since some moment; else it gives the watts of this one."""
        ...

    @property
    def rate_hz(self) -> float:
        """How often power is worth being read: its converter has a new value, and reading costs little."""
        ...

    def read(self) -> float:
        """Watts, or joules that never get fewer. `MeterError` if the hardware does not answer."""
        ...

    def close(self) -> None:
        """Lets go of the hardware; closing twice is allowed."""
        ...

    def __enter__(self) -> Meter: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


# What stands behind the colon (a rail, a file, a port; or ""), the board, and where /sys is. None: no such
# hardware here. `MeterError`: it is there, but cannot be read.
Factory = Callable[[str, "BoardProfile | None", Path], Optional[Meter]]


class BaseMeter:
    """The part that most meters share."""

    counts = False
    rate_hz = 50.0

    def __init__(self, name: str, covers: str) -> None:
        self.name, self.covers = name, covers

    def read(self) -> float:
        raise NotImplementedError

    def close(self) -> None: ...

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def number(file: Path) -> float:
    """What stands in a file of /sys; `MeterError` if that is no number, or it may not be read."""
    try:
        return float(file.read_text())
    except PermissionError:
        raise MeterError(f"{file} may be read only by root, or by whom root lets (chmod, udev)") from None
    except (OSError, ValueError) as problem:
        raise MeterError(f"{file} cannot be read: {problem}") from problem


class Recorder:
    """The energy between entering and leaving: `with Recorder(meter) as r: ...; r.joules`.

    A counter is read at both ends. Power is read there too, and `rate_hz` times a second in between by
    a thread of its own; the energy is the area below the readings (trapezoids).
    """

    def __init__(self, meter: Meter, rate_hz: float | None = None, clock: Clock = time.monotonic) -> None:
        self._meter, self._clock = meter, clock
        self.rate_hz = None if meter.counts else rate_hz or meter.rate_hz
        self.joules = 0.0
        self.seconds = 0.0
        self.samples = 0
        self._last: tuple[float, float] | None = None  # when, what
        self._end = threading.Event()
        self._error: MeterError | None = None
        self._thread = threading.Thread(target=self._watch, name="power", daemon=True)

    @property
    def watts(self) -> float:
        """The mean."""
        return self.joules / self.seconds if self.seconds else 0.0

    @property
    def method(self) -> str:
        if self.rate_hz is None:
            return "energy counter read at both ends"
        return f"power read {self.rate_hz:g} times a second"

    def sample(self) -> None:
        """One reading more."""
        value, now = self._meter.read(), self._clock()
        if self._last is not None:
            then, before = self._last
            self.joules += value - before if self._meter.counts else (value + before) / 2 * (now - then)
            self.seconds += now - then
        self._last = now, value
        self.samples += 1

    def _watch(self) -> None:
        assert self.rate_hz is not None
        try:
            while not self._end.wait(1 / self.rate_hz):
                self.sample()
        except MeterError as problem:  # raised where the recording ends
            self._error = problem

    def __enter__(self) -> Recorder:
        self.sample()
        if self.rate_hz is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.rate_hz is not None:
            self._end.set()
            self._thread.join()
        if kind is None:
            if self._error is not None:
                raise self._error
            self.sample()


class Watts:
    """The power of late, for those who ask now and then: of this moment, or since the last time."""

    def __init__(self, meter: Meter, clock: Clock = time.monotonic) -> None:
        self._meter, self._clock = meter, clock
        self._last = (clock(), meter.read()) if meter.counts else None

    def read(self) -> float | None:
        """None where the meter does not answer."""
        try:
            if self._last is None:
                return self._meter.read()
            then, before = self._last
            if self._clock() - then < _SETTLE_S:
                time.sleep(_SETTLE_S)
            now, joules = self._clock(), self._meter.read()
            self._last = now, joules
            return (joules - before) / (now - then) if now > then else None
        except MeterError:
            return None
