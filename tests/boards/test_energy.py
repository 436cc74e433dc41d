"""Temperature and throttling as the kernel's files and the firmware's command tell them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk import boards
from edge_sdk.energy import Throttling, temperature_c, throttling


def put(root: Path, name: str, text: str) -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_the_temperature_is_that_of_the_first_sensor_that_answers(tmp_path: Path) -> None:
    jetson = boards.load_board("jetson-nano")
    assert temperature_c(jetson, tmp_path) is None
    put(tmp_path, jetson.thermal[1].path[1:], "41500\n")
    assert temperature_c(jetson, tmp_path) == 41.5
    cpu = put(tmp_path, jetson.thermal[0].path[1:], "-5000\n")
    assert temperature_c(jetson, tmp_path) == -5.0
    cpu.write_text("")
    assert temperature_c(jetson, tmp_path) == 41.5


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        ("0\n", Throttling(now=False, since_boot=False)),
        ("50000\n", Throttling(now=False, since_boot=True)),
        ("0x50005", Throttling(now=True, since_boot=True)),
        ("80008", Throttling(now=True, since_boot=True)),
        ("", None),
    ],
)
def test_throttling_is_read_from_the_firmwares_file(
    tmp_path: Path, bits: str, expected: Throttling | None
) -> None:
    put(tmp_path, "sys/devices/platform/soc/soc:firmware/get_throttled", bits)
    assert throttling(tmp_path) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo throttled=0x50005", Throttling(now=True, since_boot=True)),
        ("echo throttled=0x0", Throttling(now=False, since_boot=False)),
        ("echo 'VCHI initialization failed'", None),
        ("echo throttled=0x0; exit 1", None),
    ],
)
def test_throttling_is_asked_of_the_firmwares_command(
    tmp_path: Path, script: str, expected: Throttling | None
) -> None:
    put(tmp_path, "usr/bin/vcgencmd", f'#!/bin/sh\n[ "$1" = get_throttled ] && {script}\n').chmod(0o755)
    assert throttling(tmp_path) == expected


def test_a_board_without_any_of_it_says_nothing(tmp_path: Path) -> None:
    assert throttling(tmp_path) is None
