"""Bounds on what a model may cost and lose, as text: `drop<=0.5 latency<=5ms size<=100KB`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge_sdk.errors import InputError
from edge_sdk.optimize.compare import Comparison, Row
from edge_sdk.units import size_text

# What can be bounded, and the factor of each unit; the first is the one of plain numbers.
_TIMES = {"ms": 1.0, "us": 1e-3, "µs": 1e-3, "s": 1e3}
_SIZES = {"B": 1.0, "KB": 1e3, "KiB": 1024.0, "MB": 1e6, "MiB": 1024.0**2}
_UNITS = {
    "drop": {"": 1.0, "%": 1.0},  # percentage points
    "accuracy": {"": 1.0, "%": 0.01},
    "agreement": {"": 1.0, "%": 0.01},
    "latency": _TIMES,
    "p95": _TIMES,
    "size": _SIZES,
    "arena": _SIZES,
    "energy": {"J": 1.0, "mJ": 1e-3, "uJ": 1e-6, "µJ": 1e-6},
}
NEED_LABELS = ("drop", "accuracy")
_UNKNOWN = {
    **dict.fromkeys(NEED_LABELS, "there are no labels to tell it by; agreement needs none"),
    "arena": "it is not known where the native backend does not run the model",
    "energy": "it was not measured",
}
_BOUND = re.compile(r"([a-z0-9]+)\s*(<=|>=)\s*([0-9.]+(?:e[+-]?[0-9]+)?)([a-zA-Zµ%]*)")


@dataclass(frozen=True)
class Bound:
    """One of them."""

    what: str
    least: bool  # it is a lower bound
    value: float  # milliseconds, bytes, joules, percentage points or a share
    text: str

    def holds(self, comparison: Comparison, row: Row) -> bool | None:
        """Whether a model keeps it; None where that is not known."""
        value = _value(self.what, comparison, row)
        if value is None:
            return None
        return value >= self.value if self.least else value <= self.value

    def excess(self, comparison: Comparison, row: Row) -> float:
        """By what share of the bound a model is beyond it: 0 where it keeps it, infinite where unknown."""
        value = _value(self.what, comparison, row)
        if value is None:
            return float("inf")
        beyond = self.value - value if self.least else value - self.value
        return max(beyond, 0.0) / max(abs(self.value), 1e-9)


def parse(text: str) -> tuple[Bound, ...]:
    """Bounds apart by commas or spaces; `InputError` names the part that is none."""
    bounds, rest = [], text.strip()
    while rest:
        found = _BOUND.match(rest)
        following = rest[found.end() :] if found else ""
        if not found or (following and following[0] not in " ,"):
            raise InputError(
                f"{rest!r} is no bound: write {'|'.join(_UNITS)} <= or >= a number with its unit"
            )
        what, sign, number, unit = found.groups()
        units = _UNITS.get(what)
        if units is None:
            raise InputError(f"{what!r} cannot be bounded: it is one of {', '.join(_UNITS)}")
        factor = units.get(unit, next(iter(units.values())) if not unit else None)
        if factor is None:
            raise InputError(f"{what} has no unit {unit!r}: it is one of {', '.join(filter(None, units))}")
        try:
            value = float(number) * factor
        except ValueError:
            raise InputError(f"{number!r} in {found.group()!r} is no number") from None
        bounds.append(Bound(what, sign == ">=", value, found.group()))
        rest = following.lstrip(" ,")
    if not bounds:
        raise InputError("there is no bound in the text: write for example 'drop<=0.5 latency<=5ms'")
    return tuple(bounds)


def misses(bounds: tuple[Bound, ...], comparison: Comparison, row: Row) -> list[str]:
    """The bounds that a model does not keep, or that cannot be told, in words."""
    said = []
    for bound in bounds:
        holds = bound.holds(comparison, row)
        if not holds:
            value = _value(bound.what, comparison, row)
            found = _UNKNOWN[bound.what] if value is None else f"it is {_text(bound.what, value)}"
            said.append(f"{row.name} misses {bound.text}: {found}")
    return said


def _text(what: str, value: float) -> str:
    """In the unit that reports have."""
    if what in ("size", "arena"):
        return size_text(value)
    if what in ("latency", "p95"):
        return f"{value:.4g} ms"
    if what == "energy":
        return f"{1e3 * value:.4g} mJ"
    return f"{value:.2f} points" if what == "drop" else f"{100 * value:.2f} %"


def _value(what: str, comparison: Comparison, row: Row) -> float | None:
    known: dict[str, float | None] = {
        "drop": comparison.drop(row) if row.accuracy else None,
        "accuracy": row.score if row.accuracy else None,
        "agreement": row.agreement,
        "latency": row.p50_ms,
        "p95": row.p95_ms,
        "size": float(row.bytes),
        "arena": None if row.arena_bytes is None else float(row.arena_bytes),
        "energy": row.joules,
    }
    return known[what]
