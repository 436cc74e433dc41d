"""Clocks that jump by ten years: order, ages and numbers do not follow them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_sdk.publish.clock import Stamp
from edge_sdk.publish.outbox import Outbox

from .harness import PATIENCE_S

YEARS = 10 * 365 * 86400 * 10**9
HOUR = 3600 * 10**9
NOW = 1_780_000_000 * 10**9


class FakeClock:
    """A boot, the time since it, and a wall clock that somebody sets."""

    def __init__(self, boot: str = "first", since: int = 5 * HOUR, wall: int | None = NOW) -> None:
        self.boot, self._since, self._wall = boot, since, wall

    def now(self) -> Stamp:
        return Stamp(self.boot, self._since, self._wall)

    def passes(self, ns: int) -> None:
        self._since += ns
        if self._wall is not None:
            self._wall += ns

    def jumps(self, ns: int) -> None:
        assert self._wall is not None
        self._wall += ns

    def restarts(self, ns: int) -> None:
        """Another boot, which has lasted for so long."""
        self.boot += "'"
        self._since = ns


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeClock], Outbox]:
    monkeypatch.setattr("edge_sdk.publish.outbox._TICK_S", 0.01)
    return lambda clock: Outbox(tmp_path / "outbox", device="d", max_age_s=3600, clock=clock)  # type: ignore[arg-type]


def put(outbox: Outbox, first: int, count: int = 10) -> list[int]:
    numbers = [(outbox.epoch << 32) + n for n in range(first, first + count)]
    for number in numbers:
        outbox.put(number, "t", b"x").result(PATIENCE_S)
    return numbers


def looked_after(outbox: Outbox) -> None:
    """Until the outbox has looked at the ages twice since now."""
    seen = [0]
    real = outbox._look_after

    def counted() -> None:
        real()
        seen[0] += 1

    outbox._look_after = counted  # type: ignore[method-assign]
    end = time.monotonic() + PATIENCE_S
    while seen[0] < 3 and time.monotonic() < end:
        time.sleep(0.01)
    outbox._look_after = real  # type: ignore[method-assign]
    assert seen[0] >= 3


def taken(outbox: Outbox) -> list[int]:
    found = []
    while (row := outbox.take(1 << 30)) is not None:
        found.append(row.number)
    return found


@pytest.mark.parametrize("jump", [YEARS, -YEARS])
def test_a_jump_expires_nothing_and_keeps_the_order(opened: Callable[[FakeClock], Outbox], jump: int) -> None:
    clock = FakeClock()
    outbox = opened(clock)
    numbers = put(outbox, 0)
    clock.jumps(jump)
    numbers += put(outbox, 10)
    clock.jumps(-2 * jump)
    numbers += put(outbox, 20)
    looked_after(outbox)
    assert taken(outbox) == numbers
    assert outbox.dropped == {}
    outbox.close()


@pytest.mark.parametrize("jump", [YEARS, -YEARS])
def test_what_is_too_old_expires_whatever_the_clock_says(
    opened: Callable[[FakeClock], Outbox], jump: int
) -> None:
    clock = FakeClock()
    outbox = opened(clock)
    put(outbox, 0)
    clock.jumps(jump)
    clock.passes(HOUR // 2)
    young = put(outbox, 10)
    clock.passes(HOUR // 2 + 10**9)
    looked_after(outbox)
    assert taken(outbox) == young
    assert outbox.dropped == {"age": 10}
    outbox.close()


@pytest.mark.parametrize("jump", [YEARS, -YEARS])
def test_a_restart_with_another_wall_clock_keeps_the_order(
    opened: Callable[[FakeClock], Outbox], jump: int
) -> None:
    """The second boot does not know the time: what is certain is only how long it has lasted."""
    clock = FakeClock()
    outbox = opened(clock)
    numbers = put(outbox, 0)
    outbox.close()
    clock.jumps(jump)
    clock.restarts(HOUR // 2)
    clock._wall = None
    outbox = opened(clock)
    numbers += put(outbox, 0)
    looked_after(outbox)
    assert taken(outbox) == numbers
    assert outbox.dropped == {}
    outbox.give_back()
    clock.passes(HOUR // 2 + 10**9)  # now those of the first boot are too old for certain
    looked_after(outbox)
    assert taken(outbox) == numbers[10:]
    assert outbox.dropped == {"age": 10}
    outbox.close()


def test_one_that_is_old_takes_those_before_it_along(opened: Callable[[FakeClock], Outbox]) -> None:
    clock = FakeClock(wall=None)
    outbox = opened(clock)
    put(outbox, 0)
    clock._wall = NOW
    outbox.close()  # before the outbox has filled in what it knows now
    clock.restarts(10**9)
    outbox = opened(clock)
    put(outbox, 0)
    outbox.close()
    clock.restarts(10**9)
    clock._wall = NOW + 3 * HOUR
    outbox = opened(clock)
    young = put(outbox, 0)
    looked_after(outbox)
    assert taken(outbox) == young
    assert outbox.dropped == {"age": 20}
    outbox.close()
