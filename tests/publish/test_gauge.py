"""How fast results come and how old they are."""

from __future__ import annotations

import pytest

from edge_sdk.publish import gauge
from edge_sdk.publish.gauge import Gauge


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(gauge, "time", made)
    return made


def see(measured: Gauge, clock: Clock, count: int, every_s: float, ms: float = 2.0) -> None:
    for _ in range(count):
        measured.see({"timings_ms": {"prepare": ms, "run": ms}})
        clock.now += every_s


def test_a_rate_and_a_mean_of_the_last_seconds(clock: Clock) -> None:
    measured = Gauge()
    assert measured.figures() == (None, None)
    see(measured, clock, 100, 0.5, ms=50.0)
    see(measured, clock, 300, 0.1)
    assert measured.figures() == (pytest.approx(10, rel=0.02), pytest.approx(4.0))


def test_the_rate_falls_when_nothing_comes(clock: Clock) -> None:
    measured = Gauge()
    see(measured, clock, 50, 0.1)
    clock.now += 5
    assert measured.figures()[0] == pytest.approx(5, rel=0.02)
    clock.now += 60
    assert measured.figures() == (0.0, None)


def test_more_results_than_are_remembered(clock: Clock) -> None:
    measured = Gauge()
    see(measured, clock, 5000, 0.0005)
    assert measured.figures()[0] == pytest.approx(2000, rel=0.02)


def test_results_without_timings_have_no_latency(clock: Clock) -> None:
    measured = Gauge()
    for odd in ({}, {"timings_ms": None}, {"timings_ms": 3}):
        measured.see(odd)
        clock.now += 1
    assert measured.figures() == (1.0, None)
