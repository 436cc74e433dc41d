"""The file of an outbox: results that wait, in SQLite, safe from power cuts (WAL, synchronous=FULL)."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from edge_sdk.publish.clock import Stamp

FORMAT = 1
FILE = "outbox.db"
NEW = "outbox.db.new"
_ENDS = ("", "-wal", "-shm")
_ROW = 96  # bytes of a row beside its payload, about
_BALLAST = "ballast"
BALLAST_BYTES = 1 << 20

_SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE dropped (reason TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE results (
  number INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL,
  boot TEXT NOT NULL, since_boot_ns INTEGER NOT NULL, wall_ns INTEGER, check_sum INTEGER NOT NULL);
INSERT INTO meta VALUES ('format', {FORMAT});
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
        self.path, self._folder = folder / name, folder
        if write:
            with _as_ours():
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        with _as_ours():
            mode = "rw" if write else "ro"
            self._db = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode={mode}", 5.0, uri=True, isolation_level=None,
                check_same_thread=False,
            )  # fmt: skip
        try:
            with _as_ours():
                if write:
                    self._db.execute("PRAGMA journal_mode=WAL")
                    self._db.execute("PRAGMA synchronous=FULL")
                    self._db.execute("PRAGMA wal_autocheckpoint=500")  # pages
                    self._db.execute(f"PRAGMA journal_size_limit={4 << 20}")
                    self._db.execute("PRAGMA busy_timeout=5000")
                    if not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                        self._db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
                    # Twice what may wait, since freed pages are used again but not given back.
                    self._db.execute(f"PRAGMA max_page_count={2 * most_bytes // 4096 + 1024}")
                self.format = int(str(self.get("format") or 0))
                if write and self.format <= FORMAT:
                    (verdict,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
                    if verdict != "ok":
                        raise Damaged(str(verdict))
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        self._db.close()

    def get(self, key: str) -> object:
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def set(self, key: str, value: object) -> None:
        with _as_ours():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def totals(self) -> tuple[int, int, int]:
        """How many wait, their bytes, and the highest number that waits."""
        with _as_ours():
            count, size, last = self._db.execute(
                "SELECT count(*), coalesce(sum(length(payload)), 0), coalesce(max(number), 0) FROM results"
            ).fetchone()
        return count, size + count * _ROW, last

    def dropped(self) -> dict[str, int]:
        """How many accepted results were dropped, by reason."""
        with _as_ours():
            return dict(self._db.execute("SELECT reason, count FROM dropped ORDER BY reason"))

    def add_dropped(self, reason: str, count: int) -> None:
        with _as_ours():
            self._db.execute(
                "INSERT INTO dropped VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
                (reason, count),
            )

    def write(self, new: Sequence[Row], gone: Iterable[int], dropped: Mapping[str, Sequence[int]]) -> int:
        """In one transaction, which is safe on return: adds `new`, erases `gone` and, counted, `dropped`.

        How many rows were erased.
        """
        with _as_ours():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                erased = self._erase(gone)
                for reason, numbers in dropped.items():
                    erased += self._erase(numbers)
                    self.add_dropped(reason, len(numbers))
                self._db.executemany(
                    "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?)",
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
        with _as_ours():
            for *fields, check_sum in self._db.execute(
                "SELECT * FROM results WHERE number > ? ORDER BY number LIMIT ?", (after, most)
            ):
                row = _row(fields)
                if row is None or row.check_sum() != check_sum:
                    bad.append(fields[0])
                else:
                    rows.append(row)
        return rows, bad

    def sizes(self, topic: str | None = None) -> Iterator[Size]:
        """Number, bytes and time of the rows of one topic or all, oldest first."""
        with _as_ours():
            for number, size, *at in self._db.execute(
                "SELECT number, length(payload), boot, since_boot_ns, wall_ns FROM results"
                " WHERE ?1 IS NULL OR topic = ?1 ORDER BY number",
                (topic,),
            ):
                yield number, size + _ROW, Stamp(*at)

    def fill_in_times(self, now: Stamp) -> None:
        """Gives results of this boot that came before the clock was synchronized their wall time."""
        if now.wall_ns is not None:
            with _as_ours():
                self._db.execute(
                    "UPDATE results SET wall_ns = since_boot_ns + ? WHERE boot = ? AND wall_ns IS NULL",
                    (now.wall_ns - now.since_boot_ns, now.boot),
                )

    # A file of zeros that is given up when the disk is full: erasing, too, needs space.
    def keep_ballast(self) -> None:
        path = self._folder / _BALLAST
        with contextlib.suppress(OSError):
            if path.exists() and path.stat().st_size == BALLAST_BYTES:
                return
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(bytes(BALLAST_BYTES))

    def drop_ballast(self) -> None:
        with contextlib.suppress(OSError):
            (self._folder / _BALLAST).unlink()

    def has_room(self) -> bool:
        """Whether the disk takes the ballast again, and a group of results beside it."""
        try:
            found = os.statvfs(self._folder)
        except OSError:
            return False
        return found.f_bavail * found.f_frsize > 2 * BALLAST_BYTES


def _row(fields: list[object]) -> Row | None:
    number, topic, payload, boot, since, wall = fields
    if not (isinstance(number, int) and isinstance(topic, str) and isinstance(payload, bytes)):
        return None
    if not (isinstance(boot, str) and isinstance(since, int) and (wall is None or isinstance(wall, int))):
        return None
    return Row(number, topic, payload, Stamp(boot, since, wall))


def salvage(folder: Path) -> list[Row]:
    """What can be read of a damaged file, from both ends."""
    found: dict[int, Row] = {}
    for direction in ("ASC", "DESC"):
        # A connection each: one that met damage may refuse the rest.
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(
                sqlite3.connect(f"{(folder / FILE).absolute().as_uri()}?mode=ro", uri=True)
            ) as db,
        ):
            for *fields, check_sum in db.execute(f"SELECT * FROM results ORDER BY number {direction}"):
                row = _row(fields)
                if row is not None and row.check_sum() == check_sum:
                    found[row.number] = row
    return [found[n] for n in sorted(found)]


def sync_folder(folder: Path) -> None:
    """What was made in it outlives the power."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def discard_new(folder: Path) -> None:
    """What an earlier try to replace a damaged file has left."""
    for end in _ENDS:
        with contextlib.suppress(FileNotFoundError):
            (folder / f"{NEW}{end}").unlink()


