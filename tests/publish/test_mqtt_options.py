"""Versions of MQTT, WebSockets, several brokers, topics, credentials and what travels beside a result."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from brokers import PATIENCE_S, Mosquitto, Subscriber, free_port
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge_sdk.errors import PublishError
from edge_sdk.publish import connect
from edge_sdk.publish.broker import parse


def mqtt(url: str, **options: Any) -> Any:
    return connect(url, **{"retry_s": (0.02, 0.1), **options})


def arrives(subscriber: Subscriber, topic: str = "edge/results", count: int = 1) -> list[dict[str, Any]]:
    subscriber.wait(lambda: len(subscriber.results(topic)) >= count, f"{count} results on {topic}")
    return subscriber.results(topic)


class Properties:
    """An MQTT 5 subscriber that keeps the properties of what comes."""

    def __init__(self, port: int) -> None:
        self.found: list[Any] = []
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("edge/results", 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda client, data, message: self._keep(message.properties)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(PATIENCE_S)

    def _keep(self, properties: Any) -> None:
        with self._changed:
            self.found.append(properties)
            self._changed.notify_all()

    def first(self) -> Any:
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.found), PATIENCE_S)
        return self.found[0]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def properties(broker: Mosquitto) -> Iterator[Properties]:
    found = Properties(broker.port)
    yield found
    found.close()


class OldBroker:
    """What a broker of MQTT 3.1.1 answers: it refuses version 5, and acknowledges what comes in version 4."""

    def __init__(self) -> None:
        self.versions: list[int] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            with client, client.makefile("rwb", buffering=0) as stream:
                self._talk(stream)

    def _talk(self, stream: Any) -> None:
        while head := stream.read(1):
            length, shift = 0, 0
            while True:
                byte = stream.read(1)[0]
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            body = b""
            while len(body) < length:
                body += stream.read(length - len(body))
            if head[0] == 0x10:
                self.versions.append(body[6])
                stream.write(b"\x20\x02\x00" + (b"\x01" if body[6] != 4 else b"\x00"))
                if body[6] != 4:
                    return
            elif head[0] & 0xF0 == 0x30 and head[0] & 6:
                at = 2 + int.from_bytes(body[:2], "big")
                stream.write(b"\x40\x02" + body[at : at + 2])

    def close(self) -> None:
        self._server.close()


def test_a_broker_of_the_old_version_is_spoken_to_in_it() -> None:
    broker = OldBroker()
    with mqtt(f"mqtt://127.0.0.1:{broker.port}/edge/results") as publisher:
        publisher.send({"n": 1})
        assert publisher.flush(PATIENCE_S) == 0
    broker.close()
    assert broker.versions[:2] == [5, 4]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_both_versions_deliver(broker: Mosquitto, subscriber: Subscriber, protocol: str) -> None:
    with mqtt(broker.url(), protocol=protocol) as publisher:
        publisher.send({"n": 1})
        assert publisher.flush(PATIENCE_S) == 0
    assert arrives(subscriber)[0]["n"] == 1


def test_the_id_and_the_time_travel_as_properties(broker: Mosquitto, properties: Properties) -> None:
    with mqtt(broker.url(), device="pi", expiry_s=100) as publisher:
        publisher.send({"n": 1})
        found = properties.first()
    pairs = dict(found.UserProperty)
    assert pairs["_id"].startswith("pi/")
    assert pairs["_id"].endswith("/0")
    assert int(pairs["since_boot_ns"]) > 0
    assert len(pairs["boot"]) > 8
    assert pairs["time_synced"] in ("true", "false")
    assert ("time" in pairs) == (pairs["time_synced"] == "true")
    if "time" in pairs:
        assert datetime.fromisoformat(pairs["time"]).tzinfo is not None
    assert 90 <= found.MessageExpiryInterval <= 100


def test_results_go_over_a_websocket(start_broker: Callable[..., Mosquitto]) -> None:
    port = free_port()
    broker = start_broker(f"allow_anonymous true\nlistener {port} 127.0.0.1\nprotocol websockets\n")
    subscriber = Subscriber(broker.port)
    with mqtt(f"ws://127.0.0.1:{port}/edge/results") as publisher:
        for n in range(30):
            publisher.send({"n": n})
        assert publisher.flush(PATIENCE_S) == 0
    assert [result["n"] for result in arrives(subscriber, count=30)] == list(range(30))
    subscriber.close()


def test_a_port_that_speaks_no_websocket_is_told(broker: Mosquitto) -> None:
    with mqtt(f"ws://127.0.0.1:{broker.port}/edge/results") as publisher:
        publisher.send({"n": 1})
        assert publisher.flush(0.3) == 1
        assert publisher.problem is not None
        publisher.close(0)


def test_brokers_are_tried_in_order(start_broker: Callable[..., Mosquitto], tmp_path: Path) -> None:
    second = start_broker()
    first = free_port()
    there = Subscriber(second.port)
    with mqtt(
        f"mqtt://127.0.0.1:{first}/edge/results", fallbacks=[f"mqtt://127.0.0.1:{second.port}"]
    ) as publisher:
        publisher.send({"n": 1})
        assert arrives(there)[0]["n"] == 1
        begun = start_broker(port=first)
        back = Subscriber(begun.port)
        second.stop()
        publisher.send({"n": 2})
        assert arrives(back)[0]["n"] == 2
    back.close()
    there.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1", "mqtt://host:port"),
        ("mqtt://127.0.0.1/topic", "without topic"),
        ("mqtt://u:p@127.0.0.1", "without topic and user"),
        ("mqtts://127.0.0.1", "TLS"),
        ("mqtt://127.0.0.1:port", "mqtt://host:port"),
    ],
)
def test_other_brokers_that_are_none_are_told(url: str, words: str) -> None:
    with pytest.raises(PublishError, match=words):
        connect("mqtt://127.0.0.1/edge/results", fallbacks=[url])


def test_topics_take_values_of_the_result(broker: Mosquitto, subscriber: Subscriber) -> None:
    with mqtt(broker.url("edge/{device}/{label}"), device="pi") as publisher:
        publisher.send({"label": "cat"})
        publisher.send({"label": "a/b+#"})
        with pytest.raises(PublishError, match="no 'label'"):
            publisher.send({"n": 1})
        assert publisher.flush(PATIENCE_S) == 0
    assert arrives(subscriber, "edge/pi/cat")[0]["label"] == "cat"
    assert arrives(subscriber, "edge/pi/a_b__")[0]["label"] == "a/b+#"
    assert "online" in subscriber.statuses("edge/status")


def test_passwords_come_from_a_file_or_the_environment(
    start_broker: Callable[..., Mosquitto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "camera", "open sesame"], check=True)
    passwords.chmod(0o644)
    broker = start_broker(f"allow_anonymous false\npassword_file {passwords}\n")
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n")
    subscriber = Subscriber(broker.port, lambda client: client.username_pw_set("camera", "open sesame"))
    with mqtt(broker.url(), username="camera", password_file=secret) as publisher:
        publisher.send({"n": 1})
        assert publisher.flush(PATIENCE_S) == 0
    monkeypatch.setenv("EDGE_SDK_MQTT_USERNAME", "camera")
    monkeypatch.setenv("EDGE_SDK_MQTT_PASSWORD", "open sesame")
    with mqtt(broker.url()) as publisher:
        publisher.send({"n": 2})
        assert publisher.flush(PATIENCE_S) == 0
    monkeypatch.setenv("EDGE_SDK_MQTT_PASSWORD", "wrong sesame")
    with mqtt(broker.url()) as publisher:
        publisher.send({"n": 3})
        assert publisher.flush(0.5) == 1
        assert "refuses" in str(publisher.problem)
        publisher.close(0)
    assert [result["n"] for result in arrives(subscriber, count=2)] == [1, 2]
    assert "sesame" not in caplog.text
    subscriber.close()


def test_a_password_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="cannot read the password file"):
        connect("mqtt://127.0.0.1/edge/results", username="camera", password_file=tmp_path / "none")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch": 0}, "batch"),
        ({"expiry_s": 0.0}, "expiry_s"),
        ({"confirmed": True, "qos": 0}, "qos 1 or 2"),
        ({"protocol": "4"}, "auto, 5 or 3.1.1"),
        ({"alpn": ["mqtt"]}, "mqtts://"),
        ({"outbox_options": {"size": 3}}, "outbox"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    if "outbox_options" in options:
        options = {**options, "outbox": tmp_path / "box"}
    with pytest.raises(PublishError, match=words):
        connect("mqtt://127.0.0.1/edge/results", **options)
    assert not (tmp_path / "box").exists()


@pytest.mark.parametrize(
    ("url", "topic", "base"),
    [
        ("mqtt://h/edge/{label}", "edge/{label}", "edge"),
        ("mqtt://h/a/b/x{n}/c", "a/b/x{n}/c", "a/b"),
        ("wss://h/a/b", "a/b", "a/b"),
    ],
)
def test_topics_have_a_base(url: str, topic: str, base: str) -> None:
    found = parse(url)
    assert (found.topic, found.base, found.status_topic) == (topic, base, f"{base}/status")


@pytest.mark.parametrize(
    ("url", "topic"), [("mqtt://h/#", "#"), ("mqtt://h/edge/#", "edge/#"), ("ws://h/+/x", "+/x")]
)
def test_filters_are_read(url: str, topic: str) -> None:
    assert parse(url, wildcards=True).topic == topic


def test_a_topic_must_begin_with_a_word() -> None:
    with pytest.raises(PublishError, match="first level"):
        parse("mqtt://h/{label}/x")


def test_what_was_dropped_is_published(broker: Mosquitto, subscriber: Subscriber, tmp_path: Path) -> None:
    with mqtt(
        "mqtt://127.0.0.1:1/edge/results", device="pi", outbox=tmp_path, outbox_options={"max_bytes": 1 << 16}
    ) as publisher:
        for future in [publisher.send_nowait({"n": n, "x": "x" * 1000}) for n in range(100)]:
            future.result(PATIENCE_S)
        dropped = publisher.dropped
        publisher.close(0)
    assert dropped > 0
    with mqtt(broker.url(), device="pi", outbox=tmp_path) as publisher:
        assert publisher.flush(PATIENCE_S) == 0
    told = [
        json.loads(payload) for topic, payload, _ in subscriber.messages if topic == "edge/results/outbox"
    ]
    assert told[0]["dropped"] == {"space": dropped}
    assert len(arrives(subscriber, count=100 - dropped)) == 100 - dropped
