"""When something happened, on devices whose clock may be wrong until the network is there."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_ASK_NS = 10**9
_UNSYNCHRONIZED = 0x40  # STA_UNSYNC of adjtimex(2)
# From here on times are counted that a clock without a battery cannot reach by itself: 2024-01-01.
_PLAUSIBLE_NS = 1_704_067_200 * 10**9


@dataclass(frozen=True)
class Stamp:
    """A moment: the boot and nanoseconds since it, which never jump, and what the wall clock said."""

    boot: str
    since_boot_ns: int
    wall_ns: int | None  # since 1970; None while the clock is not synchronized


def age_s(at: Stamp, now: Stamp) -> float:
    """Seconds between two stamps: jumps of the wall clock do not count within a boot.

    A stamp of an earlier boot is at least as old as this boot; the wall clock adds to that where both knew
    it.
    """
    if at.boot == now.boot:
        return (now.since_boot_ns - at.since_boot_ns) / 1e9
    least = now.since_boot_ns
    if at.wall_ns is not None and now.wall_ns is not None:
        least = max(least, now.wall_ns - at.wall_ns)
    return least / 1e9


class Clock:
    """The machine's clocks. Tests give an `Outbox` one of their own, with the same three members."""

    def __init__(self) -> None:
        try:
            self.boot = _BOOT_ID.read_text(encoding="ascii").strip()
        except OSError:  # not Linux: as if the machine had started with the process
            self.boot = f"{time.time_ns():x}"
        self._asked: tuple[int, bool] | None = None  # when the kernel was asked, and what it said

    def since_boot_ns(self) -> int:
        return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def wall_ns(self) -> int | None:
        now = time.time_ns()
        if self._asked is None or abs(now - self._asked[0]) > _ASK_NS:
            self._asked = now, _synchronized()
        return now if now > _PLAUSIBLE_NS and self._asked[1] else None

    def now(self) -> Stamp:
        return Stamp(self.boot, self.since_boot_ns(), self.wall_ns())


def _synchronized() -> bool:
    """What the kernel says; a kernel that cannot be asked is believed."""
    try:
        # struct timex begins with `modes`, 0: only read; `status` follows five longs.
        timex = (ctypes.c_long * 64)()
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return True
    if adjtimex(ctypes.byref(timex)) < 0:
        return True
    status = ctypes.c_int.from_buffer(timex, 5 * ctypes.sizeof(ctypes.c_long)).value
    return not status & _UNSYNCHRONIZED
