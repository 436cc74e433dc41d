"""Results as lines of a JSON Lines file (https://jsonlines.org)."""

from __future__ import annotations

import contextlib
import os

from edge_sdk.errors import PublishError
from edge_sdk.publish.base import DirectPublisher


class JsonlPublisher(DirectPublisher):
    """Appends to a file, each line handed to the system before `send` returns (it is not synced to disk)."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Creates the file if need be; `PublishError` if it cannot be written."""
        self._path = os.fspath(path)
        try:
            self._file = open(self._path, "a+b", buffering=0)  # noqa: SIM115
            if self._file.seek(0, os.SEEK_END):
                self._file.seek(-1, os.SEEK_END)
                if self._file.read(1) != b"\n":  # a writer before us died within a line
                    self._file.write(b"\n")
        except OSError as problem:
            raise PublishError(f"cannot write results to {self._path}: {problem.strerror}") from problem

    def _write(self, line: bytes) -> None:
        data = line + b"\n"
        size = self._file.seek(0, os.SEEK_END)
        try:
            written = self._file.write(data)
            if written != len(data):
                raise OSError(None, f"{written} of {len(data)} bytes fit")
        except OSError as problem:
            with contextlib.suppress(OSError):
                self._file.truncate(size)  # no half line stays behind on a full disk
            raise PublishError(f"cannot write results to {self._path}: {problem.strerror}") from problem

    def close(self) -> None:
        super().close()
        self._file.close()
