"""What Home Assistant is told: its rules kept, the values where the templates look for them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from edge_sdk.publish import home_assistant
from edge_sdk.publish.home_assistant import HomeAssistant, slug
from edge_sdk.publish.message import Health, Identity, Message

from .home_assistant_rules import KEYS, TEMPLATE, faults, full

HEALTH = Health(
    fps=29.97, latency_ms=12.345, temperature_c=48.2, throttled=False, watts=5.678, outbox_depth=3, dropped=0
)
CAT = {"label": "cat", "score": 0.875, "box": [0, 0, 10, 10]}
DOG = {"label": "Hot dog/ü", "score": 0.5, "box": [5, 5, 10, 10]}
CLASSES = {"results": [{"label": "Bag", "score": 0.9}, {"label": "Coat", "score": 0.1}], "frame": "f.png"}


def speaker(health: Health = HEALTH, **options: Any) -> HomeAssistant:
    context = Identity("pi-1", "edge/door", health)
    return HomeAssistant(context, **{"every_s": 0.0, **options})


def configs(messages: Iterable[Message]) -> list[tuple[str, dict[str, Any]]]:
    return [(m.topic, json.loads(m.payload)) for m in messages if m.topic.endswith("/config")]


def states(messages: Iterable[Message]) -> list[dict[str, Any]]:
    return [json.loads(m.payload) for m in messages if m.topic == "edge/door/state"]


def config(speaker: HomeAssistant) -> tuple[str, dict[str, Any]]:
    (one,) = configs(speaker.connected())
    return one


def shown(speaker: HomeAssistant, values: dict[str, Any]) -> dict[str, Any]:
    """Entity -> the value that its template finds."""
    found = {}
    for name, component in config(speaker)[1]["cmps"].items():
        match = TEMPLATE.fullmatch(component["val_tpl"])
        assert match, component
        value = values[match[1]]
        found[name] = value[match[2]] if match[2] else value
    return found


@pytest.mark.parametrize("health", [HEALTH, Health(), Health(temperature_c=0.0, throttled=True)])
@pytest.mark.parametrize("labels", [(), ("cat", "Hot dog/ü", "a b", "a_b", "", "0", "items")])
@pytest.mark.parametrize("topic", ["edge/door", "a", "würstel/$x y/z"])
def test_the_description_keeps_home_assistants_rules(
    health: Health, labels: tuple[str, ...], topic: str
) -> None:
    speaker = HomeAssistant(Identity("pi 1.local", topic, health), labels=labels)
    where, payload = config(speaker)
    assert where.startswith("homeassistant/device/")
    assert faults(where, payload) == []
    assert sum(name.startswith("count_") for name in payload["cmps"]) == len(labels)


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def apply(payload: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for key in parents:
            payload = payload[key]
        if value is None:
            del payload[last]
        else:
            payload[last] = value

    return apply


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("o", None, "origin is missing"),
        ("dev.ids", [], "no identifiers"),
        ("dev.colour", "red", "device: colour"),
        ("retain", True, "retain is no key"),
        ("stat_t", None, "state_topic is missing"),
        ("stat_t", "a/#", "state_topic is 'a/#'"),
        ("cmps.fps.p", None, "platform is None"),
        ("cmps.fps.uniq_id", None, "unique_id is missing"),
        ("cmps.latency.uniq_id", "pi_1_edge_door_db266952_fps", "a unique_id occurs twice"),
        ("cmps.fps.stat_cla", "measured", "state_class is measured"),
        ("cmps.latency.unit_of_meas", "msec", "duration is not measured in msec"),
        ("cmps.temperature.unit_of_meas", "C", "temperature is not measured in C"),
        ("cmps.temperature.stat_cla", "total", "temperature is no total"),
        ("cmps.throttled.stat_cla", "measurement", "state_class is no key of a binary_sensor"),
        ("cmps.fps.ent_cat", "config", "entity_category"),
        ("cmps.fps.ic", "speedometer", "icon"),
        ("cmps.fps.val_tpl", "{{ fps }}", "value_template"),
    ],
)
def test_the_rules_find_what_is_wrong(path: str, value: Any, words: str) -> None:
    where, payload = config(speaker())
    change(path, value)(payload)
    assert any(words in fault for fault in faults(where, payload)), faults(where, payload)


def test_every_value_is_where_its_template_looks() -> None:
    device = speaker(labels=["cat", "bird"])
    (values,) = states(device.result({"results": [CAT, CAT, DOG], "frame": "7", "model": "ssd"}, 0))
    assert shown(device, values) == {
        "result": "cat",
        "confidence": 87.5,
        "count_cat": 2,
        "count_bird": 0,
        f"count_{slug('Hot dog/ü')}": 1,
        "fps": 29.97,
        "latency": 12.35,
        "outbox": 3,
        "dropped": 0,
        "temperature": 48.2,
        "throttled": "OFF",
        "power": 5.68,
    }
    assert values["attributes"]["frame"] == "7"
    assert values["attributes"]["results"][0] == {"label": "cat", "score": 0.875}


def test_before_the_first_result_everything_is_there_and_unknown() -> None:
    device = speaker(Health(), labels=["cat"])
    (values,) = states(device.connected())
    assert shown(device, values) == {
        "result": None, "confidence": None, "count_cat": 0, "fps": None, "latency": None, "outbox": None,
        "dropped": None,
    }  # fmt: skip


def test_nothing_found_is_said() -> None:
    (values,) = states(speaker().result({"results": []}, 0))
    assert (values["result"], values["confidence"]) == ("nothing", None)


def test_classes_are_shown_but_not_counted() -> None:
    device = speaker()
    (values,) = states(device.result(CLASSES, 0))
    assert (values["result"], values["confidence"], values["counts"]) == ("Bag", 90.0, {})
    assert not any(name.startswith("count_") for name in config(device)[1]["cmps"])


def test_a_label_that_was_not_known_gets_its_counter_before_its_value() -> None:
    device = speaker(labels=["cat"])
    assert configs(device.result({"results": [CAT]}, 0)) == []
    first, second = device.result({"results": [DOG]}, 0)
    ((_, payload),) = configs([first])
    assert f"count_{slug(DOG['label'])}" in payload["cmps"]
    assert states([second])[0]["counts"] == {"cat": 0, slug(DOG["label"]): 1}
    assert configs(device.result({"results": [DOG]}, 0)) == []


def test_the_counters_have_an_end() -> None:
    device = speaker()
    for n in range(150):
        messages = list(device.result({"results": [{**CAT, "label": f"kind {n}"}]}, 0))
    assert configs(messages) == []
    assert sum(name.startswith("count_") for name in config(device)[1]["cmps"]) == 100
    assert len(states(messages)[0]["counts"]) == 100


def test_everything_is_retained_and_sent_again_when_home_assistant_starts() -> None:
    device = speaker()
    assert list(device.subscriptions()) == ["homeassistant/status"]
    device_there = list(device.connected())
    assert all(m.retain and m.qos == 1 for m in device_there)
    assert list(device.received("homeassistant/status", b"online")) == device_there
    assert list(device.received("homeassistant/status", b"offline")) == []


def test_values_are_told_no_more_often_than_wanted_but_the_last_one_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(home_assistant.time, "monotonic", lambda: now)
    device = speaker(every_s=1.0)
    device.connected()
    assert states(device.result({"results": [CAT]}, 0)) == []
    assert list(device.tick()) == []
    now = 101.5
    assert states(device.tick())[0]["result"] == "cat"
    assert list(device.tick()) == []
    now = 103.0
    assert states(device.result({"results": []}, 0))[0]["result"] == "nothing"
    now = 132.9
    assert list(device.tick()) == []
    now = 133.1
    assert len(states(device.tick())) == 1, "the device's own values go on"


def test_it_leaves_home_assistant_where_that_is_wanted() -> None:
    assert [m.topic for m in speaker().closing()] == ["edge/door/state"]
    device = speaker(remove=True)
    where, _ = config(device)
    left = list(device.closing())
    assert [(m.topic, m.payload, m.retain) for m in left] == [
        (where, b"", True),
        ("edge/door/state", b"", True),
    ]


def test_names_that_differ_stay_apart() -> None:
    texts = ["cat", "Cat", "c at", "c_at", "c/at", "", "ü", "ö", "_cat", "cat_"]
    assert len({slug(t) for t in texts}) == len(texts)
    assert slug("cat") == "cat"
    assert all(set(slug(t)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_") for t in texts)


def test_what_somebody_else_publishes_is_survived() -> None:
    for odd in ({}, {"results": "x"}, {"results": [None, 3, {"label": None, "score": "high"}]}):
        device = speaker()
        for message in device.result(copy.deepcopy(odd), 0):
            json.loads(message.payload)
        assert faults(*config(device)) == []
    assert full(KEYS, {"o": 1, "x": 2}) == {"origin": 1, "x": 2}
