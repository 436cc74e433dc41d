"""The results that wait for a broker, in order."""

from __future__ import annotations

import threading
from collections import deque


class Outgoing:
    """A bounded queue between senders and one connection, which takes, and acknowledges or gives back."""

    def __init__(self, limit: int) -> None:
        """At most `limit` results are held; a new one then pushes out the oldest that was not taken."""
        self._limit = limit
        self._changed = threading.Condition()
        self._queue: deque[tuple[int, bytes]] = deque()
        self._taken: dict[int, bytes] = {}  # in order
        self._count = 0
        self.dropped = 0

    def __len__(self) -> int:
        """Results that are not acknowledged."""
        with self._changed:
            return len(self._queue) + len(self._taken)

    def put(self, line: bytes) -> None:
        with self._changed:
            if len(self) >= self._limit and self._queue:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append((self._count, line))
            self._count += 1

    def take(self, window: int) -> tuple[int, bytes] | None:
        """The next result and its number; None if there is none or `window` are taken already."""
        with self._changed:
            if not self._queue or len(self._taken) >= window:
                return None
            number, line = self._queue.popleft()
            self._taken[number] = line
            return number, line

    def acknowledge(self, number: int) -> None:
        with self._changed:
            del self._taken[number]
            if not self._taken:
                self._changed.notify_all()

    def give_back(self) -> None:
        """Puts all that was taken and not acknowledged back to its place at the front."""
        with self._changed:
            self._queue.extendleft(reversed(list(self._taken.items())))
            self._taken.clear()

    def wait(self, timeout_s: float) -> int:
        """Waits until nothing is left, at most `timeout_s`; how many results are left."""
        with self._changed:
            self._changed.wait_for(lambda: not len(self), timeout_s)
            return len(self)
