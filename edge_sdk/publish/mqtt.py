"""Results to an MQTT broker, in order, also over times when it is away."""

from __future__ import annotations

import logging
import random
import secrets
import socket
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from edge_sdk.errors import PublishError
from edge_sdk.publish.base import BasePublisher, encode
from edge_sdk.publish.broker import parse
from edge_sdk.publish.connection import GOODBYE_S, Connection
from edge_sdk.publish.conventions import make
from edge_sdk.publish.gauge import Gauge
from edge_sdk.publish.message import Convention, Health, Identity
from edge_sdk.publish.outgoing import Outgoing

_log = logging.getLogger("edge_sdk.publish")


class MqttPublisher(BasePublisher):
    """Publishes each result at `qos` to the URL's topic, as a JSON object with the key `_id` added.

    `_id` is client/epoch/number, unique, with numbers that count up within an epoch (one life of this
    object): subscribers can drop the repeats that follow a broken connection (at QoS 2 too, for each
    connection is a clean session). `<topic>/status` is, retained, `online` while connected and else
    `offline`, in our own words or as the broker's last will.

    `send` never waits for the network. Results wait in memory while the broker is away, in order; they
    do not survive the process. Beyond `max_queued` the oldest are dropped and counted in `dropped`.
    """

    def __init__(
        self,
        url: str,
        *,
        qos: int = 1,
        max_queued: int = 100_000,
        client_id: str | None = None,
        keepalive_s: int = 20,
        retry_s: tuple[float, float] = (0.5, 30.0),
        username: str | None = None,
        password: str | None = None,
        ca: str | None = None,
        cert: str | None = None,
        key: str | None = None,
        home_assistant: bool | Mapping[str, Any] = False,
        frigate: bool | Mapping[str, Any] = False,
        sparkplug: bool | Mapping[str, Any] = False,
        conventions: Sequence[Convention] = (),
        health: Health | None = None,
    ) -> None:
        """Starts connecting in the background.

        `retry_s` are the first and the longest pause between attempts, seconds; a pause is twice the
        one before it, with jitter. A broker that is silent for twice `keepalive_s` counts as gone.
        For the options from `username` to `key` see `edge_sdk.publish.broker.parse`.

        `home_assistant`, `frigate` and `sparkplug` turn conventions on, a mapping with options of theirs
        (`edge_sdk.publish.CONVENTIONS`); `conventions` are further ones, ready made. What they say
        of the machine stands in `health`, which somebody else may keep up to date.
        """
        self._broker = parse(url, username=username, password=password, ca=ca, cert=cert, key=key)
        if qos not in (0, 1, 2):
            raise PublishError(f"{self._broker}: qos is {qos!r}, it must be 0, 1 or 2")
        if max_queued < 1 or not 1 <= keepalive_s <= 0xFFFF or not 0 < retry_s[0] <= retry_s[1]:
            raise PublishError(
                f"{self._broker}: max_queued ({max_queued}) must be at least 1, keepalive_s ({keepalive_s}) "
                f"1 to 65535, retry_s ({retry_s}) a shortest and a longest pause"
            )
        self._qos, self._keepalive_s, self._retry_s = qos, keepalive_s, retry_s
        self._client_id = client_id or f"{socket.gethostname()}-{secrets.token_hex(4)}"
        self._id_prefix = f"{self._client_id}/{secrets.token_hex(4)}/"
        self._sequence = 0
        self._outgoing = Outgoing(max_queued)
        self._gauge = Gauge()
        self.health = health or Health()
        self._conventions = make(
            Identity(socket.gethostname(), self._broker.topic, self.health),
            conventions,
            {"home_assistant": home_assistant, "frigate": frigate, "sparkplug": sparkplug},
        )
        self._lock = threading.Lock()  # keeps numbers and places in the queue in one order
        self._closed = False
        self._problem: str | None = None
        self._stop = threading.Event()
        self._connection = self._new_connection()
        self._thread = threading.Thread(target=self._run, name=f"publish {self._broker.host}", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Results that were pushed out of the full queue."""
        return self._outgoing.dropped

    @property
    def problem(self) -> str | None:
        """Why the last connection or attempt failed; None before one has, and while connected."""
        return self._problem

    def send(self, payload: Mapping[str, Any]) -> None:
        with self._lock:
            if self._closed:
                raise PublishError(f"{self._broker}: this publisher is closed")
            line = encode(payload, _id=f"{self._id_prefix}{self._sequence}")
            self._sequence += 1
            self._gauge.see(payload)
            self.health.fps, self.health.latency_ms = self._gauge.figures()
            self.health.outbox_depth, self.health.dropped = len(self._outgoing), self._outgoing.dropped
            dropped = self._outgoing.dropped
            self._outgoing.put(line)
        if not dropped and self._outgoing.dropped:
            _log.warning("%s: the queue is full, the oldest results are dropped", self._broker)
        self._connection.wake()

    def flush(self, timeout_s: float) -> int:
        return self._outgoing.wait(timeout_s)

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
        if left:
            _log.warning("%s: closed, %d results were not delivered", self._broker, left)

    def _new_connection(self) -> Connection:
        return Connection(
            self._broker,
            self._outgoing,
            client_id=self._client_id,
            qos=self._qos,
            keepalive_s=self._keepalive_s,
            on_accept=self._on_accept,
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
                pause = shortest
            if self._stop.wait(pause * random.uniform(0.5, 1.0)):
                return
            pause = min(2 * pause, longest)
            self._connection = self._new_connection()
            if self._stop.is_set():  # close() may have seen the connection before this one
                self._connection.close()

    def _on_accept(self) -> None:
        if self._problem is not None:
            _log.info("%s: connected, %d results wait", self._broker, len(self._outgoing))
        self._problem = None

    def _on_failure(self, problem: str) -> None:
        if problem != self._problem:  # each reason is said once an outage
            _log.warning("%s: %s; %d results wait, trying again", self._broker, problem, len(self._outgoing))
        self._problem = problem
