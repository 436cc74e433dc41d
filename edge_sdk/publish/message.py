"""What travels over a connection beside the results, and who speaks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Message:
    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


class Convention(Protocol):
    """Something that speaks a community's language over the same connection as the results."""

    def will(self) -> Message | None: ...

    def subscriptions(self) -> Sequence[str]: ...

    def connected(self) -> Iterable[Message]: ...

    def received(self, topic: str, payload: bytes) -> Iterable[Message]: ...

    def result(self, payload: Mapping[str, Any]) -> Iterable[Message]: ...

    def closing(self) -> Iterable[Message]: ...


@dataclass(frozen=True)
class Health:
    """How the device and its publisher do; None where nobody knows."""

    fps: float | None = None
    latency_ms: float | None = None
    temperature_c: float | None = None
    throttled: bool | None = None
    outbox: int = 0
