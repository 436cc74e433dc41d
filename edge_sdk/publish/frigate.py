"""Events as Frigate publishes them, for the many programs that listen to Frigate.

`<prefix>/events` tells of each tracked object: `new` once it has been seen in several frames, `update`
when something about it changed, `end` when it has been gone for a while, each with the object's state
before and after. `<prefix>/<camera>/<label>` counts the objects in view, `.../active` those that move.
Source: https://docs.frigate.video/integrations/mqtt/ (0.16 and 0.17).

There are no pictures: `has_snapshot` and `has_clip` are false and `thumbnail` is null, always; `snapshot`
says when the object was seen best.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from edge_sdk.publish.message import Identity, Message, Silent
from edge_sdk.publish.reading import Found, detections, epoch_of

_SCORES = 10  # of the last frames, whose median is an object's score
_BETTER_AREA, _BETTER_SCORE = 1.1, 0.05  # from which growth on a view is better than the best so far
_STILL_IOU = 0.6  # boxes that overlap less with where the object rested mean that it moved
_REMINDER_S = 60.0  # an object that does not change is told of this often
_REPEATS = 256  # results whose messages are kept in case they are sent again


@dataclass
class _Object:
    """One tracked object."""

    id: str
    start: float  # seconds since 1970, as all times here
    seen: Found
    seen_at: float
    scores: list[float] = field(default_factory=list)
    top_score: float = 0.0
    hits: int = 0
    misses: int = 0  # results since it was seen
    rest: tuple[float, ...] = ()  # the box that it stays in
    motionless: int = 0  # results in which it stayed there
    moves: int = 0  # times that it moved after it had been stationary
    best: dict[str, Any] | None = None
    ended: float | None = None
    told: dict[str, Any] | None = None  # the state last published


class Frigate(Silent):
    """The convention `frigate` of a publisher; the detections must carry `track` (`edge_sdk.tasks.track`)."""

    def __init__(
        self,
        identity: Identity,
        *,
        camera: str | None = None,
        prefix: str = "frigate",
        min_hits: int = 3,
        max_misses: int = 25,
        stationary_after: int = 50,
    ) -> None:
        """`camera` is the last level of the results' topic by default.

        An object is told of from its `min_hits`-th result on, and has ended after `max_misses` without it,
        which should be the tracker's. It is stationary when it stayed for more than `stationary_after`.
        """
        self._camera, self._prefix = level(camera or identity.topic.rpartition("/")[2]), prefix
        self._min_hits, self._max_misses, self._stationary_after = min_hits, max_misses, stationary_after
        self._epoch = ""
        self._objects: dict[int, _Object] = {}  # by track
        self._counts: dict[str, int] = {}  # last published, by topic below the camera
        self._answers: OrderedDict[str, list[Message]] = OrderedDict()  # by the result's `_id`

    def connected(self) -> Iterable[Message]:
        """What is in view: messages may have been lost with the last connection."""
        yield from [self._event("update", o) for o in self._objects.values() if o.told is not None]
        yield from [self._count(name, number) for name, number in self._counts.items()]

    def result(self, payload: Mapping[str, Any], age_s: float) -> Iterable[Message]:
        """The messages of one result; the same ones if it is sent again."""
        name = str(payload.get("_id", ""))
        if name not in self._answers:
            messages = [*self._start_over(epoch_of(payload)), *self._see(payload, time.time() - age_s)]
            if not name:
                return messages
            self._answers[name] = messages
            if len(self._answers) > _REPEATS:
                self._answers.popitem(last=False)
        return self._answers[name]

    def closing(self) -> Iterable[Message]:
        """Everything ends."""
        return [*self._start_over(""), *self._changed_counts()]

    def _start_over(self, epoch: str) -> Iterator[Message]:
        """Ends all objects if another process numbers them from here on."""
        if epoch != self._epoch:
            self._epoch = epoch
            for track in list(self._objects):
                yield from self._end(track)

    def _see(self, payload: Mapping[str, Any], now: float) -> Iterator[Message]:
        found = {d.track: d for d in detections(payload) if d.track is not None}
        for track, detection in found.items():
            if track not in self._objects:
                name = f"{now:.6f}-{secrets.token_hex(3)}"
                self._objects[track] = _Object(name, now, detection, now, rest=detection.box)
            self._update(self._objects[track], detection, now)
        for track, thing in list(self._objects.items()):
            if track not in found:
                thing.misses += 1
                thing.scores = [*thing.scores, 0.0][-_SCORES:]
            if thing.misses > self._max_misses:
                yield from self._end(track)
            elif thing.hits >= self._min_hits and self._is_news(thing, now):
                yield self._event("update" if thing.told is not None else "new", thing)
        yield from self._changed_counts()

    def _update(self, thing: _Object, detection: Found, now: float) -> None:
        if _iou(thing.rest, detection.box) >= _STILL_IOU:
            thing.motionless += 1
        else:
            thing.moves += thing.motionless > self._stationary_after
            thing.motionless, thing.rest = 0, detection.box
        thing.seen, thing.seen_at, thing.misses, thing.hits = detection, now, 0, thing.hits + 1
        thing.scores = [*thing.scores, detection.score][-_SCORES:]
        thing.top_score = max(thing.top_score, median(thing.scores))
        view = {
            "frame_time": now,
            "box": _whole(detection.box),
            "area": _area(detection.box),
            "region": _whole(detection.box),
            "score": detection.score,
            "attributes": [],
        }
        best = thing.best
        if (
            best is None
            or view["area"] > best["area"] * _BETTER_AREA
            or view["score"] > best["score"] + _BETTER_SCORE
        ):
            thing.best = view

    def _is_news(self, thing: _Object, now: float) -> bool:
        told = thing.told
        return (
            told is None
            or told["snapshot"] != thing.best
            or told["stationary"] != (thing.motionless > self._stationary_after)
            or told["position_changes"] != thing.moves
            or now - told["frame_time"] > _REMINDER_S
        )

    def _end(self, track: int) -> Iterator[Message]:
        thing = self._objects.pop(track)
        thing.ended = thing.seen_at
        if thing.told is not None:
            yield self._event("end", thing)

    def _event(self, kind: str, thing: _Object) -> Message:
        after = self._state(thing)
        before = thing.told or {**after, "false_positive": True}
        thing.told = after
        event = {"type": kind, "before": before, "after": after}
        return Message(f"{self._prefix}/events", json.dumps(event, separators=(",", ":")).encode())

    def _state(self, thing: _Object) -> dict[str, Any]:
        box = thing.seen.box
        width, height = box[2] - box[0], box[3] - box[1]
        stationary = thing.motionless > self._stationary_after
        return {
            "id": thing.id,
            "camera": self._camera,
            "frame_time": thing.seen_at,
            "snapshot": thing.best,
            "label": thing.seen.label,
            "sub_label": None,
            "top_score": thing.top_score,
            "false_positive": False,
            "start_time": thing.start,
            "end_time": thing.ended,
            "score": thing.seen.score,
            "box": _whole(box),
            "area": _area(box),
            "ratio": round(width / height, 6) if height else 0.0,
            "region": _whole(box),
            "current_zones": [],
            "entered_zones": [],
            "thumbnail": None,
            "has_snapshot": False,
            "has_clip": False,
            "active": not stationary,
            "stationary": stationary,
            "motionless_count": thing.motionless,
            "position_changes": thing.moves,
            "attributes": {},
            "current_attributes": [],
            "current_estimated_speed": 0,
            "average_estimated_speed": 0,
            "velocity_angle": 0,
            "recognized_license_plate": None,
            "recognized_license_plate_score": None,
        }

    def _changed_counts(self) -> Iterator[Message]:
        counts = dict.fromkeys(self._counts, 0)
        counts.update(self._in_view())
        for name, number in counts.items():
            if self._counts.get(name) != number:
                self._counts[name] = number
                yield self._count(name, number)

    def _in_view(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for thing in self._objects.values():
            if thing.told is not None:
                active = thing.motionless <= self._stationary_after
                for label in (level(thing.seen.label), "all"):
                    counts[label] += 1
                    counts[f"{label}/active"] += active
        return counts

    def _count(self, name: str, number: int) -> Message:
        return Message(f"{self._prefix}/{self._camera}/{name}", str(number).encode())


def level(text: str) -> str:
    """Text that can be one level of a topic."""
    return re.sub(r"[/+#\x00]", "_", text) or "_"


def _whole(box: Sequence[float]) -> list[int]:
    return [round(v) for v in box]


def _area(box: Sequence[float]) -> int:
    return round((box[2] - box[0]) * (box[3] - box[1]))


def _iou(a: Sequence[float], b: Sequence[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / union if union > 0 else 0.0
