"""What conventions read from a published result, which anybody may have made: what is odd is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Found:
    """One detection of a result."""

    label: str
    score: float
    box: tuple[float, float, float, float]  # xmin, ymin, xmax, ymax; pixels of the source picture
    track: int | None


def detections(payload: Mapping[str, Any]) -> Iterator[Found]:
    """The entries of `results` that have a box."""
    for entry in entries(payload):
        box = entry.get("box")
        corners = [number(v) for v in box] if isinstance(box, (list, tuple)) else []
        if len(corners) == 4 and None not in corners:
            track = entry.get("track")
            xmin, ymin, xmax, ymax = (v or 0.0 for v in corners)
            yield Found(
                label_of(entry),
                score_of(entry),
                (xmin, ymin, xmax, ymax),
                track if type(track) is int else None,
            )


def entries(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The classes or detections of a result, best first."""
    results = payload.get("results")
    return [r for r in results if isinstance(r, Mapping)] if isinstance(results, (list, tuple)) else []


def label_of(entry: Mapping[str, Any]) -> str:
    return str(entry.get("label", ""))


def score_of(entry: Mapping[str, Any]) -> float:
    return number(entry.get("score")) or 0.0


def latency_ms(payload: Mapping[str, Any]) -> float | None:
    """From the frame to its result, without the time that it waited."""
    timings = payload.get("timings_ms")
    if not isinstance(timings, Mapping):
        return None
    return sum(number(value) or 0.0 for value in timings.values())


def epoch_of(payload: Mapping[str, Any]) -> str:
    """What results of one process have in common: `_id` without its number."""
    return str(payload.get("_id", "")).rpartition("/")[0]


def number(value: Any) -> float | None:
    """A JSON number, and nothing else."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
