"""The file of an outbox: results that wait, in SQLite, safe from power cuts (WAL, synchronous=FULL)."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from edge_sdk.publish.clock import Stamp

FORMAT = 1  # whatever comes later, the table `meta` stays as it is, so that this can be read
FILE = "outbox.db"
_DROPPED = "dropped "  # and a reason
_ROW = 96  # bytes of a row beside its payload, about

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value, check_sum INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE results (
  number INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL,
  boot TEXT NOT NULL, since_boot_ns INTEGER NOT NULL, wall_ns INTEGER, check_sum INTEGER NOT NULL);
"""


Size = tuple[int, int, Stamp]  # of a row: number, bytes and time


@dataclass(frozen=True)
class Row:
    """One result that waits. Numbers count up: an epoch (a life of the outbox) times 2^32, and a sequence."""

    number: int
    topic: str
    payload: bytes
    at: Stamp

    @property
    def size(self) -> int:
        return len(self.payload) + _ROW

    def check_sum(self) -> int:
        """Of all that never changes."""
        head = f"{self.number} {self.topic} {self.at.boot} {self.at.since_boot_ns}"
        return zlib.crc32(self.payload, zlib.crc32(head.encode("utf-8")))


class Damaged(Exception):
    """The file is no intact database."""


class Full(Exception):
    """There is no space for more, or the file may not be written."""


class Store:
    """The database of one folder. One thread at a time."""

    def __init__(self, folder: Path, most_bytes: int = 0, name: str = FILE, *, write: bool = True) -> None:
        """Opens or makes it; `Damaged` if it is not intact, `Full` if it cannot be written.

        Without `write` it is another pair of eyes on a store that is open already, or that nobody uses.
        """
        self.path = folder / name
        if write:
            with as_ours():
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        with as_ours():
            mode = "rw" if write else "ro"
            self._db = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode={mode}", 5.0, uri=True, isolation_level=None,
                check_same_thread=False,
            )  # fmt: skip
        try:
            with as_ours():
                if write:
                    self._db.execute("PRAGMA journal_mode=WAL")
                    self._db.execute("PRAGMA synchronous=FULL")
                    # Debian's SQLite writes zeros over what is erased, which doubles the wear.
                    self._db.execute("PRAGMA secure_delete=OFF")
                    self._db.execute("PRAGMA wal_autocheckpoint=1000")  # pages
                    self._db.execute(f"PRAGMA journal_size_limit={8 << 20}")
                    self._db.execute("PRAGMA busy_timeout=5000")
                    if not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                        self._db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}")
                        self._set("format", FORMAT)
                        self._db.execute("COMMIT")
                    # Twice what may wait, since freed pages are used again but not given back.
                    self._db.execute(f"PRAGMA max_page_count={2 * most_bytes // 4096 + 1024}")
                    (verdict,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
                    if verdict != "ok":
                        raise Damaged(str(verdict))
                self._meta = self._read_meta()
                self.format = int(str(self.get("format") or 0))
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        self._db.close()

    def get(self, key: str) -> object:
        return self._meta.get(key)

    def set(self, key: str, value: object) -> None:
        with as_ours():
            self._set(key, value)

    def _set(self, key: str, value: object) -> None:
        row = key, value, _check_sum(key, value)
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", row)

    def _read_meta(self) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value, check_sum in self._db.execute("SELECT * FROM meta"):
            if _check_sum(key, value) != check_sum:
                raise Damaged(f"{key!r} is {value!r}")
            found[key] = value
        return found

    def totals(self) -> tuple[int, int, int]:
        """How many wait, their bytes, and the highest number that waits."""
        with as_ours():
            count, size, last = self._db.execute(
                "SELECT count(*), coalesce(sum(length(payload)), 0), coalesce(max(number), 0) FROM results"
            ).fetchone()
        return count, size + count * _ROW, last

    def dropped(self) -> dict[str, int]:
        """How many accepted results were dropped, by reason."""
        with as_ours():
            counts = self._read_meta().items()
        return {key[len(_DROPPED) :]: int(str(n)) for key, n in counts if key.startswith(_DROPPED)}

    def write(self, new: Sequence[Row], gone: Iterable[int], dropped: Mapping[str, int]) -> int:
        """In one transaction, safe on return: adds `new`, erases `gone`, sets the counts of `dropped`.

        How many rows were erased.
        """
        with as_ours():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                erased = self._erase(gone)
                for reason, count in dropped.items():
                    self._set(_DROPPED + reason, count)
                self._db.executemany(
                    "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [(r.number, r.topic, r.payload, *astuple(r.at), r.check_sum()) for r in new],
                )
                self._db.execute("COMMIT")
                return erased
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise

    def _erase(self, numbers: Iterable[int]) -> int:
        found = self._db.executemany("DELETE FROM results WHERE number = ?", [(n,) for n in numbers])
        return max(0, found.rowcount)

    def read(self, after: int, most: int) -> tuple[list[Row], list[int]]:
        """The next rows behind a number; of those that are not as they were written, the numbers alone."""
        rows, bad = [], []
        with as_ours():
            for fields in self._db.execute(
                "SELECT * FROM results WHERE number > ? ORDER BY number LIMIT ?", (after, most)
            ):
                row = checked(fields)
                if row is None:
                    bad.append(int(fields[0]))
                else:
                    rows.append(row)
        return rows, bad

    def sizes(self, topic: str | None = None) -> Iterator[Size]:
        """Number, bytes and time of the rows of one topic or all, oldest first."""
        with as_ours():
            for number, size, *at in self._db.execute(
                "SELECT number, length(payload), boot, since_boot_ns, wall_ns FROM results"
                " WHERE ?1 IS NULL OR topic = ?1 ORDER BY number",
                (topic,),
            ):
                yield number, size + _ROW, Stamp(*at)

    def fill_in_times(self, now: Stamp) -> None:
        """Gives results of this boot that came before the clock was synchronized their wall time."""
        if now.wall_ns is not None:
            with as_ours():
                self._db.execute(
                    "UPDATE results SET wall_ns = since_boot_ns + ? WHERE boot = ? AND wall_ns IS NULL",
                    (now.wall_ns - now.since_boot_ns, now.boot),
                )


def _check_sum(key: object, value: object) -> int:
    return zlib.crc32(f"{key} {value!r}".encode("utf-8", "replace"))


def checked(fields: Sequence[Any]) -> Row | None:
    """A row of the table, if it is as it was written."""
    number, topic, payload, boot, since, wall, check_sum = fields
    if not (isinstance(number, int) and isinstance(topic, str) and isinstance(payload, bytes)):
        return None
    if not (isinstance(boot, str) and isinstance(since, int) and (wall is None or isinstance(wall, int))):
        return None
    row = Row(number, topic, payload, Stamp(boot, since, wall))
    return row if row.check_sum() == check_sum else None


@contextlib.contextmanager
def as_ours() -> Iterator[None]:
    """SQLite's and the system's errors as `Full` or `Damaged`."""
    try:
        yield
    except sqlite3.Error as problem:
        text = str(problem)
        if any(word in text for word in ("full", "readonly", "disk I/O", "unable to open", "locked", "busy")):
            raise Full(text) from problem
        raise Damaged(text) from problem
    except OSError as problem:
        raise Full(f"{problem.strerror}: {problem.filename}") from problem
