"""What an outbox drops: policies by topic, and the results that are to go."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from paho.mqtt.client import topic_matches_sub

from edge_sdk.errors import PublishError
from edge_sdk.publish.store import Row, Size, Store

DROP_OLDEST, DROP_NEWEST, KEEP_LATEST = "drop-oldest", "drop-newest", "keep-latest"
POLICIES = (DROP_OLDEST, DROP_NEWEST, KEEP_LATEST)


class Policies:
    """One policy for all topics, or by topic filters (`edge/+/status`): the first that fits counts."""

    def __init__(self, given: str | Mapping[str, str]) -> None:
        self._by_filter = {"#": given} if isinstance(given, str) else dict(given)
        for policy in self._by_filter.values():
            if policy not in POLICIES:
                raise PublishError(f"outbox: policy {policy!r} is none of {', '.join(POLICIES)}")

    def of(self, topic: str) -> str:
        for wanted, policy in self._by_filter.items():
            if topic_matches_sub(wanted, topic):
                return policy
        return DROP_OLDEST


class Room:
    """The results that are to be dropped with the next commit. The caller keeps threads apart."""

    def __init__(self, policies: Policies, max_bytes: int) -> None:
        self._policies, self._max_bytes = policies, max_bytes
        self.doomed: dict[int, tuple[str, int]] = {}  # number -> reason, bytes in the file

    @property
    def bytes(self) -> int:
        """What they take in the file."""
        return sum(size for _, size in self.doomed.values())

    def doom(
        self, candidates: Iterable[Size], reason: str, busy: Container[int], enough: int | None = None
    ) -> int:
        """Marks results, except those that are under way; the bytes that this frees, at least `enough`."""
        freed = 0
        for number, size, _ in candidates:
            if number in busy or number in self.doomed:
                continue
            self.doomed[number] = (reason, size)
            freed += size
            if enough is not None and freed >= enough:
                break
        return freed

    def make(self, store: Store, rows: list[Row], size: int, busy: Container[int]) -> list[Row]:
        """Those of the new results to be stored beside `size` bytes; what they push out is doomed."""
        stored: list[Row] = []
        size -= self.bytes
        for row in rows:
            policy = self._policies.of(row.topic)
            if policy == KEEP_LATEST:
                size -= self.doom(store.sizes(row.topic), "superseded", busy)
                for old in [old for old in stored if old.topic == row.topic]:
                    stored.remove(old)
                    size -= old.size
                    self.doomed[old.number] = ("superseded", 0)
            over = size + row.size - self._max_bytes
            if over > 0 and policy != DROP_NEWEST:
                freed = self.doom(store.sizes(), "space", busy, over)
                size, over = size - freed, over - freed
                while over > 0 and stored:  # of the group itself
                    old = stored.pop(0)
                    size, over = size - old.size, over - old.size
                    self.doomed[old.number] = ("space", 0)
            if over > 0:
                self.doomed[row.number] = ("space", 0)
            else:
                stored.append(row)
                size += row.size
        return stored
