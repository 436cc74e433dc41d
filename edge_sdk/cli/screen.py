"""What commands put on the screen: tables, JSON, and progress on a terminal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

_RIGHT = (int, float)
_REDRAW_S = 0.1


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns aligned, numbers to the right."""
    body = [list(row) for row in rows]
    cells = [list(header), *([_cell(value) for value in row] for row in body)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    right = [bool(body) and all(isinstance(row[i], _RIGHT) for row in body) for i in range(len(header))]
    lines = [
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right)).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)


def emit_json(value: Any) -> None:
    """One line of JSON on stdout."""
    print(json.dumps(value, ensure_ascii=False))


class Progress:
    """A bar on stderr while something goes on, where stderr is a terminal; nothing elsewhere."""

    def __init__(self, what: str, total: int | None = None, stream: TextIO | None = None) -> None:
        self._what, self._total = what, total
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._start = time.monotonic()
        self._drawn = float("-inf")
        self._done = 0

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if not self._shown or (now - self._drawn < _REDRAW_S and done != self._total):
            return
        self._drawn = now
        rate = done / (now - self._start) if now > self._start else 0.0
        if self._total:
            filled = 30 * done // self._total
            bar = f"[{'#' * filled}{'.' * (30 - filled)}] {done}/{self._total}"
        else:
            bar = str(done)
        self._stream.write(f"\r{self._what} {bar}  {rate:.1f}/s\x1b[K")
        self._stream.flush()

    def tick(self, *_: object) -> None:
        """One more is done; takes whatever a callback is given."""
        self._done += 1
        self(self._done)

    def close(self) -> None:
        """Wipes the bar."""
        if self._shown and self._drawn > 0:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
