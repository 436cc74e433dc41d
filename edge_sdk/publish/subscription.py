"""The other end: results from a broker, each once, and word to their publishers that they have come."""

from __future__ import annotations

import json
import queue
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge_sdk.errors import PublishError
from edge_sdk.publish.broker import parse
from edge_sdk.publish.seen import Seen, parse_id

_CONNECT_S = 10.0
_CONFIRM_S = 0.2  # word goes back this often,
_CONFIRM_COUNT = 200  # or after so many results
_AGAIN_S = 1.0  # how often a publisher is asked to send again
_SESSION_S = 7 * 24 * 3600  # how long a broker keeps results for a subscriber with a name


@dataclass(frozen=True)
class Received:
    """One result."""

    topic: str
    payload: dict[str, Any]  # the keys of its publisher, and `_id`

    @property
    def id(self) -> str | None:
        found = self.payload.get("_id")
        return found if isinstance(found, str) else None


class Subscription:
    """Results as they come, without repeats, in the order of each publisher; an iterator that does not end.

        with edge_sdk.publish.subscribe("mqtt://host/edge/#", name="archive", state="seen.json") as results:
            for result in results:
                store(result.payload)

    A result counts as dealt with when the next one is asked for, or `done` is called. Only then does the
    broker get its acknowledgement, and with `confirm` the publisher word, so that what was not dealt with
    comes again.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str | None = None,
        state: str | None = None,
        confirm: bool = False,
        **credentials: Any,
    ) -> None:
        """Connects and subscribes; `PublishError` if that fails. Later it reconnects by itself.

        For a subscriber with a `name` the broker keeps results while it is away. `state` is a file that
        remembers what has come over restarts. `confirm` tells publishers in `confirmed` mode what has come.
        """
        self._broker = parse(url, wildcards=True, **credentials)
        self._seen = Seen(state)
        self._confirm = confirm
        self._queue: queue.Queue[tuple[paho.MQTTMessage, list[dict[str, Any]]] | None] = queue.Queue(10_000)
        self._items: deque[dict[str, Any]] = deque()  # of the message, not handed out yet
        self._message: paho.MQTTMessage | None = None
        self._handed: tuple[str, int, int] | None = None  # what the caller works on
        self._waiting: dict[tuple[str, str, int], str] = {}  # confirmations due: topic, device, epoch
        self._confirmed_at, self._unconfirmed = time.monotonic(), 0
        self._confirming = threading.Lock()  # close() may come from another thread
        self._asked_at = 0.0
        self.repeats = 0  # results that had come before
        self.odd = 0  # messages that are no results
        self._closed = False
        self._subscribed = threading.Event()
        self._problem: str | None = "no answer"
        self._client = self._connect(name, True)
        if self._problem is not None and not self._closed:
            self._client.loop_stop()
            self._client = self._connect(name, False)  # a broker that does not speak MQTT 5
        if self._problem is not None:
            self.close()
            raise PublishError(f"{self._broker}: cannot subscribe: {self._problem}")

    def _connect(self, name: str | None, version5: bool) -> paho.Client:
        """A client whose thread runs, subscribed unless `_problem` says why not."""
        self._problem = "no answer"
        self._subscribed.clear()
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=name or f"listen-{socket.gethostname()}-{secrets.token_hex(4)}",
            clean_session=None if version5 else name is None,
            protocol=MQTTProtocolVersion.MQTTv5 if version5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
            transport=self._broker.transport,
        )
        self._broker.prepare(client)
        client.reconnect_delay_set(1, 30)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        more: dict[str, Any] = {}
        if version5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = _SESSION_S if name else 0
            more = {"clean_start": name is None, "properties": properties}
        try:
            client.connect(self._broker.host, self._broker.port, 30, **more)
        except (OSError, ValueError, paho.WebsocketConnectionError) as problem:
            raise PublishError(f"{self._broker}: {problem}") from problem
        client.loop_start()
        self._subscribed.wait(_CONNECT_S)
        return client

    def __iter__(self) -> Iterator[Received]:
        return self

    def __next__(self) -> Received:
        found = self.next()
        if found is None:
            raise StopIteration
        return found

    def next(self, timeout_s: float | None = None) -> Received | None:
        """The next result; None after `timeout_s` without one, and when closed."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        self.done()
        while not self._closed:
            while self._items:
                payload = self._items.popleft()
                found = parse_id(payload.get("_id"))
                if found is None or not self._seen.has(*found):
                    self._handed = found
                    assert self._message is not None
                    return Received(self._message.topic, payload)
                self.repeats += 1
                self._deal_with(found)
            self._finish()
            left = None if end is None else end - time.monotonic()
            pause = _CONFIRM_S if self._unconfirmed else 1.0
            try:
                item = self._queue.get(timeout=max(0.0, pause if left is None else min(pause, left)))
            except queue.Empty:
                self._confirm_all()
                if left is not None and left <= 0:
                    return None
                continue
            if item is None:
                break
            self._message, payloads = item
            if self._confirm and (before := _before(self._message)) and not self._seen.has(*before):
                self._ask_again(self._message, before)
                payloads = []
            self._items = deque(payloads)
        return None

    def done(self) -> None:
        """The result that was handed out last is dealt with; otherwise asking for the next one says so."""
        if self._handed is None:
            return
        self._deal_with(self._handed)
        self._handed = None
        if not self._items:
            self._finish()

    def close(self) -> None:
        """Ends the iteration; what was handed out last comes again, unless `done` was called."""
        if self._closed:
            return
        self._closed = True
        self._confirm_all()
        self._client.disconnect()
        self._client.loop_stop()
        self._queue.put(None) if not self._queue.full() else None

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask_again(self, message: paho.MQTTMessage, before: tuple[str, int, int]) -> None:
        """A result before this one was lost on its way; both come again, in order."""
        if time.monotonic() < self._asked_at + _AGAIN_S:
            return
        self._asked_at = time.monotonic()
        device, epoch, _ = before
        word = {"device": device, "epoch": f"{epoch:x}", "ranges": [], "again": True}
        self._client.publish(_confirmation_topic(message, device), json.dumps(word), 1)

    def _deal_with(self, found: tuple[str, int, int]) -> None:
        device, epoch, _ = found
        with self._confirming:
            self._seen.add(*found)
            if self._message is not None:
                self._waiting[_confirmation_topic(self._message, device), device, epoch] = device
                self._unconfirmed += 1

    def _finish(self) -> None:
        """All results of a message were dealt with."""
        message, self._message = self._message, None
        if self._unconfirmed >= _CONFIRM_COUNT or time.monotonic() > self._confirmed_at + _CONFIRM_S:
            self._confirm_all()
        if message is not None:
            self._client.ack(message.mid, message.qos)

    def _confirm_all(self) -> None:
        with self._confirming:
            self._confirm_now()

    def _confirm_now(self) -> None:
        self._confirmed_at = time.monotonic()
        if not self._unconfirmed:
            return
        self._seen.save()
        for topic, device, epoch in self._waiting if self._confirm else ():
            word = {"device": device, "epoch": f"{epoch:x}", "ranges": self._seen.ranges(device, epoch)}
            self._client.publish(topic, json.dumps(word), 1)
        self._waiting.clear()
        self._unconfirmed = 0

    # Called by the client's thread.

    def _on_connect(self, client: paho.Client, data: Any, flags: Any, code: Any, properties: Any) -> None:
        if code.is_failure:
            self._problem = f"the broker refuses: {code}"
            self._subscribed.set()
        else:
            # Retained messages are old news, and no results.
            if client.protocol == MQTTProtocolVersion.MQTTv5:
                client.subscribe(self._broker.topic, options=SubscribeOptions(qos=1, retainHandling=2))
            else:
                client.subscribe(self._broker.topic, 1)

    def _on_subscribe(self, client: paho.Client, data: Any, mid: int, codes: Any, properties: Any) -> None:
        self._problem = f"the broker refuses: {codes[0]}" if codes[0].is_failure else None
        self._subscribed.set()

    def _on_message(self, client: paho.Client, data: Any, message: paho.MQTTMessage) -> None:
        try:
            found = json.loads(message.payload)
        except ValueError:
            found = None
        results = found if isinstance(found, list) else [found]
        if not message.retain and results and all(isinstance(r, dict) and "_id" in r for r in results):
            self._queue.put((message, results))
        else:
            self.odd += 1
            client.ack(message.mid, message.qos)


def _before(message: paho.MQTTMessage) -> tuple[str, int, int] | None:
    """The result that must have come before those of this message, where its publisher waits for it."""
    pairs = getattr(message.properties, "UserProperty", ())
    return next((parse_id(value) for key, value in pairs if key == "after"), None)


def _confirmation_topic(message: paho.MQTTMessage, device: str) -> str:
    """Where the publisher listens: it says so in MQTT 5, and else it is below the result's topic."""
    wanted = getattr(message.properties, "ResponseTopic", None)
    return wanted if isinstance(wanted, str) else confirmation_topic(message.topic, device)


def confirmation_topic(topic: str, device: str) -> str:
    """`<topic>/confirmed/<device>`."""
    return f"{topic}/confirmed/{device.replace('/', '_')}"
