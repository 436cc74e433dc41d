"""The other end: each result once, and word to publishers of what has come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import paho.mqtt.publish as once
import pytest
from brokers import PATIENCE_S, Mosquitto, Subscriber, free_port
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_sdk import publish
from edge_sdk.errors import PublishError
from edge_sdk.publish.seen import Ranges, Seen, parse_id
from edge_sdk.publish.subscription import Received, Subscription


def mqtt(url: str, **options: Any) -> Any:
    return publish.connect(url, **{"device": "pi", "retry_s": (0.05, 0.2), **options})


def some(subscription: Subscription, count: int) -> list[Received]:
    found = []
    for _ in range(count):
        result = subscription.next(PATIENCE_S)
        assert result is not None, f"{len(found)} of {count} came"
        found.append(result)
    return found


def numbers(found: list[Received]) -> list[int]:
    return [result.payload["n"] for result in found]


def raw(port: int, topic: str, payload: bytes, retain: bool = False) -> None:
    once.single(topic, payload, 1, retain, "127.0.0.1", port)


def test_results_come_in_order_with_their_topic(broker: Mosquitto) -> None:
    with publish.subscribe(broker.url("edge/#")) as results, mqtt(broker.url()) as publisher:
        for n in range(50):
            publisher.send({"n": n})
        found = some(results, 50)
    assert numbers(found) == list(range(50))
    assert {result.topic for result in found} == {"edge/results"}
    assert found[0].id == found[0].payload["_id"]


def test_repeats_are_dropped_and_counted(broker: Mosquitto) -> None:
    with publish.subscribe(broker.url()) as results:
        for sequence in (0, 1, 1, 0, 2):
            raw(broker.port, "edge/results", b'{"_id":"pi/a/%d","n":%d}' % (sequence, sequence))
        assert numbers(some(results, 3)) == [0, 1, 2]
        assert results.repeats == 2


def test_a_batch_is_as_many_results(broker: Mosquitto, subscriber: Subscriber, tmp_path: Path) -> None:
    with mqtt("mqtt://127.0.0.1:1/edge/results", outbox=tmp_path) as publisher:
        for future in [publisher.send_nowait({"n": n}) for n in range(25)]:
            future.result(PATIENCE_S)
        publisher.close(0)
    results = publish.subscribe(broker.url())
    with results, mqtt(broker.url(), outbox=tmp_path, batch=10) as publisher:
        assert numbers(some(results, 25)) == list(range(25))
        assert publisher.flush(PATIENCE_S) == 0
    sizes = [len(json.loads(payload)) for topic, payload, _ in subscriber.messages if topic == "edge/results"]
    assert sizes == [10, 10, 5]


def test_what_is_no_result_is_counted_and_left_out(broker: Mosquitto) -> None:
    with publish.subscribe(broker.url()) as results:
        for payload in (b"text", b"\xff", b"[1]", b'{"n": 1}', b'[{"_id": 1}, 2]', b"[]"):
            raw(broker.port, "edge/results", payload)
        raw(broker.port, "edge/results", b'{"_id":"pi/a/0","n":7}')
        assert numbers(some(results, 1)) == [7]
        assert results.odd == 6


def test_retained_news_of_old_are_no_results(broker: Mosquitto) -> None:
    raw(broker.port, "edge/results", b'{"_id":"pi/a/0","n":1}', retain=True)
    with publish.subscribe(broker.url()) as results:
        raw(broker.port, "edge/results", b'{"_id":"pi/a/1","n":2}')
        assert numbers(some(results, 1)) == [2]


def test_a_subscriber_with_a_name_and_a_state_gets_what_came_while_it_was_away(
    broker: Mosquitto, tmp_path: Path
) -> None:
    options = {"name": "archive", "state": str(tmp_path / "seen.json")}
    with mqtt(broker.url()) as publisher:
        with publish.subscribe(broker.url(), **options) as results:
            publisher.send({"n": 0})
            publisher.send({"n": 1})
            assert numbers(some(results, 2)) == [0, 1]
        publisher.send({"n": 2})
        assert publisher.flush(PATIENCE_S) == 0
        with publish.subscribe(broker.url(), **options) as results:
            # The second was handed out, but nobody asked for the next: it was not dealt with.
            assert numbers(some(results, 2)) == [1, 2]


def test_what_is_done_does_not_come_again(broker: Mosquitto, tmp_path: Path) -> None:
    options = {"name": "archive", "state": str(tmp_path / "seen.json")}
    with mqtt(broker.url()) as publisher:
        with publish.subscribe(broker.url(), **options) as results:
            publisher.send({"n": 0})
            assert numbers(some(results, 1)) == [0]
            results.done()
        publisher.send({"n": 1})
        assert publisher.flush(PATIENCE_S) == 0
        with publish.subscribe(broker.url(), **options) as results:
            assert numbers(some(results, 1)) == [1]
            assert results.repeats == 0


def test_with_confirmations_results_stay_until_a_subscriber_has_dealt_with_them(
    broker: Mosquitto, tmp_path: Path
) -> None:
    with mqtt(broker.url(), outbox=tmp_path, confirmed=True) as publisher:
        for n in range(30):
            publisher.send({"n": n})
        with Subscriber(broker.port) as word, publish.subscribe(broker.url(), confirm=True) as results:
            publisher.close(0)
            with mqtt(broker.url(), outbox=tmp_path, confirmed=True) as again:
                assert numbers(some(results, 30)) == list(range(30))
                assert results.next(0.5) is None
                assert again.flush(PATIENCE_S) == 0
            assert any(topic == "edge/results/confirmed/pi" for topic, _, _ in word.messages)


def test_the_brokers_word_is_not_enough_where_confirmations_are_wanted(
    broker: Mosquitto, tmp_path: Path
) -> None:
    subscriber = Subscriber(broker.port)
    with mqtt(broker.url(), outbox=tmp_path, confirmed=True) as publisher:
        publisher.send({"n": 0})
        subscriber.wait(lambda: len(subscriber.results()) == 1, "the result")
        assert publisher.flush(0.2) == 1
        publisher.close(0)
    subscriber.close()


def test_words_for_others_confirm_nothing(broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber, mqtt(broker.url(), confirmed=True) as publisher:
        publisher.send({"n": 0})
        subscriber.wait(lambda: len(subscriber.results()) == 1, "the result")
        _, epoch, _ = subscriber.results()[0]["_id"].split("/")
        topic = "edge/results/confirmed/pi"
        for word in (
            b"damaged",
            b"[]",
            b'{"device": "pi", "epoch": "0", "ranges": [[0, 9]]}',
            b'{"device": "other", "epoch": "%b", "ranges": [[0, 9]]}' % epoch.encode(),
            b'{"device": "pi", "epoch": "%b", "ranges": [[1, 9]]}' % epoch.encode(),
        ):
            raw(broker.port, topic, word)
        assert publisher.flush(0.2) == 1
        raw(broker.port, topic, b'{"device": "pi", "epoch": "%b", "ranges": [[0, 0]]}' % epoch.encode())
        assert publisher.flush(PATIENCE_S) == 0


def test_a_broker_that_speaks_no_mqtt_5_is_spoken_to_in_3_1_1(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = []
    connect = Subscription._connect

    def refused(self: Subscription, name: str | None, version5: bool) -> Any:
        versions.append(version5)
        client = connect(self, name, version5)
        if version5:
            self._problem = "the broker refuses: Unsupported protocol version"
        return client

    monkeypatch.setattr(Subscription, "_connect", refused)
    with publish.subscribe(broker.url()) as results, mqtt(broker.url()) as publisher:
        publisher.send({"n": 1})
        assert numbers(some(results, 1)) == [1]
    assert versions == [True, False]


def test_who_confirms_takes_a_result_only_behind_the_one_before_it(broker: Mosquitto) -> None:
    """Results that a broker lost keep their place: their publisher is asked for them, in order."""
    with publish.subscribe(broker.url(), confirm=True) as results, Subscriber(broker.port) as words:
        sender = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        sender.connect("127.0.0.1", broker.port)
        sender.loop_start()

        def send(n: int, after: int | None) -> None:
            properties = Properties(PacketTypes.PUBLISH)
            if after is not None:
                properties.UserProperty = ("after", f"pi/1/{after}")
            line = b'{"n": %d, "_id": "pi/1/%d"}' % (n, n)
            sender.publish("edge/results", line, 1, properties=properties).wait_for_publish(PATIENCE_S)

        send(0, None)
        got = [results.next(PATIENCE_S)]
        send(2, 1)
        assert results.next(1) is None, "not before what comes before it"
        words.wait(
            lambda: any(w.get("again") for w in words.results("edge/results/confirmed/pi")), "it is asked for"
        )
        send(1, 0)
        send(2, 1)
        got += [results.next(PATIENCE_S), results.next(PATIENCE_S)]
        assert [r.payload["n"] for r in got if r is not None] == [0, 1, 2]
        sender.disconnect()
        sender.loop_stop()


def test_closing_ends_the_iteration(broker: Mosquitto) -> None:
    with publish.subscribe(broker.url()) as results:
        results.close()
        assert list(results) == []


@pytest.mark.parametrize("url", ["mqtt://127.0.0.1:{free}/edge/#", "http://x/y", "mqtt://127.0.0.1"])
def test_a_broker_that_is_not_there_is_told(url: str) -> None:
    with pytest.raises(PublishError):
        publish.subscribe(url.format(free=free_port()))


def test_a_state_that_is_damaged_is_told(broker: Mosquitto, tmp_path: Path) -> None:
    (tmp_path / "seen.json").write_text('{"pi": 3}')
    with pytest.raises(PublishError, match=r"seen\.json.*remove it"):
        publish.subscribe(broker.url(), state=str(tmp_path / "seen.json"))


def test_ranges_join_and_tell_what_is_new() -> None:
    import random

    order = list(range(500))
    random.Random(1).shuffle(order)
    ranges = Ranges()
    for i, n in enumerate(order):
        assert n not in ranges
        assert ranges.add(n)
        assert not ranges.add(n)
        flat = sorted(x for a, b in ranges for x in range(a, b + 1))
        assert flat == sorted(order[: i + 1])
    assert list(ranges) == [[0, 499]]


def test_the_memory_of_a_subscriber_is_bounded() -> None:
    ranges = Ranges()
    for n in range(0, 5000, 2):
        ranges.add(n)
    assert len(list(ranges)) <= 1024
    seen = Seen()
    for epoch in range(1000, 0, -1):
        assert seen.add("pi", epoch, 0)
        assert not seen.add("pi", epoch, 0), "whatever its number, the last epoch is known"
    assert not seen.has("pi", 1000, 0), "an epoch as old as that is over"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pi/1f/3", ("pi", 31, 3)),
        ("a/b/1/0", ("a/b", 1, 0)),
        ("pi/x/3", None),
        ("/1/3", None),
        ("3", None),
        (7, None),
        (None, None),
    ],
)
def test_ids_are_read(text: object, found: object) -> None:
    assert parse_id(text) == found
