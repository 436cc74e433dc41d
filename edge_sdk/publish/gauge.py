"""How fast results come and how old they are: what `Health` says of the pipeline."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from edge_sdk.publish.reading import latency_ms

_WINDOW_S = 10.0
_MAX_RESULTS = 1000  # of a window


class Gauge:
    """Looks at each result that is sent. The caller keeps threads apart."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float | None]] = deque(maxlen=_MAX_RESULTS)  # when, latency

    def see(self, payload: Mapping[str, Any]) -> None:
        self._seen.append((time.monotonic(), latency_ms(payload)))

    def figures(self) -> tuple[float | None, float | None]:
        """Results per second and their mean latency in ms, lately; None before the second result."""
        if len(self._seen) < 2:
            return None, None
        end = time.monotonic()
        recent = [entry for entry in self._seen if entry[0] > end - _WINDOW_S]
        latencies = [latency for _, latency in recent if latency is not None]
        since = end - recent[0][0] if recent else 0.0
        return (len(recent) / since if since else 0.0), (fmean(latencies) if latencies else None)
