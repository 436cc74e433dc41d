"""Results kept in a list: for tests, and for programs that want them themselves."""

from __future__ import annotations

import json
from typing import Any

from edge_sdk.errors import PublishError
from edge_sdk.publish.base import DirectPublisher


class MemoryPublisher(DirectPublisher):
    """`sent` holds what a subscriber would have received, in order."""

    def __init__(self, target: str = "") -> None:
        """`target` is what follows `memory:`, nothing."""
        if target:
            raise PublishError(f"memory: takes no target, got {target!r}")
        self.sent: list[dict[str, Any]] = []

    def _write(self, line: bytes) -> None:
        self.sent.append(json.loads(line))
