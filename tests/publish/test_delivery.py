"""Results under way over one connection: what counts as arrived, and when."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho

from edge_sdk.publish.conventions import Conventions
from edge_sdk.publish.delivery import Delivery, Options
from edge_sdk.publish.outgoing import Outgoing


@dataclass
class Sent:
    """What paho's client says of a message."""

    mid: int
    rc: int = paho.MQTT_ERR_SUCCESS

    def is_published(self) -> bool:
        return False


class Client:
    """Writes down what is published."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def publish(self, topic: str, payload: bytes, qos: int, properties: Any = None) -> Sent:
        self.lines.append(payload)
        return Sent(len(self.lines))


def delivery(queue: Outgoing, client: Client, **options: Any) -> Delivery:
    return Delivery(queue, client, Options(**options), Conventions(), lambda messages: None, "pi", True)  # type: ignore[arg-type]


def word(queue: Outgoing, first: int, last: int) -> bytes:
    return json.dumps({"device": "pi", "epoch": f"{queue.epoch:x}", "ranges": [[first, last]]}).encode()


def filled(count: int) -> Outgoing:
    queue = Outgoing(1000)
    for n in range(count):
        queue.put((queue.epoch << 32) + n, "edge/results", b"{}")
    return queue


def test_a_confirmation_may_come_before_the_brokers_acknowledgement() -> None:
    queue, client = filled(3), Client()
    under_way = delivery(queue, client, confirmed="edge/results/confirmed/pi")
    under_way.send()
    under_way.published(1)
    under_way.confirm(word(queue, 0, 1))
    assert len(queue) == 1
    under_way.published(2)  # late: it has been confirmed already
    under_way.published(3)
    assert len(queue) == 1
    under_way.confirm(word(queue, 2, 2))
    assert len(queue) == 0
    assert len(client.lines) == 3


def test_a_subscriber_that_missed_one_gets_all_from_there_again() -> None:
    queue, client = filled(3), Client()
    under_way = delivery(queue, client, confirmed="edge/results/confirmed/pi")
    under_way.send()
    for message in (1, 2, 3):
        under_way.published(message)
    under_way.confirm(word(queue, 0, 0))
    under_way.confirm(word(queue, 0, 0)[:-1] + b', "again": true}')
    under_way.send()
    assert len(client.lines) == 5, "the second and the third once more"


def test_messages_wait_for_the_window_and_batches_hold_one_topic() -> None:
    queue, client = filled(0), Client()
    for n in range(30):
        queue.put((queue.epoch << 32) + n, f"edge/{n // 3}", b"%d" % n)
    under_way = delivery(queue, client, batch=5)
    under_way.send()
    assert [json.loads(line) for line in client.lines[:3]] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert len(client.lines) == 10
    assert len(queue) == 30
    under_way.published(1)
    assert len(queue) == 27
