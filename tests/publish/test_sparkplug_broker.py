"""A Sparkplug host follows a device through a real broker, over restarts of both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import paho.mqtt.publish as single
from brokers import PATIENCE_S, Mosquitto, Subscriber

from edge_sdk.publish import Publisher, connect

from .gate import Gate
from .results import FAST_RETRY, NODE, found
from .sparkplug_host import Host, command


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
    # With MQTT 5 the specification wants both, our own words and the broker's.
    subscriber.wait(lambda: feed().kinds[-3:] == ["DDEATH", "NDEATH", "NDEATH"], "the will at a clean end")


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
    subscriber.wait(lambda: feed().kinds.count("NDEATH") == 2, "the first session")
    broker.stop()
    run(*(f"stored {n}" for n in range(5)), wait_s=0)
    broker.start()
    subscriber.wait_subscribed(2)
    run()
    subscriber.wait(lambda: feed().kinds.count("NDEATH") == 4, "the second session")
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