def finish_replacing(folder: Path) -> None:
    """After a crash in the middle of `replace_by_new`: the new file is whole, or the old one is still there."""
    if (folder / NEW).exists() and not (folder / FILE).exists():
        with _as_ours():
            (folder / NEW).rename(folder / FILE)


def replace_by_new(folder: Path) -> Path:
    """Puts the closed file `NEW` in the place of a damaged one, which is set aside; where that is now."""
    number = 1
    while (aside := folder / f"{FILE}.damaged-{number}").exists():
        number += 1
    with _as_ours():
        for end in _ENDS:
            with contextlib.suppress(FileNotFoundError):
                (folder / f"{FILE}{end}").rename(f"{aside}{end}")
        (folder / NEW).rename(folder / FILE)
        sync_folder(folder)
    return aside


@contextlib.contextmanager
def _as_ours() -> Iterator[None]:
    """SQLite's and the system's errors as `Full`, `Damaged` or `PublishError`."""
    try:
        yield
    except sqlite3.Error as problem:
        text = str(problem)
        if any(word in text for word in ("full", "readonly", "disk I/O", "unable to open", "locked", "busy")):
            raise Full(text) from problem
        raise Damaged(text) from problem
    except OSError as problem:
        raise Full(f"{problem.strerror}: {problem.filename}") from problem
