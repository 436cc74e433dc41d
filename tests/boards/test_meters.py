"""Power meters over fake folders of /sys and recordings; no hardware is asked for."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from meters import Time, put, replay, zone

from edge_sdk import boards, errors
from edge_sdk.energy import METERS, MeterError, open_meter

# What a Raspberry Pi 5 answers, shortened; EXT5V and BATT have no current.
PMIC = """ 3V7_WL_SW_A current(0)=0.10000000A
   3V3_SYS_A current(1)=0.05000000A
  VDD_CORE_A current(7)=2.00000000A
    ORPHAN_A current(9)=9.00000000A
 3V7_WL_SW_V volt(8)=3.70000000V
   3V3_SYS_V volt(9)=3.30000000V
  VDD_CORE_V volt(15)=0.80000000V
     EXT5V_V volt(24)=5.06788000V
      BATT_V volt(25)=0.00000000V
"""


def chip(root: Path, folder: str, kind: str, **files: str | int) -> Path:
    put(root, f"sys/class/hwmon/{folder}/name", kind)
    for name, value in files.items():
        put(root, f"sys/class/hwmon/{folder}/{name}", value)
    return root / "sys/class/hwmon" / folder


def firmware(root: Path, answer: str) -> None:
    put(root, "usr/bin/vcgencmd", f"#!/bin/sh\n[ $1 = pmic_read_adc ] && cat <<'END'\n{answer}END").chmod(
        0o755
    )


def old_jetson(root: Path) -> None:
    for i, (rail, mw) in enumerate([("POM_5V_IN", 2500), ("POM_5V_GPU", 300), ("POM_5V_CPU", 900)]):
        folder = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
        put(root, f"{folder}/rail_name_{i}", rail)
        put(root, f"{folder}/in_power{i}_input", mw)


def each(name: str, root: Path) -> tuple[str, float | None]:
    """Makes hardware for the meter of that name: how to open it; the watts that it shows."""
    if name == "rapl":
        zone(root, "intel-rapl:0", "package-0", 5)
        return name, None
    if name == "hwmon":
        chip(root, "hwmon3", "ina226", power1_input=1_250_000, in1_input=5000, curr1_input=999)
        return name, 1.25
    if name == "pmic":
        firmware(root, PMIC)
        return name, 0.1 * 3.7 + 0.05 * 3.3 + 2.0 * 0.8
    if name in ("jetson", "board"):
        old_jetson(root)
        return name, 2.5
    assert name == "replay", "give the new meter a line here"
    return f"replay:{put(root, 'watts.csv', 'time_s,watt' + chr(10) + '0,3.5')}", 3.5


@pytest.mark.parametrize("name", METERS)
def test_every_meter_keeps_the_contract(name: str, tmp_path: Path) -> None:
    where, watts = each(name, tmp_path)
    with open_meter(where, boards.load_board("jetson-nano"), tmp_path) as meter:
        assert meter.name == name
        assert meter.covers
        assert meter.counts is (watts is None)
        assert meter.counts or meter.rate_hz > 0
        first, second = meter.read(), meter.read()
        assert math.isfinite(first)
        assert second >= first
        if watts is not None:
            assert first == pytest.approx(watts)
    meter.close()


@pytest.mark.parametrize("name", METERS)
def test_a_meter_that_is_not_there_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(MeterError, match=name):
        open_meter(name, boards.load_board("jetson-nano"), tmp_path)


@pytest.mark.parametrize("name", [n for n in METERS if n != "replay"])
def test_the_first_meter_that_is_there_is_taken(name: str, tmp_path: Path) -> None:
    _, watts = each(name, tmp_path)
    board = boards.load_board("jetson-nano") if name == "board" else None
    meter = open_meter(None, board, tmp_path)
    assert meter.name == name
    assert watts is None or meter.read() == pytest.approx(watts)


def test_where_there_is_none_the_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(MeterError, match="no power meter that we know"):
        open_meter(None, None, tmp_path)
    with pytest.raises(MeterError, match="no meter is named 'rappl'; there are board, pmic"):
        open_meter("rappl", None, tmp_path)
    with pytest.raises(MeterError, match="cannot be loaded: No module named 'no_such'"):
        open_meter("no_such:Meter", None, tmp_path)
    assert issubclass(MeterError, errors.EdgeError)


# RAPL


def test_packages_are_added_up_and_nothing_is_counted_twice(tmp_path: Path) -> None:
    first = zone(tmp_path, "intel-rapl:0", "package-0", 100)
    second = zone(tmp_path, "intel-rapl:1", "package-1", 0)
    others = [
        zone(tmp_path, "intel-rapl:0:0", "core", 0),
        zone(tmp_path, "intel-rapl:0:1", "dram", 0),
        zone(tmp_path, "intel-rapl:2", "psys", 0),
        zone(tmp_path, "intel-rapl-mmio:0", "package-0", 0),
    ]
    meter = open_meter("rapl", None, tmp_path)
    dram = open_meter("rapl:dram", None, tmp_path)
    first.write_text("250100")
    second.write_text("500000")
    for other in others:
        other.write_text("900000")
    assert meter.read() == pytest.approx(0.75)
    assert dram.read() == pytest.approx(0.9)
    with pytest.raises(MeterError, match="no zone 'gpu'; there are package-0, core, dram, package-1, psys"):
        open_meter("rapl:gpu", None, tmp_path)


def test_a_counter_that_starts_again_goes_on(tmp_path: Path) -> None:
    file = zone(tmp_path, "intel-rapl:0", "package-0", 999_990)
    meter = open_meter("rapl", None, tmp_path)
    file.write_text("40")  # 10 to the end and over it, then 40
    assert meter.read() == pytest.approx(50e-6)
    file.write_text("60")
    assert meter.read() == pytest.approx(70e-6)


def test_the_profile_of_a_pc_stands_for_all_its_packages(tmp_path: Path) -> None:
    for i in (0, 1):
        zone(tmp_path, f"intel-rapl:{i}", f"package-{i}", 0)
    assert open_meter(None, boards.load_board("generic-x86-64"), tmp_path).covers == "package-0+package-1"


def test_a_counter_only_for_root_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 5)
    plain = Path.read_text

    def read_text(file: Path) -> str:  # the tests may run as root, who may read anything
        if file.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return plain(file)

    monkeypatch.setattr(Path, "read_text", read_text)
    with pytest.raises(MeterError, match="energy_uj may be read only by root"):
        open_meter(None, None, tmp_path)


def test_behind_a_meter_that_cannot_be_read_the_next_is_taken(tmp_path: Path) -> None:
    for i in (1, 2):
        chip(tmp_path, f"hwmon{i}", "ina226", power1_input=1)
    with pytest.raises(MeterError, match="name those that add up"):
        open_meter(None, None, tmp_path)
    zone(tmp_path, "intel-rapl:0", "package-0", 5)
    assert open_meter(None, None, tmp_path).name == "rapl"


# INA chips


def test_current_times_voltage_where_a_chip_has_no_power(tmp_path: Path) -> None:
    chip(tmp_path, "hwmon0", "coretemp", in1_input=1, curr1_input=1)
    chip(tmp_path, "hwmon1", "ina219", in0_input=7, in1_input=5000, curr1_input=400)
    assert open_meter("hwmon", None, tmp_path).read() == pytest.approx(2.0)


def test_of_several_rails_that_of_the_whole_board_is_taken(tmp_path: Path) -> None:
    volts = {f"in{i}_input": 5000 for i in (1, 2, 3)}
    shunt = {f"in{i}_input": 90 for i in (4, 5, 6, 7)}
    amperes = {"curr1_input": 1000, "curr2_input": 300, "curr3_input": 200, "curr4_input": 1500}
    labels = {"in1_label": "VDD_IN", "in2_label": "VDD_CPU_GPU_CV", "in3_label": "VDD_SOC"}
    folder = chip(tmp_path, "hwmon1", "ina3221", **volts, **shunt, **amperes, **labels)
    whole = open_meter("hwmon", None, tmp_path)
    assert (whole.covers, whole.read()) == ("VDD_IN", pytest.approx(5.0))
    assert open_meter("hwmon:VDD_SOC+VDD_CPU_GPU_CV", None, tmp_path).read() == pytest.approx(2.5)
    with pytest.raises(MeterError, match="rails VDD_IN, VDD_CPU_GPU_CV, VDD_SOC, and VDD_X is not"):
        open_meter("hwmon:VDD_X", None, tmp_path)
    (folder / "in1_label").write_text("VDD_GPU")
    with pytest.raises(MeterError, match="name those that add up to it, as in hwmon:VDD_GPU"):
        open_meter(None, None, tmp_path)


def test_a_profiles_rail_may_be_named(tmp_path: Path) -> None:
    old_jetson(tmp_path)
    nano = boards.load_board("jetson-nano")
    assert open_meter("board:POM_5V_CPU", nano, tmp_path).read() == pytest.approx(0.9)
    with pytest.raises(MeterError, match="no rail 'X', only POM_5V_IN"):
        open_meter("board:X", nano, tmp_path)
    orin = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon4"
    put(tmp_path, f"{orin}/in1_input", 5000)
    put(tmp_path, f"{orin}/curr1_input", 800)
    assert open_meter(None, boards.load_board("jetson-orin-nano"), tmp_path).read() == pytest.approx(4.0)


def test_a_rail_of_the_firmware_may_be_named_and_a_silent_one_is_no_meter(tmp_path: Path) -> None:
    firmware(tmp_path, PMIC)
    assert open_meter("pmic:VDD_CORE", None, tmp_path).read() == pytest.approx(1.6)
    meter = open_meter("pmic", None, tmp_path)
    firmware(tmp_path, 'error=1 error_msg="Command not registered"\n')
    with pytest.raises(MeterError, match="does not tell '3V7_WL_SW' any more"):
        meter.read()
    with pytest.raises(MeterError, match="no meter 'pmic'"):
        open_meter("pmic", None, tmp_path)


# Other packages, recordings


class UsbMeter:
    """As another package would have it."""

    name, covers, counts, rate_hz = "usb", "the plug", False, 20.0

    def __init__(self, what: str, board: boards.BoardProfile | None, root: Path) -> None:
        self.covers = what

    def read(self) -> float:
        return 4.5

    def close(self) -> None: ...

    def __enter__(self) -> UsbMeter:
        return self

    def __exit__(self, *_: object) -> None: ...


def test_a_meter_of_another_package_is_loaded_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys
    import types

    module = types.ModuleType("a_usb_meter")
    module.Usb = UsbMeter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_usb_meter", module)
    meter = open_meter("a_usb_meter:Usb:/dev/ttyACM0", None, tmp_path)
    assert (meter.covers, meter.read()) == ("/dev/ttyACM0", 4.5)


def test_a_recording_is_played_in_its_time(tmp_path: Path) -> None:
    time = Time()
    power = replay(tmp_path, "time_s,watt\n0,1\n2,5\n3,2", time)
    counter = replay(tmp_path, "time_s,joule\n0,10\n2,14\n4,15", time)
    seen = []
    for moment in (0.0, 1.5, 2.0, 3.5, 9.0):
        time.now = moment
        seen.append((power.read(), counter.read()))
    assert seen == [(1, 10), (1, 13), (5, 14), (2, 14.75), (2, 15)]


@pytest.mark.parametrize(
    "text",
    ["", "time_s,watt", "time,watt\n0,1", "time_s,watt\n0,x", "time_s,watt\n1,1\n1,2",
     "time_s,joule\n0,2\n1,1", "time_s,watt\n0"],
)  # fmt: skip
def test_a_bad_recording_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(MeterError, match=r"meter\.csv"):
        replay(tmp_path, text, Time())
