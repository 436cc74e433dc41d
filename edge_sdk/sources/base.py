"""What all sources share: iteration, closing, and counting what could not be read."""

from __future__ import annotations

import contextlib
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType

from edge_sdk.types import Frame

_log = logging.getLogger("edge_sdk.sources")

_KEPT_REASONS = 100


class BaseSource(ABC):
    """An iterator over the frames of `_frames`, a generator; implements the protocol `Source`."""

    live = False

    def __init__(self) -> None:
        self.skipped = 0
        self.reasons: list[str] = []
        self._closed = threading.Event()
        self._iterator = self._frames()

    @abstractmethod
    def _frames(self) -> Iterator[Frame]:
        """Yields the frames; calls `_skip` for items that it passes over."""

    def _skip(self, reason: str) -> None:
        self.skipped += 1
        if len(self.reasons) < _KEPT_REASONS:
            self.reasons.append(reason)
        _log.warning("skipped %s", reason)

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if self._closed.is_set():
            raise StopIteration
        return next(self._iterator)

    def close(self) -> None:
        self._closed.set()
        if hasattr(self._iterator, "close"):
            with contextlib.suppress(ValueError):  # it runs in another thread, which will end by itself
                self._iterator.close()

    def __enter__(self) -> BaseSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
