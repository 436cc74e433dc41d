"""What is made of a meter's readings: joules of an inference, watts of late."""

from __future__ import annotations

from pathlib import Path

import pytest
from meters import Time, put, replay, zone

from edge_sdk import boards, energy
from edge_sdk.energy import Recorder, Watts, open_meter


def test_power_is_the_area_below_the_readings(tmp_path: Path) -> None:
    time = Time()
    meter = replay(tmp_path, "time_s,watt\n0,2\n1,4\n3,10", time)
    recorder = Recorder(meter, rate_hz=1000.0, clock=time)
    for moment in (0.0, 1.0, 3.0):
        time.now = moment
        recorder.sample()
    assert recorder.joules == pytest.approx(3 * 1 + 7 * 2)
    assert (recorder.seconds, recorder.samples) == (3.0, 3)
    assert recorder.watts == pytest.approx(17 / 3)


def test_the_energy_of_an_inference_is_what_is_above_idle(tmp_path: Path) -> None:
    time = Time()
    for text in ("time_s,watt\n0,2\n4.1,5", "time_s,joule\n0,0\n4,8\n4.2,9\n104.2,509"):
        time.now = 0.0
        meter = replay(tmp_path, text, time)
        found = energy.measure(
            lambda: time.wait(0.25), meter, 2.0, 4.0, root=tmp_path, clock=time, wait=time.wait
        )
        assert found.joules == pytest.approx((5 - 2) * 0.25)
        assert (found.idle_watts, found.watts) == (pytest.approx(2), pytest.approx(5))
        assert (found.runs, found.seconds, found.reason) == (8, 2.0, None)
        assert found.samples >= 2
        assert found.rate_hz == (None if meter.counts else 50.0)
        assert f"{found.joules * 1e3:.0f} mJ" in found.text


def test_one_long_inference_is_measured_whole(tmp_path: Path) -> None:
    time = Time()
    meter = replay(tmp_path, "time_s,watt\n0,1\n1.5,3", time)
    found = energy.measure(lambda: time.wait(60), meter, 2.0, 1.0, root=tmp_path, clock=time, wait=time.wait)
    assert (found.runs, found.joules) == (1, pytest.approx(120.0))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("time_s,watt\n0,5\n1.5,4", "4.00 W while running is no more than 5.00 W before"),
        ("time_s,joule\n0,7", "shows no power at all"),
    ],
)
def test_what_is_lost_in_the_noise_is_not_made_up(tmp_path: Path, text: str, reason: str) -> None:
    time = Time()
    meter = replay(tmp_path, text, time)
    found = energy.measure(lambda: time.wait(1), meter, 2.0, 1.0, root=tmp_path, clock=time, wait=time.wait)
    assert found.joules is None
    assert reason in str(found.reason)
    assert "not measured" in found.text


def test_the_energy_of_a_pipelines_results_is_what_is_above_idle(tmp_path: Path) -> None:
    # Of power there are two readings, 2 and 5 W, and the area between them; a counter knows all.
    for text, watts in (("time_s,watt\n0,2\n4.1,5", 3.5), ("time_s,joule\n0,0\n4,8\n104,508", 5.0)):
        time = Time()
        meter = replay(tmp_path, text, time)

        def work(time: Time = time) -> str:
            time.wait(10)
            return "done"

        done, found = energy.measure_work(work, len, meter, 4.0, root=tmp_path, clock=time, wait=time.wait)
        assert done == "done"
        assert (found.idle_watts, found.watts) == (pytest.approx(2), pytest.approx(watts))
        assert found.joules == pytest.approx((watts - 2) * 10 / 4)
        assert (found.per, found.runs, found.seconds) == ("result", 4, pytest.approx(10))
        assert "mJ per result above idle" in found.text
        assert "over 4 results in 10.0 s" in found.text
        assert found.rate_hz == (None if meter.counts else 5.0)


def test_work_is_done_once_whatever_the_meter_does(tmp_path: Path) -> None:
    calls: list[str] = []

    def work() -> list[str]:
        calls.append("done")
        return calls

    for begin, during in (("gone", "gone"), (5, "gone")):
        calls.clear()
        file = zone(tmp_path, "intel-rapl:0", "package-0", 5)
        meter = open_meter("rapl", None, tmp_path)
        file.write_text(str(begin))

        def spoiling(text: str = str(during), file: Path = file) -> list[str]:
            file.write_text(text)
            return work()

        done, found = energy.measure_work(spoiling, len, meter, 0.0, root=tmp_path)
        assert done == calls == ["done"]
        assert found.joules is None
        assert "energy_uj cannot be read" in str(found.reason)
    file.write_text("7")
    with pytest.raises(ZeroDivisionError):
        energy.measure_work(lambda: 1 // 0, int, meter, 0.0, root=tmp_path)
    with pytest.raises(energy.MeterError, match="the work's own"):
        energy.measure_work(_refuse, int, meter, 0.0, root=tmp_path)
    _, found = energy.measure_work(list, len, meter, 0.0, root=tmp_path)
    assert found.reason == "there were no results"


def _refuse() -> int:
    raise energy.MeterError("the work's own")


def test_a_meter_that_fails_while_it_runs_gives_the_reason(tmp_path: Path) -> None:
    file = zone(tmp_path, "intel-rapl:0", "package-0", 5)
    meter = open_meter("rapl", None, tmp_path)
    found = energy.measure(lambda: file.write_text("gone"), meter, 0.0, 0.0, root=tmp_path)
    assert found.joules is None
    assert "energy_uj cannot be read" in str(found.reason)


def test_heat_and_throttling_are_told_beside_it(tmp_path: Path) -> None:
    board = boards.load_board("raspberry-pi-5")
    heat = put(tmp_path, board.thermal[0].path.lstrip("/"), 50_000)
    slow = put(tmp_path, "sys/devices/platform/soc/soc:firmware/get_throttled", "0")
    time = Time()

    def run() -> None:
        time.wait(1)
        heat.write_text("80000")
        slow.write_text("4")

    meter = replay(tmp_path, "time_s,watt\n0,2\n1,5", time)
    found = energy.measure(run, meter, 2.0, 1.0, board=board, root=tmp_path, clock=time, wait=time.wait)
    assert found.temperature_c == (50.0, 80.0)
    assert found.throttled == (False, True)


def test_the_power_of_late_is_that_since_the_last_question(tmp_path: Path) -> None:
    time = Time()
    counter = Watts(replay(tmp_path, "time_s,joule\n0,0\n10,20\n20,70", time), time)
    power = Watts(replay(tmp_path, "time_s,watt\n0,1\n15,9", time), time)
    time.now = 10
    assert (counter.read(), power.read()) == (2.0, 1.0)
    time.now = 20
    assert (counter.read(), power.read()) == (5.0, 9.0)
