"""Are two lists of outputs the same? Needs numpy alone, so it runs on boards and emulators too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Tolerance:
    """|ours - reference| <= absolute + relative * |reference| for floats; integers must be equal."""

    absolute: float = 0.0
    relative: float = 0.0


def difference(
    got: Sequence[np.ndarray[Any, Any]], wanted: Sequence[np.ndarray[Any, Any]], tolerance: Tolerance
) -> str:
    """The first difference between two lists of outputs in words; empty where there is none."""
    if len(got) != len(wanted):
        return f"{len(got)} outputs, reference has {len(wanted)}"
    for number, (a, b) in enumerate(zip(got, wanted)):
        if a.dtype != b.dtype or a.shape != b.shape:
            return f"output {number} is {a.dtype}{list(a.shape)}, reference {b.dtype}{list(b.shape)}"
        if b.dtype.kind in "fc":
            with np.errstate(invalid="ignore"):
                close = np.abs(a - b) <= tolerance.absolute + tolerance.relative * np.abs(b)
            wrong = ~(close | (a == b) | (np.isnan(a) & np.isnan(b)))
        else:
            wrong = np.asarray(a != b)
        if wrong.any():
            first = tuple(int(i) for i in np.argwhere(wrong)[0])
            return (
                f"output {number} {b.dtype}{list(b.shape)}: {wrong.sum()} of {wrong.size} elements differ, "
                f"first at {list(first)}: {a[first]}, reference {b[first]}"
            )
    return ""
