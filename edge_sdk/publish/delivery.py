"""Results on their way over one connection: windows, batches, acknowledgements and confirmations."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_sdk.publish.clock import Clock, age_s
from edge_sdk.publish.conventions import Conventions
from edge_sdk.publish.message import Message
from edge_sdk.publish.outgoing import Queue
from edge_sdk.publish.store import Row

_WINDOW = 20  # unacknowledged messages at a time
_UNCONFIRMED = 2000  # results that the broker has, but not yet the subscriber
_AGAIN_S = (5.0, 600.0)  # pauses after which what was not confirmed is sent again: the first, the longest


@dataclass(frozen=True)
class Options:
    """How results travel."""

    qos: int = 1
    batch: int = 1  # results in a message, at most
    confirmed: str | None = (
        None  # the topic where a subscriber says what has come; None: the broker's word counts
    )
    expiry_s: float | None = None  # after which the broker forgets a message (MQTT 5)


class Delivery:
    """Takes results from the queue, publishes them, and says there which have arrived."""

    def __init__(
        self,
        queue: Queue,
        client: paho.Client,
        options: Options,
        conventions: Conventions,
        say: Callable[[Any], None],
        device: str,
        version5: bool,
    ) -> None:
        self._queue, self._client, self._options = queue, client, options
        self._conventions, self._say, self._device, self._version5 = conventions, say, device, version5
        self._clock = Clock()
        self._numbers: dict[int, list[int]] = {}  # message id -> numbers in the queue
        self._unconfirmed: dict[int, float] = {}  # number -> when the broker took it
        self._open: set[int] = set()  # numbers that were sent and are not confirmed
        self._last: dict[str, int] = {}  # topic -> the last number sent to it
        self._pause_s = _AGAIN_S[0]
        self._next: Row | None = None  # taken, but of another topic than the batch before it

    def send(self) -> None:
        """Hands over what the windows let through."""
        while len(self._numbers) < _WINDOW and (rows := self._batch()):
            if self._conventions:
                now = self._clock.now()
                for row in rows:
                    self._say(self._conventions.result(json.loads(row.payload), age_s(row.at, now)))
            line = (
                rows[0].payload if self._options.batch == 1 else b"[%b]" % b",".join(r.payload for r in rows)
            )
            properties = self._properties(rows[0]) if self._version5 else None
            info = self._client.publish(rows[0].topic, line, self._options.qos, properties=properties)
            self._numbers[info.mid] = [row.number for row in rows]
            if self._options.confirmed is not None:
                self._open.update(row.number for row in rows)
                self._last[rows[0].topic] = rows[-1].number
            if self._options.qos == 0 and info.rc == paho.MQTT_ERR_SUCCESS and info.is_published():
                self.published(info.mid)

    def published(self, message: int) -> None:
        """The broker has taken a message; one that is no result means nothing."""
        for number in self._numbers.pop(message, ()):
            if self._options.confirmed is None:
                self._queue.acknowledge(number)
            elif number in self._open:  # else its confirmation was faster
                self._unconfirmed[number] = time.monotonic()

    def confirm(self, word: bytes) -> None:
        """A subscriber says what has come: a device, an epoch and ranges of sequences."""
        try:
            found = json.loads(word)
            epoch, ranges = int(found["epoch"], 16), [(int(a), int(b)) for a, b in found["ranges"]]
            if found["device"] != self._device:
                return
            again = found.get("again") is True
        except (ValueError, KeyError, TypeError):
            return
        for number in list(self._open):
            sequence = number & 0xFFFFFFFF
            if number >> 32 == epoch and any(a <= sequence <= b for a, b in ranges):
                self._open.remove(number)
                self._unconfirmed.pop(number, None)
                self._queue.acknowledge(number)
                self._pause_s = _AGAIN_S[0]
        if again:
            self._send_again()

    def tick(self) -> None:
        """Sends again what the broker took long ago and nobody confirmed."""
        if self._unconfirmed and time.monotonic() - next(iter(self._unconfirmed.values())) > self._pause_s:
            self._pause_s = min(2 * self._pause_s, _AGAIN_S[1])
            self._send_again()

    def _send_again(self) -> None:
        """From the oldest that is not confirmed."""
        for known in (self._unconfirmed, self._numbers, self._open, self._last):
            known.clear()
        self._next = None
        self._queue.give_back()

    def _batch(self) -> list[Row]:
        """The next results of one topic."""
        window = _UNCONFIRMED if self._options.confirmed is not None else _WINDOW * self._options.batch + 1
        rows: list[Row] = []
        while len(rows) < self._options.batch:
            row, self._next = self._next or self._queue.take(window), None
            if row is None:
                break
            if rows and row.topic != rows[0].topic:
                self._next = row
                break
            rows.append(row)
        return rows

    def _id(self, number: int) -> str:
        return f"{self._device}/{number >> 32:x}/{number & 0xFFFFFFFF}"

    def _properties(self, row: Row) -> Properties:
        found = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        now = self._clock.now()
        wall_ns = row.at.wall_ns
        if wall_ns is None and now.wall_ns is not None and row.at.boot == now.boot:
            wall_ns = now.wall_ns - now.since_boot_ns + row.at.since_boot_ns
        pairs = [
            ("boot", row.at.boot),
            ("since_boot_ns", str(row.at.since_boot_ns)),
            ("time_synced", "false" if wall_ns is None else "true"),
        ]
        if wall_ns is not None:
            pairs.append(("time", datetime.fromtimestamp(wall_ns / 1e9, timezone.utc).isoformat()))
        if self._options.batch == 1:
            pairs.insert(0, ("_id", self._id(row.number)))
        # Who confirms takes a result only behind the one before it: what a broker lost keeps its place.
        before = self._last.get(row.topic)
        if before is not None and before in self._open:
            pairs.append(("after", self._id(before)))
        found.UserProperty = pairs
        if self._options.expiry_s is not None:
            found.MessageExpiryInterval = max(1, round(self._options.expiry_s - age_s(row.at, now)))
        if self._options.confirmed is not None:
            found.ResponseTopic = self._options.confirmed
        return found


def report(queue: Queue, topic: str) -> Message:
    """What waits and what was dropped, retained."""
    return Message(topic, json.dumps({"waiting": len(queue), "dropped": queue.dropped}).encode(), 1, True)
