"""Only what was synced outlives a power cut: at every sync, that is enough."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from edge_sdk.publish.outbox import Outbox

from . import shim
from .harness import ROOT

WORKLOAD = Path(__file__).with_name("workload.py")


def recorded(tmp_path: Path, *arguments: int) -> bytes:
    log = tmp_path / "log"
    folder = tmp_path / "outbox"
    env = shim.environment(shim.build(tmp_path), folder, FAULTS_LOG=log, PYTHONPATH=ROOT)
    subprocess.run([sys.executable, str(WORKLOAD), str(folder), *map(str, arguments)], check=True, env=env)
    return log.read_bytes()


def numbers(marks: list[str], kind: str) -> set[int]:
    return {int(mark.partition(":")[2]) for mark in marks if mark.startswith(kind)}


def waiting(folder: Path) -> set[int]:
    """What an outbox opened there holds; opening must neither fail nor find damage."""
    outbox = Outbox(folder, device="d")
    try:
        assert outbox.dropped == {}
        found = set()
        while (row := outbox.take(1 << 30)) is not None:
            found.add(row.number)
        assert len(found) == len(outbox)
        return found
    finally:
        outbox.close()


@pytest.mark.parametrize(
    ("count", "size"),
    # The second writes more than SQLite's log holds, so that it is copied into the database, again and again.
    [(200, 600), pytest.param(3000, 3000, marks=pytest.mark.full)],
)
def test_what_was_synced_holds_all_that_was_accepted(tmp_path: Path, count: int, size: int) -> None:
    log = recorded(tmp_path, count, size)
    checked = accepted = 0
    for checked, moment in enumerate(shim.moments(log), 1):
        folder = tmp_path / f"cut-{checked}"
        moment.restore(folder)
        owed = numbers(moment.marks, "accepted") - numbers(moment.marks, "arrived")
        lost = owed - waiting(folder)
        assert not lost, f"{len(lost)} lost after sync {checked}: {sorted(lost)[:10]}"
        with sqlite3.connect(folder / "outbox.db") as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()
        accepted = len(numbers(moment.marks, "accepted"))
        for file in folder.iterdir():
            file.unlink()
    print(f"{checked} syncs, {accepted} accepted, 0 lost")
    assert checked >= 2 * count // 40
    assert accepted >= 2 * count - 40
