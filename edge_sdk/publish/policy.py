"""What an outbox drops when it is full, topic by topic."""

from __future__ import annotations

from collections.abc import Mapping

from paho.mqtt.client import topic_matches_sub

from edge_sdk.errors import PublishError

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
