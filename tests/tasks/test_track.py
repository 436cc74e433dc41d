"""Tracking: an object keeps its number, two objects never share one."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import InputError
from edge_sdk.tasks.track import Tracker, iou
from edge_sdk.types import Box, Class, Detection, Result


def thing(x: float, y: float = 0.0, kind: int = 0, size: float = 10.0, score: float = 0.9) -> Detection:
    return Detection(kind, score, f"kind {kind}", Box(x, y, x + size, y + size))


def tracks(results: Sequence[Result]) -> list[int | None]:
    return [r.track for r in results if isinstance(r, Detection)]


def test_numbers_stay_while_things_move_and_their_order_changes() -> None:
    tracker = Tracker()
    assert tracks(tracker.update([thing(0), thing(100)])) == [1, 2]
    for step in range(1, 50):
        assert tracks(tracker.update([thing(100 - 3 * step, 50 + step), thing(3 * step)]))[1] == 1


def test_the_rest_of_a_detection_is_left_alone() -> None:
    first, other = thing(5), Class(3, 0.5, "a class")
    (tracked, same) = Tracker().update([first, other])
    assert isinstance(tracked, Detection)
    assert (tracked.box, tracked.score, tracked.label, tracked.id) == (first.box, 0.9, "kind 0", 0)
    assert same is other
    assert tracked.to_dict()["track"] == 1
    assert "track" not in first.to_dict()


def test_classes_are_told_apart() -> None:
    tracker = Tracker()
    tracker.update([thing(0, kind=1), thing(0, kind=2)])
    assert tracks(tracker.update([thing(0, kind=2), thing(0, kind=1), thing(0, kind=3)])) == [2, 1, 3]


def test_the_pair_that_overlaps_most_is_joined_first() -> None:
    tracker = Tracker()
    tracker.update([thing(0), thing(6)])
    # The first detection overlaps with both tracks, more with the second.
    assert tracks(tracker.update([thing(5), thing(1)])) == [2, 1]


def test_a_thing_may_be_missed_for_a_while_but_its_number_is_never_used_again() -> None:
    tracker = Tracker(max_misses=3)
    tracker.update([thing(0)])
    for _ in range(3):
        tracker.update([])
    assert tracks(tracker.update([thing(1)])) == [1]
    for _ in range(4):
        tracker.update([])
    assert tracks(tracker.update([thing(1)])) == [2]


def test_a_jump_is_another_thing() -> None:
    tracker = Tracker(min_iou=0.5)
    tracker.update([thing(0)])
    assert tracks(tracker.update([thing(3)])) == [1], "7 / 13 of the boxes are in both"
    assert tracks(tracker.update([thing(7)])) == [2], "6 / 14"


def test_a_noisy_crowd_keeps_its_numbers() -> None:
    """Twenty things on lanes of their own, every twentieth detection missing, in random order."""
    rng = random.Random("a noisy crowd")
    tracker = Tracker(max_misses=10)
    numbers: dict[int, set[int | None]] = {lane: set() for lane in range(20)}
    for frame in range(300):
        seen = [lane for lane in range(20) if rng.random() > 0.05]
        rng.shuffle(seen)
        found = [
            thing(frame * (1 + lane % 2) + rng.gauss(0, 1), 30 * lane + rng.gauss(0, 1), size=20)
            for lane in seen
        ]
        for lane, number in zip(seen, tracks(tracker.update(found))):
            numbers[lane].add(number)
    assert [len(n) for n in numbers.values()] == [1] * 20
    assert len(set.union(*numbers.values())) == 20


@given(st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), max_size=6), max_size=12))
def test_two_things_of_a_frame_never_share_a_number(video: list[list[tuple[int, int]]]) -> None:
    tracker = Tracker(max_misses=2)
    for frame in video:
        numbers = tracks(tracker.update([thing(x, kind=kind) for x, kind in frame]))
        assert None not in numbers
        assert len(set(numbers)) == len(frame)


def test_overlap_is_intersection_over_union() -> None:
    first = np.array([[0, 0, 10, 10], [5, 5, 5, 5]], float)
    second = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [5, 5, 5, 5]], float)
    np.testing.assert_allclose(iou(first, second), [[1, 1 / 3, 0, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("options", [{"min_iou": 0.0}, {"min_iou": 1.5}, {"max_misses": -1}])
def test_options_that_make_no_sense_are_named(options: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        Tracker(**options)  # type: ignore[arg-type]
