"""Results as JSON lines on a stream: the one place of the library that writes to standard output."""

from __future__ import annotations

import sys
from typing import TextIO

from edge_sdk.errors import PublishError
from edge_sdk.publish.base import DirectPublisher


class StdoutPublisher(DirectPublisher):
    """Writes each result as a line and flushes it, so that a pipe's reader sees it at once."""

    def __init__(self, target: str = "", *, stream: TextIO | None = None) -> None:
        """`stream` None is `sys.stdout`. `target` is what follows `stdout`, nothing."""
        if target:
            raise PublishError(f"stdout takes no target, got {target!r}")
        self._stream = sys.stdout if stream is None else stream

    def _write(self, line: bytes) -> None:
        try:
            self._stream.write(line.decode("utf-8") + "\n")
            self._stream.flush()
        except (OSError, ValueError) as problem:  # ValueError: the stream is closed, or not UTF-8
            raise PublishError(f"cannot write to the output stream: {problem}") from problem
