"""What publishers share: encoding, and use as a context manager."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from edge_sdk.errors import PublishError


def encode(payload: Mapping[str, Any], **more: Any) -> bytes:
    """A result, with `more` keys, as a line of JSON without its end; `PublishError` if it is not JSON."""
    if not isinstance(payload, Mapping):
        raise PublishError(f"a result must be a dict, not {type(payload).__name__}")
    try:
        text = json.dumps({**payload, **more}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as problem:
        raise PublishError(f"this result is not JSON: {problem}") from problem


class BasePublisher(ABC):
    """The protocol `Publisher`, with what its context manager does."""

    @abstractmethod
    def send(self, payload: Mapping[str, Any]) -> None: ...

    @abstractmethod
    def flush(self, timeout_s: float) -> int: ...

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> BasePublisher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class DirectPublisher(BasePublisher):
    """A publisher whose destination is reached before `send` returns."""

    _closed = False

    def send(self, payload: Mapping[str, Any]) -> None:
        line = encode(payload)
        if self._closed:
            raise PublishError("this publisher is closed")
        self._write(line)

    @abstractmethod
    def _write(self, line: bytes) -> None:
        """Delivers one encoded result."""

    def flush(self, timeout_s: float) -> int:
        return 0

    def close(self) -> None:
        self._closed = True
