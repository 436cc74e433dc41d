"""Which results have come: what a subscriber needs to drop repeats, and to confirm what it has."""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from pathlib import Path
from typing import Any

from edge_sdk.errors import PublishError

_EPOCHS = 256  # of a device, those that something new came of last; one may restart often
_RANGES = 1024  # of an epoch; the oldest gaps count as come


class Ranges:
    """A set of numbers as sorted ranges: results come nearly in order, so that there are few."""

    def __init__(self, ranges: list[list[int]] | None = None) -> None:
        self._first = [a for a, _ in ranges or []]
        self._last = [b for _, b in ranges or []]

    def __contains__(self, n: int) -> bool:
        i = bisect_right(self._first, n) - 1
        return i >= 0 and n <= self._last[i]

    def add(self, n: int) -> bool:
        """Whether the number is new."""
        i = bisect_right(self._first, n) - 1
        if i >= 0 and n <= self._last[i]:
            return False
        joins_left = i >= 0 and self._last[i] == n - 1
        joins_right = i + 1 < len(self._first) and self._first[i + 1] == n + 1
        if joins_left and joins_right:
            self._last[i] = self._last.pop(i + 1)
            del self._first[i + 1]
        elif joins_left:
            self._last[i] = n
        elif joins_right:
            self._first[i + 1] = n
        else:
            self._first.insert(i + 1, n)
            self._last.insert(i + 1, n)
            if len(self._first) > _RANGES:
                self._last[0] = self._last.pop(1)
                del self._first[1]
        return True

    def __iter__(self) -> Any:
        return iter([list(pair) for pair in zip(self._first, self._last)])


class Seen:
    """The `_id`s that have come, over devices and epochs; kept in a file where one is given."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._path = Path(path) if path is not None else None
        self._ranges: dict[str, dict[int, Ranges]] = {}
        if self._path is None or not self._path.exists():
            return
        try:
            for device, epochs in json.loads(self._path.read_bytes()).items():
                self._ranges[device] = {int(epoch): Ranges(ranges) for epoch, ranges in epochs.items()}
        except (OSError, ValueError, TypeError, AttributeError) as problem:
            raise PublishError(f"{self._path} is no state of a subscriber: {problem}; remove it") from problem

    def add(self, device: str, epoch: int, sequence: int) -> bool:
        """Whether the result is new."""
        epochs = self._ranges.setdefault(device, {})
        if next(reversed(epochs), None) != epoch:  # numbers of epochs say nothing of their order
            epochs[epoch] = epochs.pop(epoch, Ranges())
            for old in list(epochs)[:-_EPOCHS]:
                del epochs[old]
        return epochs[epoch].add(sequence)

    def has(self, device: str, epoch: int, sequence: int) -> bool:
        ranges = self._ranges.get(device, {}).get(epoch)
        return ranges is not None and sequence in ranges

    def ranges(self, device: str, epoch: int) -> list[list[int]]:
        return list(self._ranges.get(device, {}).get(epoch, ()))

    def save(self) -> None:
        """Writes the file, whole or not at all."""
        if self._path is None:
            return
        state = {d: {str(e): list(r) for e, r in epochs.items()} for d, epochs in self._ranges.items()}
        new = self._path.with_name(self._path.name + ".new")
        try:
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(state, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, self._path)
        except OSError as problem:
            raise PublishError(f"cannot write {self._path}: {problem.strerror}") from problem


def parse_id(text: object) -> tuple[str, int, int] | None:
    """Device, epoch (in hexadecimal) and sequence of an `_id`; None for anything else."""
    if not isinstance(text, str):
        return None
    device, _, rest = text.rpartition("/")
    device, _, epoch = device.rpartition("/")
    try:
        found = device, int(epoch, 16), int(rest)
    except ValueError:
        return None
    return found if device and found[2] >= 0 else None
