"""The folder of an outbox: one process at a time, a ballast for full disks, and a tally for damaged files."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from edge_sdk.errors import PublishError

_BALLAST_BYTES = 1 << 20


@dataclass(frozen=True)
class Tally:
    """What the database holds, written beside it: for when it is damaged."""

    waiting: int = 0
    epoch: int = 0  # 0: not known
    passed: int = -1  # up to this number all results have arrived or were dropped
    dropped: Mapping[str, int] = field(default_factory=dict)


class Folder:
    """Made if need be, for the user alone, and held until `close`."""

    def __init__(self, path: Path) -> None:
        """`PublishError` if it cannot be made, or another process holds it."""
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync(path.parent)  # the database syncs the folder itself
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise PublishError(f"outbox {path}: {problem.strerror}") from problem
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise PublishError(
                f"outbox {path}: another process uses it; give each publisher a folder of its own"
            ) from None

    def close(self) -> None:
        os.close(self._lock)

    def keep_ballast(self) -> None:
        """A file of zeros that is given up when the disk is full: erasing, too, needs space."""
        path = self.path / "ballast"
        with contextlib.suppress(OSError):
            if path.exists() and path.stat().st_size == _BALLAST_BYTES:
                return
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(bytes(_BALLAST_BYTES))

    def drop_ballast(self) -> None:
        with contextlib.suppress(OSError):
            (self.path / "ballast").unlink()

    def has_room(self) -> bool:
        """Whether the disk takes the ballast again, and a group of results beside it."""
        try:
            found = os.statvfs(self.path)
        except OSError:
            return False
        return found.f_bavail * found.f_frsize > 2 * _BALLAST_BYTES

    def write_tally(self, tally: Tally, safe: bool = False) -> None:
        """Without a sync, unless it is to be `safe`: it outlives the process, not always the power."""
        text = json.dumps(asdict(tally))
        with contextlib.suppress(OSError):
            file = os.open(self.path / "tally", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(file, text.encode().ljust(512), 0)
                if safe:
                    os.fsync(file)
            finally:
                os.close(file)

    def read_tally(self) -> Tally:
        """Nothing, where there is none or it is damaged too."""
        try:
            found = json.loads((self.path / "tally").read_bytes())
            dropped = {str(reason): int(count) for reason, count in found["dropped"].items()}
            return Tally(int(found["waiting"]), int(found["epoch"]), int(found["passed"]), dropped)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Tally()


def sync(folder: Path) -> None:
    """What was made in it outlives the power."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
