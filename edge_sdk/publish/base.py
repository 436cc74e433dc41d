"""What publishers share: encoding, and use as a context manager."""

from __future__ import annotations

import contextlib
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any

from edge_sdk.errors import PublishError

try:  # ten times as fast, where it is installed
    import orjson
except ImportError:
    orjson = None


def encode(payload: Mapping[str, Any], **more: Any) -> bytes:
    """A result, with `more` keys, as a line of JSON without its end; `PublishError` if it is not JSON."""
    if not isinstance(payload, Mapping):
        raise PublishError(f"a result must be a dict, not {type(payload).__name__}")
    whole = {**payload, **more}
    if orjson is not None:
        with contextlib.suppress(TypeError):  # the standard library knows more, and says what is wrong
            line: bytes = orjson.dumps(whole)
            if b"null" not in line:  # which orjson also makes of NaN
                return line
    try:
        text = json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as problem:
        raise PublishError(f"this result is not JSON: {problem}") from problem


def all_of(futures: Sequence[Future[None]]) -> Future[None]:
    """Done when all are; fails with the first error among them."""
    whole: Future[None] = Future()
    left = len(futures)
    guard = threading.Lock()

    def count(_: object) -> None:
        nonlocal left
        with guard:
            left -= 1
            last = left <= 0
        if last:
            errors = [error for future in futures if (error := future.exception()) is not None]
            whole.set_exception(errors[0]) if errors else whole.set_result(None)

    for future in futures:
        future.add_done_callback(count)
    if not futures:
        whole.set_result(None)
    return whole


class BasePublisher(ABC):
    """The protocol `Publisher`, with what its context manager does."""

    @abstractmethod
    def send(self, payload: Mapping[str, Any]) -> None: ...

    def send_nowait(self, payload: Mapping[str, Any]) -> Future[None]:
        future: Future[None] = Future()
        self.send(payload)
        future.set_result(None)
        return future

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
