"""Publishers: where results go. Each lives in its own module, loaded on first use.

A new publisher needs its line in `PUBLISHERS`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from edge_sdk import lazy
from edge_sdk.errors import PublishError

if TYPE_CHECKING:
    from edge_sdk.publish.subscription import Subscription

PUBLISHERS = {
    "jsonl": "edge_sdk.publish.jsonl:JsonlPublisher",
    "memory": "edge_sdk.publish.memory:MemoryPublisher",
    "mqtt": "edge_sdk.publish.mqtt:MqttPublisher",
    "mqtts": "edge_sdk.publish.mqtt:MqttPublisher",
    "ws": "edge_sdk.publish.mqtt:MqttPublisher",
    "wss": "edge_sdk.publish.mqtt:MqttPublisher",
    "stdout": "edge_sdk.publish.stdout:StdoutPublisher",
}


class Publisher(Protocol):
    """Takes results as JSON-ready dicts, in order."""

    def send(self, payload: Mapping[str, Any]) -> None:
        """Accepts one result. `PublishError` if it cannot be encoded or the publisher is closed."""
        ...

    def send_nowait(self, payload: Mapping[str, Any]) -> Future[None]:
        """The same without waiting until the result is safe: the future is done then, or fails."""
        ...

    def flush(self, timeout_s: float) -> int:
        """Waits until all that was accepted has arrived, at most `timeout_s`; how many have not."""
        ...

    def close(self) -> None:
        """Delivers what it can in a few seconds and lets go of everything; closing twice is allowed."""
        ...

    def __enter__(self) -> Publisher: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def connect(url: str | os.PathLike[str], **options: Any) -> Publisher:
    """The publisher that `url` names.

    `mqtt://user:password@host:port/topic`, `mqtts://` (TLS), `ws://` and `wss://` for a broker, `stdout`,
    `FILE.jsonl` (or `jsonl:FILE`), `memory:`. `options` are those of the publisher's class. `PublishError`
    if the URL, an option, a certificate or a file is bad; a broker that is away is no error, it is tried
    again.
    """
    text = os.fspath(url)
    name, colon, rest = text.partition(":")
    if text.lower().endswith(".jsonl") and name not in PUBLISHERS:
        name, rest = "jsonl", text
    elif name not in PUBLISHERS or not (colon or name == "stdout"):
        raise PublishError(
            f"cannot publish to {_without_password(text)!r}: write mqtt://host:port/topic, "
            "mqtts://host:port/topic, stdout, FILE.jsonl or memory:"
        )
    target = text if rest.startswith("//") else rest
    publisher: Publisher = lazy.call(
        lazy.load(PUBLISHERS[name]), f"publisher {name}", PublishError, target, **options
    )
    return publisher


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return scheme + separator + rest.rpartition("@")[2] if separator else url


def subscribe(url: str, **options: Any) -> Subscription:
    """Results from a broker, each once: `edge_sdk.publish.subscription.Subscription`."""
    from edge_sdk.publish.subscription import Subscription

    return Subscription(url, **options)
