"""One connection to an MQTT broker, from the TCP handshake to its end."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_sdk.publish.broker import Broker
from edge_sdk.publish.conventions import Conventions
from edge_sdk.publish.delivery import Delivery, Options, report
from edge_sdk.publish.message import Message
from edge_sdk.publish.outgoing import Queue

_CONNECT_S = 10.0  # for TCP, for TLS and for the broker's answer
GOODBYE_S = 2.0  # for the acknowledgement of `offline`
_POLL_S = 1.0  # how often keep-alive and deadlines are looked at
_REPORT_S = 10.0  # how often what was dropped is told


class Connection:
    """Publishes what is in `queue` until the connection breaks or `close` is called.

    Everything but `close` and `wake` runs in the thread that calls `run`, so paho needs no locks and
    its own queue stays empty: it drops messages with nothing but a return code.
    """

    def __init__(
        self,
        broker: Broker,
        queue: Queue,
        *,
        client_id: str,
        device: str,
        options: Options,
        version5: bool,
        keepalive_s: int,
        on_accept: Callable[[], None],
        conventions: Conventions,
        measure: Callable[[], None],
    ) -> None:
        self._broker, self._queue, self._options, self._keepalive_s = broker, queue, options, keepalive_s
        self._tell_accepted, self._measure = on_accept, measure
        self._conventions = conventions
        self.accepted = False  # the broker has let us in
        self.reached = False  # there is something at the other end
        self._closing = False
        self._goodbye: int | None = None  # message id of `offline`
        self._deadline = 0.0
        self._ticked = 0.0
        self._reason = "the broker ended the connection"
        self._refused = False
        self._reported: dict[str, int] = {}
        self._reported_at = 0.0
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)

        client = self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            reconnect_on_failure=False,
            protocol=MQTTProtocolVersion.MQTTv5 if version5 else MQTTProtocolVersion.MQTTv311,
            transport=broker.transport,
        )
        client.connect_timeout = _CONNECT_S
        broker.prepare(client)
        will = conventions.will() or Message(broker.status_topic, b"offline", retain=True)
        client.will_set(will.topic, will.payload, will.qos, will.retain)
        self._delivery = Delivery(queue, client, options, conventions, self._say, device, version5)
        client.on_message = self._on_message
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_log = self._on_log

    def run(self) -> None:
        """Connects and publishes; returns after `close`, raises `OSError` if the connection fails."""
        try:
            if self._closing:
                return
            self._client.connect(self._broker.host, self._broker.port, self._keepalive_s)
            self.reached = True
            self._deadline = time.monotonic() + _CONNECT_S
            self._serve()
        except paho.WebsocketConnectionError as problem:
            raise OSError(f"no WebSocket: {problem}") from problem
        except UnicodeError as problem:  # what the resolver raises for impossible host names
            raise OSError(f"bad host name: {problem}") from problem
        finally:
            if (network := self._client.socket()) is not None:
                network.close()
            self._wake_in.close()
            self._wake_out.close()
            self._queue.give_back()
        if not self._closing:
            raise ConnectionError(self._reason)

    def wake(self) -> None:
        """Says that there is something in the queue."""
        with contextlib.suppress(OSError):  # full: `run` is awake anyway; closed: it has ended
            self._wake_out.send(b"\0")

    def close(self) -> None:
        """Makes `run` say `offline`, disconnect and return."""
        self._closing = True
        self.wake()

    def _serve(self) -> None:
        client, network = self._client, self._client.socket()
        if network is None:
            return
        with selectors.DefaultSelector() as selector:
            selector.register(network, selectors.EVENT_READ)
            selector.register(self._wake_in, selectors.EVENT_READ)
            while self._publish() and client.socket() is not None:
                writes = selectors.EVENT_WRITE if client.want_write() else 0
                selector.modify(network, selectors.EVENT_READ | writes)
                for key, events in selector.select(_POLL_S):
                    if key.fileobj is self._wake_in:
                        self._wake_in.recv(4096)
                        continue
                    if events & selectors.EVENT_READ:
                        self._read()
                    if events & selectors.EVENT_WRITE:
                        client.loop_write()
                client.loop_misc()  # pings, and ends a connection that does not answer them
                self._tick()

    def _read(self) -> None:
        self._client.loop_read()
        # TLS may hold decrypted bytes that the selector does not see.
        while isinstance(network := self._client.socket(), ssl.SSLSocket) and network.pending():
            self._client.loop_read()

    def _publish(self) -> bool:
        """Hands over what the window lets through, or the last words; False when time is up."""
        if self._refused:
            return False
        if not self.accepted or self._goodbye is not None:
            if time.monotonic() > self._deadline:
                self._reason = "the broker does not answer"
                return False
            if self._closing and not self.accepted:
                return False
        elif self._closing:
            self._deadline = time.monotonic() + GOODBYE_S
            self._measure()
            self._say(self._conventions.closing())
            self._goodbye = self._client.publish(self._broker.status_topic, "offline", qos=1, retain=True).mid
        else:
            self._delivery.send()
        return True

    def _say(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._client.publish(message.topic, message.payload, message.qos, message.retain)

    def _tick(self) -> None:
        now = time.monotonic()
        if self.accepted and self._goodbye is None and now - self._ticked >= _POLL_S:
            self._ticked = now
            self._delivery.tick()
            if self._queue.dropped != self._reported and now - self._reported_at >= _REPORT_S:
                self._report()
            self._measure()
            self._say(self._conventions.tick())

    def _report(self) -> None:
        self._reported, self._reported_at = self._queue.dropped, time.monotonic()
        self._say([report(self._queue, f"{self._broker.base}/outbox")])

    def _on_message(self, client: paho.Client, data: Any, message: paho.MQTTMessage) -> None:
        if message.topic == self._options.confirmed:
            self._delivery.confirm(bytes(message.payload))
            return
        matches = paho.topic_matches_sub
        self._say(self._conventions.received(message.topic, bytes(message.payload), matches))

    def _on_connect(
        self, client: paho.Client, data: Any, flags: Any, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._reason = f"the broker refuses: {code}"
            return
        client.on_log = None  # it formats every packet's message
        wanted = [(topic, 1) for topic in self._conventions.subscriptions()]
        if self._options.confirmed is not None:
            wanted.append((self._options.confirmed, 1))
        if wanted:
            client.subscribe(wanted)
        client.publish(self._broker.status_topic, "online", qos=1, retain=True)
        self._measure()
        self._say(self._conventions.connected())
        if self._queue.dropped:
            self._report()
        self.accepted = True
        self._tell_accepted()

    def _on_disconnect(
        self, client: paho.Client, data: Any, flags: Any, code: ReasonCode, properties: Properties | None
    ) -> None:
        if self.accepted:
            self._reason = f"the connection broke: {code}"

    def _on_publish(
        self, client: paho.Client, data: Any, mid: int, code: ReasonCode, properties: Properties
    ) -> None:
        if code.is_failure:  # MQTT 5 alone says so
            self._reason = f"the broker refuses a message: {code}"
            self._refused = True
            return
        self._delivery.published(mid)
        if mid == self._goodbye:
            # Brokers of MQTT 3.1.1 are told nothing of it.
            with_will = self._conventions.will_at_end
            client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=4 if with_will else 0))

    def _on_log(self, client: paho.Client, data: Any, level: int, text: str) -> None:
        if level == LogLevel.MQTT_LOG_ERR:  # such as a TLS alert, which no other callback tells
            self._reason = f"the broker ended the connection: {text}"
