"""Tracking: which detection of this frame is which of the frames before, by the overlap of their boxes.

The method is the IOU tracker of E. Bochinski, V. Eiselein and T. Sikora, "High-Speed
Tracking-by-Detection Without Using Image Information" (AVSS 2017), with the tolerance for missed
detections of its successor (AVSS 2018), and with one list of pairs for all tracks: the pair of track
and detection that overlaps most is joined first, then the next of those that are still free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge_sdk.errors import InputError
from edge_sdk.types import Array, Detection, Result


@dataclass
class _Track:
    number: int
    last: Detection
    misses: int = 0  # frames since `last`


class Tracker:
    """Numbers the objects of a video; it remembers frames, so each video needs its own."""

    def __init__(self, *, min_iou: float = 0.3, max_misses: int = 25) -> None:
        """`min_iou`: boxes that overlap less, intersection over union, are different objects.

        An object that is missing for more than `max_misses` frames is gone; its number is not used again.
        """
        if not 0 < min_iou <= 1 or max_misses < 0:
            raise InputError(
                f"min_iou is {min_iou}, it must be above 0 and at most 1; max_misses is {max_misses}, "
                "it must be 0 or more"
            )
        self._min_iou, self._max_misses = min_iou, max_misses
        self._tracks: list[_Track] = []
        self._next = 1

    def update(self, results: Sequence[Result]) -> tuple[Result, ...]:
        """One frame's results in their order, with `track` set in the detections; others as they are."""
        found = [r for r in results if isinstance(r, Detection)]
        joined = self._join(found)
        for track in self._tracks:
            track.misses += 1
        for position, detection in enumerate(found):
            if position not in joined:
                joined[position] = _Track(self._next, detection)
                self._tracks.append(joined[position])
                self._next += 1
            joined[position].last, joined[position].misses = detection, 0
        self._tracks = [t for t in self._tracks if t.misses <= self._max_misses]
        numbers = iter(joined[position].number for position in range(len(found)))
        return tuple(replace(r, track=next(numbers)) if isinstance(r, Detection) else r for r in results)

    def _join(self, found: Sequence[Detection]) -> dict[int, _Track]:
        """Position in `found` -> the track that it goes on with."""
        if not found or not self._tracks:
            return {}
        overlap = iou(_boxes([t.last for t in self._tracks]), _boxes(found))
        classes = np.array([t.last.id for t in self._tracks])[:, None] == np.array([d.id for d in found])
        overlap[~classes] = 0
        joined: dict[int, _Track] = {}
        taken: set[int] = set()
        # A stable sort of the flat matrix: of equal pairs the older track and the better detection.
        for pair in np.argsort(-overlap, axis=None, kind="stable"):
            row, column = divmod(int(pair), len(found))
            if overlap[row, column] < self._min_iou:
                break
            if row not in taken and column not in joined:
                taken.add(row)
                joined[column] = self._tracks[row]
        return joined


def iou(first: Array, second: Array) -> Array:
    """Intersection over union of each box of `first` (n, 4) with each of `second` (m, 4), as (n, m).

    Boxes are xmin, ymin, xmax, ymax.
    """
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1] - common
    overlap: Array = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return overlap


def _boxes(detections: Sequence[Detection]) -> Array:
    return np.array([(d.box.xmin, d.box.ymin, d.box.xmax, d.box.ymax) for d in detections], np.float64)
