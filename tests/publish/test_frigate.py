"""Events in the shape of Frigate's: when they come, and what is in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from edge_sdk.publish.frigate import Frigate
from edge_sdk.publish.message import Identity, Message

# The keys of `before` and `after` and their types, as docs.frigate.video/integrations/mqtt has them.
NUMBER = (int, float)
OBJECT: dict[str, Any] = {
    "id": str,
    "camera": str,
    "frame_time": float,
    "snapshot": dict,
    "label": str,
    "sub_label": (type(None), list),
    "top_score": float,
    "false_positive": bool,
    "start_time": float,
    "end_time": (type(None), float),
    "score": float,
    "box": list,
    "area": int,
    "ratio": float,
    "region": list,
    "current_zones": list,
    "entered_zones": list,
    "thumbnail": type(None),
    "has_snapshot": bool,
    "has_clip": bool,
    "active": bool,
    "stationary": bool,
    "motionless_count": int,
    "position_changes": int,
    "attributes": dict,
    "current_attributes": list,
    "current_estimated_speed": NUMBER,
    "average_estimated_speed": NUMBER,
    "velocity_angle": NUMBER,
    "recognized_license_plate": (type(None), str),
    "recognized_license_plate_score": (type(None), float),
}


def speaker(camera: str, **options: Any) -> Frigate:
    return Frigate(Identity("pi-1", "edge/" + camera), camera=camera, **options)


def result(number: int, *things: Mapping[str, Any], epoch: str = "cam/1") -> dict[str, Any]:
    return {"results": list(things), "_id": f"{epoch}/{number}"}


def person(
    x: float = 0, *, track: int = 1, score: float = 0.8, height: float = 200, label: str = "person"
) -> Any:
    return {"label": label, "score": score, "box": [x, 0.4, x + 100, height], "track": track}


def events(messages: Iterable[Message]) -> list[dict[str, Any]]:
    return [json.loads(m.payload) for m in messages if m.topic == "frigate/events"]


def counts(messages: Iterable[Message]) -> dict[str, str]:
    return {m.topic: m.payload.decode() for m in messages if m.topic != "frigate/events"}


def feed(frigate: Frigate, *frames: Iterable[Mapping[str, Any]]) -> list[list[Message]]:
    return [list(frigate.result(result(n, *things), 0)) for n, things in enumerate(frames)]


def check_shape(event: Mapping[str, Any]) -> None:
    assert set(event) == {"type", "before", "after"}
    assert event["type"] in ("new", "update", "end")
    for state in (event["before"], event["after"]):
        assert set(state) == set(OBJECT)
        for key, kind in OBJECT.items():
            assert isinstance(state[key], kind), f"{key} is {state[key]!r}"
        for box in (state["box"], state["region"], state["snapshot"]["box"]):
            assert len(box) == 4
            assert all(type(v) is int for v in box)
        assert state["active"] is not state["stationary"]
        seconds, dash, suffix = state["id"].partition("-")
        assert float(seconds) == pytest.approx(state["start_time"], abs=1e-5)
        assert dash
        assert len(suffix) == 6
    assert event["before"]["id"] == event["after"]["id"]
    assert (event["after"]["end_time"] is not None) == (event["type"] == "end")


def test_an_object_is_new_then_changes_then_ends() -> None:
    frigate = speaker("door", max_misses=2)
    steps = feed(
        frigate,
        [person()],
        [person(2)],
        [person(4)],
        [person(6)],
        [person(8, score=0.9)],  # a better view
        [],
        [],
        [],
        [],
    )
    found = [(n, e) for n, step in enumerate(steps) for e in events(step)]
    assert [(n, e["type"]) for n, e in found] == [(2, "new"), (4, "update"), (7, "end")]
    for _, event in found:
        check_shape(event)
    new, update, end = (event for _, event in found)
    assert new["before"]["false_positive"]
    assert not new["after"]["false_positive"]
    assert (new["after"]["camera"], new["after"]["label"], new["after"]["score"]) == ("door", "person", 0.8)
    assert new["after"]["box"] == [4, 0, 104, 200]
    assert new["after"]["area"] == 19_960
    assert new["after"]["ratio"] == pytest.approx(100 / 199.6, abs=1e-6)
    assert update["before"] == new["after"]
    assert update["after"]["snapshot"]["score"] == 0.9
    assert update["after"]["top_score"] == 0.8, "the median of the scores, not the greatest"
    assert end["before"] == update["after"]
    assert end["after"]["end_time"] == update["after"]["frame_time"], "when it was last seen"
    assert len({event["after"]["id"] for _, event in found}) == 1


def test_what_is_seen_once_or_twice_is_not_told() -> None:
    steps = feed(speaker("door", max_misses=1), [person()], [person()], [], [], [], [])
    assert not any(steps)


def test_counts_follow_the_objects() -> None:
    frigate = speaker("door", min_hits=1, max_misses=0)
    dog = person(300, track=2, label="dog/cat")
    steps = feed(frigate, [person()], [person(), dog], [person(), dog], [dog])
    base = "frigate/door/"
    assert [counts(step) for step in steps] == [
        {f"{base}person": "1", f"{base}person/active": "1", f"{base}all": "1", f"{base}all/active": "1"},
        {f"{base}dog_cat": "1", f"{base}dog_cat/active": "1", f"{base}all": "2", f"{base}all/active": "2"},
        {},
        {f"{base}person": "0", f"{base}person/active": "0", f"{base}all": "1", f"{base}all/active": "1"},
    ]
    last = list(frigate.closing())
    assert [e["type"] for e in events(last)] == ["end"]
    assert counts(last)[f"{base}all"] == "0"


def test_what_rests_is_stationary_and_tells_that_it_moves_again() -> None:
    frigate = speaker("yard", stationary_after=5)
    steps = feed(frigate, *[[person()]] * 10, [person(90)], [person(91)])
    told = [(n, e["after"]) for n, step in enumerate(steps) for e in events(step)]
    assert [(n, state["stationary"], state["position_changes"]) for n, state in told] == [
        (2, False, 0),
        (5, True, 0),
        (10, False, 1),
    ]
    assert [counts(s).get("frigate/yard/person/active") for s in steps if counts(s)] == ["1", "0", "1"]


def test_a_result_that_is_sent_again_tells_the_same_again() -> None:
    frigate = speaker("door", min_hits=1)
    first = [result(n, person(n, score=0.5 + n / 10)) for n in range(3)]
    told = [list(frigate.result(r, 0)) for r in first]
    assert [[e["type"] for e in events(step)] for step in told] == [["new"], ["update"], ["update"]]
    assert [list(frigate.result(r, 0)) for r in first] == told
    (after,) = events(frigate.result(result(3, person(3, score=0.9)), 0))
    assert after["type"] == "update"


def test_after_a_broken_connection_it_says_what_is_in_view() -> None:
    frigate = speaker("door", min_hits=1)
    assert list(frigate.connected()) == []
    frigate.result(result(0, person()), 0)
    again = list(frigate.connected())
    assert [e["type"] for e in events(again)] == ["update"]
    assert counts(again)["frigate/door/person"] == "1"


def test_tracks_of_another_process_are_other_objects() -> None:
    frigate = speaker("door", min_hits=1)
    (old,) = events(frigate.result(result(0, person()), 0))
    end, new = events(frigate.result(result(0, person(), epoch="cam/2"), 0))
    assert (end["type"], end["after"]["id"]) == ("end", old["after"]["id"])
    assert (new["type"], new["after"]["id"] != old["after"]["id"]) == ("new", True)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"results": None},
        {"results": ["text", {"label": "no box"}, {"box": [1, 2, 3]}, {"box": [1, 2, 3, "x"]}]},
        {"results": [{"box": [0, 0, 1, 1], "label": "untracked", "score": 0.9}]},
        {"results": [{"box": [0, 0, 1, 1], "track": True}]},
    ],
)
def test_results_without_tracked_objects_say_nothing(payload: dict[str, Any]) -> None:
    assert list(speaker("door", min_hits=1).result(payload, 0)) == []


def test_the_camera_is_one_level_of_the_topic() -> None:
    frigate = speaker("a/b#", prefix="edge", min_hits=1)
    topics = {m.topic for m in frigate.result(result(0, person()), 0)}
    assert topics == {
        "edge/events",
        *(f"edge/a_b_/{name}" for name in ("person", "person/active", "all", "all/active")),
    }
