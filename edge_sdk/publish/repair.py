"""A damaged database of an outbox: what can be read of it goes into a new one, which takes its place."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from edge_sdk.publish.folder import sync
from edge_sdk.publish.store import FILE, Row, Store, as_ours, checked

_NEW = f"{FILE}.new"
_ENDS = ("", "-wal", "-shm")


def salvage(folder: Path) -> dict[int, Row]:
    """The results that can be read, by number."""
    found: dict[int, Row] = {}
    # From both ends, by a connection each: one that met damage may refuse the rest.
    for direction in ("ASC", "DESC"):
        with contextlib.suppress(sqlite3.Error):
            db = sqlite3.connect(f"{(folder / FILE).absolute().as_uri()}?mode=ro", uri=True)
            with contextlib.closing(db):
                for fields in db.execute(f"SELECT * FROM results ORDER BY number {direction}"):
                    row = checked(fields)
                    if row is not None:
                        found[row.number] = row
    return found


def replace(folder: Path, most_bytes: int, rows: Mapping[int, Row], dropped: Mapping[str, int]) -> Path:
    """Sets the damaged file aside, for a new one with these results and counts; where the old one is now.

    The new file is whole before the old one goes: a crash loses nothing. Only the latest damaged one is kept.
    """
    for end in _ENDS:
        with contextlib.suppress(FileNotFoundError):
            (folder / f"{_NEW}{end}").unlink()
    fresh = Store(folder, most_bytes, _NEW)
    try:
        fresh.write([rows[n] for n in sorted(rows)], (), dropped)
    finally:
        fresh.close()
    aside = folder / f"{FILE}.damaged"
    with as_ours():
        for old in folder.glob(f"{aside.name}*"):
            old.unlink()
        for end in _ENDS:
            with contextlib.suppress(FileNotFoundError):
                (folder / f"{FILE}{end}").rename(f"{aside}{end}")
        (folder / _NEW).rename(folder / FILE)
        sync(folder)
    return aside


def finish(folder: Path) -> None:
    """Goes on where a crash has cut `replace` short: if the old file is gone, the new one is whole."""
    if (folder / _NEW).exists() and not (folder / FILE).exists():
        with as_ours():
            (folder / _NEW).rename(folder / FILE)
