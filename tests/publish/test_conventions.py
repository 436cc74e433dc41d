"""What Home Assistant and Frigate's listeners get through a real broker, and all conventions together."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.publish as single
import pytest
from brokers import PATIENCE_S, Mosquitto, Subscriber
from pipelines import Walking, mean_model

from edge_sdk.errors import PublishError
from edge_sdk.pipeline import Pipeline
from edge_sdk.publish import connect
from edge_sdk.publish.conventions import CONVENTIONS
from edge_sdk.publish.message import Health, Message, Silent
from edge_sdk.sources import open_source
from edge_sdk.tasks.track import Tracker

from .gate import Gate
from .home_assistant_rules import faults
from .results import FAST_RETRY, NODE, found, topics


def configs(subscriber: Subscriber) -> list[tuple[str, bytes, bool]]:
    return [m for m in list(subscriber.messages) if m[0].startswith("homeassistant/device/")]


# Home Assistant


def test_home_assistant_finds_the_device_and_its_values(broker: Mosquitto, subscriber: Subscriber) -> None:
    health = Health(temperature_c=48.5, throttled=True)
    options = {"labels": ["cat"], "every_s": 0}
    with connect(broker.url("edge/door"), home_assistant=options, health=health) as publisher:
        publisher.send(found("cat", "cat"))
        assert publisher.flush(PATIENCE_S) == 0
    subscriber.wait(lambda: subscriber.statuses("edge/door/status") == ["online", "offline"], "the end")
    (topic, payload, _) = configs(subscriber)[0]
    description = json.loads(payload)
    assert faults(topic, description) == []
    assert description["avty_t"] == "edge/door/status"
    values = subscriber.results(description["stat_t"])[-1]
    assert (values["result"], values["counts"], values["throttled"]) == ("cat", {"cat": 2}, "ON")
    assert values["temperature_c"] == 48.5
    order = topics(subscriber)
    assert order[:5] == ["edge/door/status", topic, "edge/door/state", "edge/door/state", "edge/door"]
    late = Subscriber(broker.port)
    late.wait(lambda: {topic, "edge/door/state", "edge/door/status"} <= set(topics(late)), "what is retained")
    late.close()


def test_discovery_is_back_after_a_broker_has_lost_everything(
    broker: Mosquitto, subscriber: Subscriber
) -> None:
    with connect(broker.url(), home_assistant=True, **FAST_RETRY):
        subscriber.wait(lambda: len(configs(subscriber)) == 1, "the description")
        broker.stop()
        broker.start()
        # The broker is empty: this subscriber gets only what was sent since it began.
        late = Subscriber(broker.port)
        late.wait(lambda: bool(configs(late)) and bool(late.statuses()), "the description, again")
        assert configs(late)[0][:2] == configs(subscriber)[0][:2]
        assert late.statuses() == ["online"]
        late.close()


def test_discovery_is_sent_again_when_home_assistant_starts(
    broker: Mosquitto, subscriber: Subscriber
) -> None:
    def told() -> int:
        return sum(topic.startswith("ha/device/") for topic in topics(subscriber))

    with connect(broker.url(), home_assistant={"prefix": "ha"}):
        subscriber.wait(lambda: told() == 1, "the description")
        single.single("ha/status", "online", hostname="127.0.0.1", port=broker.port)
        subscriber.wait(lambda: told() == 2, "the description again")


def test_a_device_leaves_home_assistant(broker: Mosquitto, subscriber: Subscriber) -> None:
    with connect(broker.url(), home_assistant={"remove": True}):
        subscriber.wait(lambda: len(configs(subscriber)) == 1, "the description")
    subscriber.wait(lambda: len(configs(subscriber)) == 2, "its removal")
    assert configs(subscriber)[1][1] == b""
    late = Subscriber(broker.port)
    late.wait(lambda: bool(late.statuses()), "what is retained")
    assert topics(late) == ["edge/results/status"]
    late.close()


def test_the_example_appears_in_home_assistant(broker: Mosquitto, subscriber: Subscriber) -> None:
    root = Path(__file__).resolve().parent.parent.parent
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")]))
    subprocess.run(
        [sys.executable, str(root / "examples" / "home_assistant.py"), broker.url("edge/clothing")],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        timeout=PATIENCE_S * 4,
    )
    subscriber.wait(lambda: subscriber.statuses("edge/clothing/status")[-1:] == ["offline"], "the end")
    (topic, payload, _) = configs(subscriber)[0]
    assert faults(topic, json.loads(payload)) == []
    assert json.loads(payload)["dev"]["name"] == "Clothing"


# Frigate


def test_listeners_of_frigate_get_events_and_counts(broker: Mosquitto, subscriber: Subscriber) -> None:
    with connect(broker.url("edge/door"), frigate={"max_misses": 1}) as publisher:
        for n in range(4):
            publisher.send(found("person", frame=str(n)))
        for n in range(2):
            publisher.send(found(frame=f"empty {n}"))
        assert publisher.flush(PATIENCE_S) == 0
    subscriber.wait(lambda: subscriber.statuses("edge/door/status") == ["online", "offline"], "the end")
    events = subscriber.results("frigate/events")
    assert [event["type"] for event in events] == ["new", "end"]
    assert {event["after"]["camera"] for event in events} == {"door"}
    assert subscriber.statuses("frigate/door/person") == ["1", "0"]
    assert not any(retained for _, _, retained in subscriber.messages)


# All together


def test_no_picture_leaves_the_device(broker: Mosquitto, subscriber: Subscriber) -> None:
    """All conventions at once; what is published are the known topics, and no run of pixels is in it."""
    model = mean_model((1, 32, 32, 3), "uint8", ["red", "green", "blue"])
    source = open_source("synthetic:", shape=(32, 32, 3), count=20)
    with connect(broker.url("edge/door"), home_assistant=True, frigate=True, sparkplug=True) as publisher:
        Pipeline(source, model, Walking(model), publisher, Tracker()).run()
        assert publisher.flush(PATIENCE_S) == 0
    subscriber.wait(lambda: subscriber.statuses("edge/door/status")[-1:] == ["offline"], "the end")
    kinds = {t.split("/")[2] if t.startswith("spBv1.0") else t.split("/")[0] for t in topics(subscriber)}
    kinds.discard("NDATA")  # the device's own values, which a slow machine has time to tell again
    assert kinds == {"edge", "homeassistant", "frigate", "NBIRTH", "DBIRTH", "DDATA", "DDEATH", "NDEATH"}
    assert {t for t in topics(subscriber) if t.startswith("frigate")} == {
        "frigate/events",
        *(f"frigate/door/{name}" for name in ("walker", "walker/active", "all", "all/active")),
    }
    said = b"".join(payload for _, payload, _ in subscriber.messages)
    for frame in open_source("synthetic:", shape=(32, 32, 3), count=20):
        for start in range(0, frame.data.size - 12, 96):
            run = np.ravel(frame.data)[start : start + 12].tobytes()
            assert run not in said
            assert base64.b64encode(run) not in said
    assert max(len(payload) for _, payload, _ in subscriber.messages) < 5000


@pytest.mark.parametrize(
    ("options", "will"),
    [
        ({"sparkplug": True, "home_assistant": True}, f"spBv1.0/edge-sdk/NDEATH/{NODE}"),
        ({"home_assistant": True, "frigate": True}, "edge/door/status"),
    ],
)
def test_the_last_will_is_sparkplugs_where_that_is_on(
    subscriber: Subscriber, gate: Gate, options: dict[str, bool], will: str
) -> None:
    with connect(f"mqtt://127.0.0.1:{gate.port}/edge/door", **options, **FAST_RETRY) as publisher:
        publisher.send(found("cat"))
        assert publisher.flush(PATIENCE_S) == 0
        subscriber.wait(lambda: "edge/door" in topics(subscriber), "the result")
        gate.shut()
        subscriber.wait(lambda: topics(subscriber)[-1] == will, "the will")
        if "sparkplug" in options:
            assert subscriber.statuses("edge/door/status") == ["online"], "as the page says"
        gate.open()


class Broken(Silent):
    """A convention with a fault in everything."""

    def connected(self) -> list[Message]:
        raise RuntimeError("connected")

    def result(self, payload: Any, age_s: float) -> list[Message]:
        raise RuntimeError("result")

    def tick(self) -> list[Message]:
        raise RuntimeError("tick")

    def closing(self) -> list[Message]:
        raise RuntimeError("closing")


def test_a_convention_that_fails_harms_neither_results_nor_other_conventions(
    broker: Mosquitto, subscriber: Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(broker.url("edge/door"), conventions=[Broken()], sparkplug=True) as publisher:
        publisher.send(found("cat"))
        assert publisher.flush(PATIENCE_S) == 0
    subscriber.wait(lambda: subscriber.statuses("edge/door/status") == ["online", "offline"], "the end")
    assert len(subscriber.results("edge/door")) == 1
    assert f"spBv1.0/edge-sdk/DBIRTH/{NODE}/door" in topics(subscriber)
    assert "Broken failed" in caplog.text


@pytest.mark.parametrize("name", CONVENTIONS)
def test_options_of_conventions_are_checked_at_once(name: str) -> None:
    with pytest.raises(PublishError, match=rf"{name}: .*'colour'; its options are: "):
        connect("mqtt://127.0.0.1:1/t", **{name: {"colour": "red"}})
