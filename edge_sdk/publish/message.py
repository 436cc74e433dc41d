"""Messages on a connection, and the conventions that speak a community's language over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Message:
    """What a broker is given."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass
class Health:
    """How the device is doing; the pipeline and the publisher keep it up to date, conventions read it.

    None stands for what nobody has measured. Plain attributes, each written by one thread.
    """

    fps: float | None = None
    latency_ms: float | None = None  # from the frame's capture to its event
    temperature_c: float | None = None
    throttled: bool | None = None
    watts: float | None = None  # of what the board's meter covers, not of the pipeline alone
    outbox_depth: int | None = None  # results that wait
    dropped: int | None = None  # results that the queue or the outbox had to drop


@dataclass(frozen=True)
class Identity:
    """Who publishes, and where: what a convention is made with."""

    device: str  # the first part of every `_id`; no `/`, `+`, `#`
    topic: str  # of the results; with a template, the part before its first field of a result
    health: Health = field(default_factory=Health)
    folder: Path | None = None  # where something can be kept over restarts

    @property
    def status_topic(self) -> str:
        """Where `online` and `offline` stand, retained (for conventions that have an availability)."""
        return f"{self.topic}/status"


class Convention(Protocol):
    """Something that speaks a community's language over the same connection as the results.

    Made as `Class(identity, **options)`. All methods are called in the connection's thread and must not wait.
    An exception that one raises is logged and its messages are left out; results go on.
    """

    def will(self) -> Message | None:
        """The last will, asked for before every attempt to connect; at most one convention has one.

        Where none has, the will is `offline` on the status topic.
        """
        ...

    @property
    def will_at_end(self) -> bool:
        """Whether MQTT 5 brokers shall publish its last will after a clean end as well."""
        ...

    def subscriptions(self) -> Sequence[str]:
        """Topic filters, subscribed to at QoS 1 before `connected`."""
        ...

    def connected(self) -> Iterable[Message]:
        """Sent after each connect, after `online` and before the results that wait."""
        ...

    def received(self, topic: str, payload: bytes) -> Iterable[Message]:
        """The answer to a message of its subscriptions."""
        ...

    def result(self, payload: Mapping[str, Any], age_s: float) -> Iterable[Message]:
        """What accompanies one result (with its `_id`), which was accepted `age_s` seconds ago.

        Sent just before it, so that the broker's word for the result stands for these too. They are not
        stored: a result that is sent again, after a broken connection, is given again, with the `_id` it had.
        The age is the least that is known if the machine has been started since.
        """
        ...

    def tick(self) -> Iterable[Message]:
        """Asked about once a second while connected."""
        ...

    def closing(self) -> Iterable[Message]:
        """The last words, before `offline`."""
        ...


class Silent:
    """A convention that says nothing: a base class for those that only say something."""

    will_at_end = False

    def will(self) -> Message | None:
        return None

    def subscriptions(self) -> Sequence[str]:
        return ()

    def connected(self) -> Iterable[Message]:
        return ()

    def received(self, topic: str, payload: bytes) -> Iterable[Message]:
        return ()

    def result(self, payload: Mapping[str, Any], age_s: float) -> Iterable[Message]:
        return ()

    def tick(self) -> Iterable[Message]:
        return ()

    def closing(self) -> Iterable[Message]:
        return ()
