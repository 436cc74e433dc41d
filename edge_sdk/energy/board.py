"""How warm the board is, and whether it slows down for it.

Where a board does not tell, the answer is None: no reading is ever made up.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.boards import BoardProfile

# Raspberry Pi: the firmware's bits in hexadecimal. From the 5 on only its command has them.
_FIRMWARE = (
    "sys/devices/platform/soc/soc:firmware/get_throttled",
    "sys/devices/platform/soc:firmware/get_throttled",
)
_COMMAND = ("usr/bin/vcgencmd", "opt/vc/bin/vcgencmd")
_COMMAND_S = 2.0  # how long it may take
_REASONS = 0xF  # under-voltage, frequency capped, throttled, soft temperature limit


@dataclass(frozen=True)
class Throttling:
    """Whether the CPU runs slower than it could, for want of power or for heat."""

    now: bool
    since_boot: bool  # it has happened


def temperature_c(profile: BoardProfile, root: str | os.PathLike[str] = "/") -> float | None:
    """Degrees Celsius of the first of the profile's thermal sensors that answers. `root`: where /sys is."""
    for sensor in profile.thermal:
        try:
            return int((Path(root) / sensor.path.lstrip("/")).read_text()) / 1000
        except (OSError, ValueError):  # some sensors fail while their part of the chip is off
            continue
    return None


def throttling(root: str | os.PathLike[str] = "/") -> Throttling | None:
    """What the firmware of a Raspberry Pi says of it; None on other boards. May take some milliseconds."""
    bits = _bits(Path(root))
    return None if bits is None else Throttling(bool(bits & _REASONS), bool(bits >> 16 & _REASONS))


def _bits(root: Path) -> int | None:
    for file in _FIRMWARE:
        try:
            return int((root / file).read_text(), 16)
        except (OSError, ValueError):
            continue
    try:
        return int(vcgencmd("get_throttled", root).partition("=")[2], 16)  # throttled=0x50000
    except ValueError:
        return None


def vcgencmd(question: str, root: Path) -> str:
    """What the firmware of a Raspberry Pi answers; "" where there is none, or it does not."""
    for command in _COMMAND:
        try:
            return subprocess.run(
                [str(root / command), question],
                capture_output=True,
                text=True,
                timeout=_COMMAND_S,
                check=True,
            ).stdout
        except (OSError, ValueError, subprocess.SubprocessError):
            continue
    return ""
