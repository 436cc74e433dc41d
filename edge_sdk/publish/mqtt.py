"""Results to an MQTT broker, in order, also over times when it is away."""

from __future__ import annotations

import logging
import os
import random
import re
import secrets
import socket
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from edge_sdk import lazy
from edge_sdk.errors import PublishError
from edge_sdk.publish.base import BasePublisher, encode
from edge_sdk.publish.broker import Broker, in_order, parse
from edge_sdk.publish.connection import GOODBYE_S, Connection
from edge_sdk.publish.conventions import make
from edge_sdk.publish.delivery import Options
from edge_sdk.publish.gauge import Gauge
from edge_sdk.publish.message import Convention, Health, Identity
from edge_sdk.publish.outbox import Outbox
from edge_sdk.publish.outgoing import Outgoing, Queue
from edge_sdk.publish.subscription import confirmation_topic

_log = logging.getLogger("edge_sdk.publish")


class MqttPublisher(BasePublisher):
    """Publishes each result at `qos` to the URL's topic, as a JSON object with the key `_id` added.

    `_id` is device/epoch/sequence, unique, with sequences that count up within an epoch (one life of the
    queue): subscribers can drop the repeats that follow a broken connection (at QoS 2 too, for each
    connection is a clean session), as `edge_sdk.publish.subscribe` does. MQTT 5 brokers get it as a user
    property as well, with the times of `edge_sdk.publish.clock`. `{key}` in the topic stands for a value of
    the result. `<topic>/status` is, retained, `online` while connected and else `offline`, in our own
    words or as the broker's last will; `<topic>/outbox` tells what was dropped.

    With an `outbox` folder, `send` returns once the result is safe on disk; it outlives the process, the
    broker and the power. Without one it waits in memory, beyond `max_queued` results the oldest are
    dropped, and nothing is kept across restarts. A result leaves when the broker has it, with `confirmed`
    when a subscriber has (`subscribe(..., confirm=True)`).
    """

    def __init__(
        self,
        url: str,
        *,
        outbox: str | os.PathLike[str] | None = None,
        outbox_options: Mapping[str, Any] | None = None,
        device: str | None = None,
        qos: int = 1,
        batch: int = 1,
        confirmed: bool = False,
        expiry_s: float | None = None,
        protocol: str = "auto",
        fallbacks: Sequence[str] = (),
        max_queued: int = 100_000,
        client_id: str | None = None,
        keepalive_s: int = 20,
        retry_s: tuple[float, float] = (0.5, 30.0),
        home_assistant: bool | Mapping[str, Any] = False,
        frigate: bool | Mapping[str, Any] = False,
        sparkplug: bool | Mapping[str, Any] = False,
        conventions: Sequence[Convention] = (),
        health: Health | None = None,
        **credentials: Any,
    ) -> None:
        """Starts connecting in the background.

        `outbox_options` are those of `edge_sdk.publish.outbox.Outbox`: `max_bytes`, `max_age_s`, `policy`.
        `device` is the machine's name by default. Up to `batch` results go in one message, as a JSON array.
        After `expiry_s` an MQTT 5 broker forgets a message. `protocol` is "5", "3.1.1" or "auto": 5 where
        the broker speaks it. `fallbacks` are brokers (`mqtt://host:port`) to try where the one before them
        does not answer.

        `retry_s` are the first and the longest pause between attempts, seconds; a pause is twice the
        one before it, with jitter. A broker that is silent for twice `keepalive_s` counts as gone.
        `credentials` are those of `edge_sdk.publish.broker.parse`.

        `home_assistant`, `frigate` and `sparkplug` turn conventions on, a mapping with options of theirs
        (`edge_sdk.publish.conventions`); `conventions` are further ones, ready made. What they say
        of the machine stands in `health`, which somebody else may keep up to date.
        """
        self._broker: Broker = lazy.call(parse, "mqtt", PublishError, url, **credentials)
        self._brokers: list[Broker] = in_order(self._broker, fallbacks)
        if qos not in (0, 1, 2) or protocol not in ("auto", "5", "3.1.1"):
            raise PublishError(
                f"{self._broker}: qos is {qos!r}, it must be 0, 1 or 2; protocol is {protocol!r}, it must be "
                "auto, 5 or 3.1.1"
            )
        if max_queued < 1 or not 1 <= keepalive_s <= 0xFFFF or not 0 < retry_s[0] <= retry_s[1]:
            raise PublishError(
                f"{self._broker}: max_queued ({max_queued}) must be at least 1, keepalive_s ({keepalive_s}) "
                f"1 to 65535, retry_s ({retry_s}) a shortest and a longest pause"
            )
        if not 1 <= batch <= 1000 or (expiry_s is not None and not expiry_s > 0) or (confirmed and qos == 0):
            raise PublishError(
                f"{self._broker}: batch ({batch}) must be 1 to 1000, expiry_s ({expiry_s}) above 0; results "
                "that are to be confirmed need qos 1 or 2"
            )
        self._keepalive_s, self._retry_s = keepalive_s, retry_s
        self._version5, self._may_change = protocol != "3.1.1", protocol == "auto"
        self._device = device or socket.gethostname()
        self._client_id = client_id or f"{self._device}-{secrets.token_hex(4)}"
        topic = confirmation_topic(self._broker.base, self._device) if confirmed else None
        self._options = Options(qos, batch, topic, expiry_s)
        self._sequence = 0
        self._queue: Queue = Outgoing(max_queued)
        if outbox is not None:
            self._queue = lazy.call(
                Outbox, "outbox", PublishError, outbox, device=self._device, **(outbox_options or {})
            )
        self._durable = outbox is not None
        self._id_prefix = f"{self._device}/{self._queue.epoch:x}/"
        self._gauge, self.health = Gauge(), health or Health()
        folder = Path(outbox) if outbox is not None else None
        try:
            self._conventions = make(
                Identity(self._device, self._broker.base, self.health, folder),
                conventions,
                {"home_assistant": home_assistant, "frigate": frigate, "sparkplug": sparkplug},
            )
        except BaseException:
            self._queue.close()
            raise
        self._at = 0  # which broker
        self._lock = threading.Lock()  # keeps numbers and places in the queue in one order
        self._closed = False
        self._problem: str | None = None
        self._stop = threading.Event()
        self._connection = self._new_connection()
        self._thread = threading.Thread(target=self._run, name=f"publish {self._broker.host}", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Results that were accepted and dropped, since they did not fit, were too old, or were damaged."""
        return sum(self._queue.dropped.values())

    @property
    def problem(self) -> str | None:
        """Why the last connection or attempt failed; None before one has, and while connected."""
        return self._problem

    def send(self, payload: Mapping[str, Any]) -> None:
        self.send_nowait(payload).result()

    def send_nowait(self, payload: Mapping[str, Any]) -> Future[None]:
        with self._lock:
            if self._closed:
                raise PublishError(f"{self._broker}: this publisher is closed")
            line = encode(payload, _id=f"{self._id_prefix}{self._sequence}")
            topic = self._topic(payload)
            dropped = self._queue.dropped
            future = self._queue.put((self._queue.epoch << 32) + self._sequence, topic, line)
            self._sequence += 1
            self._gauge.see(payload)
        if not dropped and self._queue.dropped:
            _log.warning("%s: the queue is full, the oldest results are dropped", self._broker)
        if self._durable:
            future.add_done_callback(lambda _: self._connection.wake())
        else:
            self._connection.wake()
        return future

    def flush(self, timeout_s: float) -> int:
        return self._queue.wait(timeout_s)

    def close(self, timeout_s: float = 5.0) -> None:
        """Waits up to `timeout_s` for what is queued, then says `offline` and disconnects."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        left = self.flush(timeout_s)
        self._stop.set()
        self._connection.close()
        self._thread.join(GOODBYE_S + 1)  # a daemon: one that hangs in a name look-up is left behind
        self._queue.close()
        if left:
            _log.warning(
                "%s: closed, %d results were not delivered%s",
                self._broker, left, "; they stay in the outbox" if self._durable else "",
            )  # fmt: skip

    def _topic(self, payload: Mapping[str, Any]) -> str:
        """The URL's topic with the result's values; what would be more than one level of a topic is not."""
        topic: str = self._broker.topic
        if "{" not in topic:
            return topic
        values = {**payload, "device": self._device}

        def value(found: re.Match[str]) -> str:
            if found[1] not in values:
                raise PublishError(f"{self._broker}: this result has no {found[1]!r} for its topic")
            return re.sub(r"[/+#\0]", "_", str(values[found[1]])) or "_"

        return re.sub(r"\{(\w+)\}", value, topic)

    def _measure(self) -> None:
        """What `health` says of this publisher."""
        with self._lock:
            self.health.fps, self.health.latency_ms = self._gauge.figures()
        self.health.outbox_depth, self.health.dropped = len(self._queue), self.dropped

    def _new_connection(self) -> Connection:
        return Connection(
            self._brokers[self._at],
            self._queue,
            client_id=self._client_id,
            device=self._device,
            options=self._options,
            version5=self._version5,
            keepalive_s=self._keepalive_s,
            on_accept=self._on_accept,
            measure=self._measure,
            conventions=self._conventions,
        )

    def _run(self) -> None:
        """The thread: one connection after the other."""
        shortest, longest = self._retry_s
        pause = shortest
        while True:
            try:
                self._connection.run()
            except OSError as problem:
                self._on_failure(problem.strerror or str(problem))
            except Exception as problem:  # the thread must outlive what nobody thought of
                _log.exception("%s: unexpected failure", self._broker)
                self._on_failure(str(problem))
            if self._connection.accepted:
                pause, self._at = shortest, 0
            elif self._connection.reached and self._may_change:
                self._version5 = not self._version5
            else:
                self._at = (self._at + 1) % len(self._brokers)
            if self._at:  # there is another one to try at once
                pause = shortest
            if self._stop.wait(pause * random.uniform(0.5, 1.0)):
                return
            pause = min(2 * pause, longest)
            self._connection = self._new_connection()
            if self._stop.is_set():  # close() may have seen the connection before this one
                self._connection.close()

    def _on_accept(self) -> None:
        if self._problem is not None:
            _log.info("%s: connected, %d results wait", self._broker, len(self._queue))
        self._problem = None

    def _on_failure(self, problem: str) -> None:
        if problem != self._problem:  # each reason is said once an outage
            _log.warning("%s: %s; %d results wait, trying again", self._broker, problem, len(self._queue))
        self._problem = problem
