"""What travels over a connection beside the results, and who speaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Message:
    """One message to a broker."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True)
class Health:
    """How the device and its publisher do; None where nobody knows."""

    fps: float | None = None  # results per second
    latency_ms: float | None = None  # from a frame to its result
    temperature_c: float | None = None  # degree Celsius
    throttled: bool | None = None  # the CPU is slower than it could be, for heat or want of power
    outbox: int = 0  # results that wait


@dataclass(frozen=True)
class Context:
    """The publisher that a convention accompanies."""

    topic: str  # of the results; `<topic>/status` holds `online` and `offline`
    device: str  # the machine's name, the same after a restart
    folder: Path | None = None  # where something may be kept over restarts
    health: Callable[[], Health] = Health


class Convention(Protocol):
    """Something that speaks a community's language over the connection of the results.

    All methods are called by one thread.
    """

    def will(self) -> Message | None:
        """The last will that the next CONNECT carries, asked for once for each; one convention has one."""
        ...

    def subscriptions(self) -> Sequence[str]:
        """Topics whose messages it wants."""
        ...

    def connected(self) -> Iterable[Message]:
        """Said after each connect, before any result."""
        ...

    def received(self, topic: str, payload: bytes) -> Iterable[Message]:
        """Answers to a message of its subscriptions."""
        ...

    def result(self, payload: Mapping[str, Any]) -> Iterable[Message]:
        """Said just before a result, and again if the result is sent again."""
        ...

    def tick(self) -> Iterable[Message]:
        """Said about once a second while connected."""
        ...

    def closing(self) -> Iterable[Message]:
        """The last words before a wanted disconnect."""
        ...
