"""The results that wait for a broker, in order, in memory."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from concurrent.futures import Future
from typing import Protocol

from edge_sdk.publish.clock import Clock
from edge_sdk.publish.store import Row


class Queue(Protocol):
    """What lies between senders and a connection: `Outgoing` in memory, or an `Outbox` on disk."""

    @property
    def epoch(self) -> int:
        """One life of the queue; numbers begin with 2^32 times this."""
        ...

    @property
    def dropped(self) -> dict[str, int]:
        """Results that were accepted and dropped, by reason."""
        ...

    def __len__(self) -> int:
        """Results that have not arrived."""
        ...

    def put(self, number: int, topic: str, payload: bytes) -> Future[None]:
        """Takes a result; the future is done when it is as safe as it gets."""
        ...

    def take(self, window: int) -> Row | None:
        """The next result; None if there is none or `window` are taken already."""
        ...

    def acknowledge(self, number: int) -> None:
        """The result has arrived."""
        ...

    def give_back(self) -> None:
        """All that was taken and has not arrived is taken again, in order."""
        ...

    def wait(self, timeout_s: float) -> int:
        """Waits until nothing is left, at most `timeout_s`; how many results are left."""
        ...

    def close(self) -> None: ...


class Outgoing:
    """A bounded queue in memory between senders and one connection."""

    def __init__(self, limit: int) -> None:
        """At most `limit` results are held; a new one then pushes out the oldest that was not taken."""
        self._limit = limit
        self._clock = Clock()
        self._changed = threading.Condition()
        self._queue: deque[Row] = deque()
        self._taken: dict[int, Row] = {}  # in order
        self.epoch = secrets.randbits(31) | 1 << 31
        self.dropped: dict[str, int] = {}

    def __len__(self) -> int:
        with self._changed:
            return len(self._queue) + len(self._taken)

    def put(self, number: int, topic: str, payload: bytes) -> Future[None]:
        with self._changed:
            if len(self) >= self._limit and self._queue:
                self._queue.popleft()
                self.dropped = {"space": self.dropped.get("space", 0) + 1}
            self._queue.append(Row(number, topic, payload, self._clock.now()))
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def take(self, window: int) -> Row | None:
        with self._changed:
            if not self._queue or len(self._taken) >= window:
                return None
            row = self._queue.popleft()
            self._taken[row.number] = row
            return row

    def acknowledge(self, number: int) -> None:
        with self._changed:
            self._taken.pop(number, None)
            if not self._taken:
                self._changed.notify_all()

    def give_back(self) -> None:
        with self._changed:
            self._queue.extendleft(reversed(self._taken.values()))
            self._taken.clear()

    def wait(self, timeout_s: float) -> int:
        with self._changed:
            self._changed.wait_for(lambda: not len(self), timeout_s)
            return len(self)

    def close(self) -> None:
        """Nothing is kept."""
