"""What Home Assistant, Frigate's listeners and Sparkplug hosts get through a real broker."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.publish as single
import pytest
from brokers import PATIENCE_S, Mosquitto, Subscriber
from pipelines import Walking, mean_model

from edge_sdk.errors import PublishError
from edge_sdk.pipeline import Pipeline
from edge_sdk.publish import Publisher, connect
from edge_sdk.publish.conventions import CONVENTIONS
from edge_sdk.publish.message import Health, Message, Silent
from edge_sdk.sources import open_source
from edge_sdk.tasks.track import Tracker

from .gate import Gate
from .home_assistant_rules import faults
from .sparkplug_host import Host, command

FAST_RETRY = {"retry_s": (0.05, 0.2)}
NODE = socket.gethostname()


def found(*labels: str, frame: str = "f") -> dict[str, Any]:
    things = [{"label": x, "score": 0.5, "box": [0, 0, 9, 9], "track": n} for n, x in enumerate(labels)]
    return {"results": things, "frame": frame, "timings_ms": {"run": 2.0}}


def topics(subscriber: Subscriber) -> list[str]:
    return [topic for topic, _, _ in list(subscriber.messages)]


def configs(subscriber: Subscriber) -> list[tuple[str, bytes, bool]]:
    return [m for m in list(subscriber.messages) if m[0].startswith("homeassistant/device/")]


@pytest.fixture
def gate(broker: Mosquitto) -> Iterator[Gate]:
    way = Gate(broker.port)
    yield way
    way.shut()


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


# Sparkplug


def listen(host: Host, subscriber: Subscriber) -> Callable[[], Host]:
    """A function that feeds the host what has come for it since the last call."""
    done = 0

    def feed() -> Host:
        nonlocal done
        messages = list(subscriber.messages)
        for topic, payload, retained in messages[done:]:
            if topic.startswith("spBv1.0/") and "/NCMD/" not in topic:
                host.receive(topic, payload, retained=retained)
        done = len(messages)
        return host

    return feed


def test_a_sparkplug_host_follows_the_device_over_restarts_of_the_broker(
    broker: Mosquitto, subscriber: Subscriber, gate: Gate
) -> None:
    host = Host("edge-sdk", NODE, "door")
    feed = listen(host, subscriber)
    url = f"mqtt://127.0.0.1:{gate.port}/edge/door"

    def session(publisher: Publisher, number: int) -> None:
        """Results, then the broker goes and comes back; the host is there before the device."""
        for n in range(300):
            publisher.send(found("cat", frame=f"live {number}/{n}"))
        assert publisher.flush(PATIENCE_S) == 0
        subscriber.wait(lambda: feed().values["Result/Frame"] == f"live {number}/299", "live results")
        gate.shut()
        subscriber.wait(lambda: not feed().online, "the last will")
        broker.stop()
        for n in range(50):
            publisher.send(found("cat", frame=f"stored {number}/{n}"))
        broker.start()
        subscriber.wait_subscribed(number + 2)
        gate.open()
        subscriber.wait(lambda: feed().online, "births again")
        subscriber.wait(lambda: len(feed().history) == 50 * (number + 1), "history")

    with connect(url, sparkplug={"labels": ["cat"]}, **FAST_RETRY) as publisher:
        subscriber.wait(lambda: feed().online, "births")
        for number in range(3):
            session(publisher, number)
    subscriber.wait(lambda: not feed().online, "the deaths of a clean end")
    assert host.sessions == [0, 1, 2, 3]
    stored = [f"stored {number}/{n}" for number in range(3) for n in range(50)]
    assert [h["Result/Frame"] for h in host.history] == stored
    assert host.kinds[-2:] == ["DDEATH", "NDEATH"]


def test_a_sparkplug_device_goes_on_counting_after_a_restart_and_tells_what_its_outbox_kept(
    broker: Mosquitto, subscriber: Subscriber, tmp_path: Path
) -> None:
    host = Host("edge-sdk", NODE, "door")
    feed = listen(host, subscriber)

    def run(*frames: str, wait_s: float = PATIENCE_S) -> None:
        url = broker.url("edge/door")
        with connect(url, outbox=tmp_path / "outbox", sparkplug=True, **FAST_RETRY) as publisher:
            for frame in frames:
                publisher.send(found("cat", frame=frame))
            publisher.flush(wait_s)
            publisher.close(0)

    run("first")
    subscriber.wait(lambda: feed().kinds[-1:] == ["NDEATH"], "the first session")
    broker.stop()
    run(*(f"stored {n}" for n in range(5)), wait_s=0)
    broker.start()
    subscriber.wait_subscribed(2)
    run()
    subscriber.wait(lambda: feed().kinds.count("NDEATH") == 2, "the second session")
    assert host.sessions == [0, 1]
    # The first result may be history, too: it depends on what was faster, the result or the connection.
    assert [h["Result/Frame"] for h in host.history][-5:] == [f"stored {n}" for n in range(5)]


def test_a_host_that_comes_late_asks_for_births(broker: Mosquitto) -> None:
    with connect(broker.url("edge/door"), sparkplug=True) as publisher:
        publisher.send(found("cat"))
        assert publisher.flush(PATIENCE_S) == 0
        late = Subscriber(broker.port)
        host = Host("edge-sdk", NODE, "door")
        feed = listen(host, late)
        single.single(f"spBv1.0/edge-sdk/NCMD/{NODE}", command(), hostname="127.0.0.1", port=broker.port)
        late.wait(lambda: feed().online and "Counts/cat" in host.values, "births")
        publisher.send(found("cat", frame="next"))
        late.wait(lambda: feed().values["Result/Frame"] == "next", "data")
    late.close()


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
