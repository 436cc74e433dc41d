"""A disk that is full, read-only or lies: every result is accounted for, and all goes on by itself."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_sdk.errors import PublishError
from edge_sdk.publish.outbox import Outbox

from . import shim
from .harness import PATIENCE_S, ROOT

TOPIC = "edge/results"
SIZE = 600


def line(number: int) -> bytes:
    return (b"%d " % number) * (SIZE // 11)


class Books:
    """What was accepted, refused and delivered; `balanced` when nothing is missing."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.folder, self._options = folder, options
        self.accepted: set[int] = set()
        self.delivered: set[int] = set()
        self.refused = 0
        self._next = 0
        self.open()

    def open(self) -> None:
        self.outbox = Outbox(self.folder, device="d", **self._options)  # type: ignore[arg-type]
        self._next = self.outbox.epoch << 32

    def put(self, count: int) -> None:
        numbers = range(self._next, self._next + count)
        self._next += count
        assert not self.accepted & set(numbers), "numbers are used again"
        for number, future in [(n, self.outbox.put(n, TOPIC, line(n))) for n in numbers]:
            try:
                future.result(PATIENCE_S)
                self.accepted.add(number)
            except PublishError:
                self.refused += 1

    def deliver(self, most: int) -> None:
        for _ in range(most):
            row = self.outbox.take(1 << 30)
            if row is None:
                return
            assert row.payload == line(row.number), "a damaged result was delivered"
            self.delivered.add(row.number)
            self.outbox.acknowledge(row.number)

    def drain(self) -> None:
        """Delivers all that is left."""
        end = time.monotonic() + PATIENCE_S
        while len(self.outbox) and time.monotonic() < end:
            self.deliver(1000)
            self.outbox.wait(0.05)
        assert len(self.outbox) == 0, f"{len(self.outbox)} results are stuck: {self.outbox.problem}"

    def assert_balanced(self) -> None:
        assert self.delivered <= self.accepted
        dropped = sum(self.outbox.dropped.values())
        assert len(self.accepted) == len(self.delivered) + dropped, (
            f"{len(self.accepted)} accepted, {len(self.delivered)} delivered, dropped: {self.outbox.dropped}"
        )

    def assert_works(self) -> None:
        before, refused = len(self.accepted), self.refused
        self.put(50)
        assert (len(self.accepted), self.refused) == (before + 50, refused), self.outbox.problem


def damage(folder: Path, rng: random.Random) -> str:
    """Something that a worn card does; what it was."""
    files = [f for f in (folder / "outbox.db", folder / "outbox.db-wal") if f.exists() and f.stat().st_size]
    file = rng.choice(files)
    size = file.stat().st_size
    kind = rng.choice(("bytes", "bytes", "bytes", "zeros", "page", "cut", "head"))
    with open(file, "r+b") as f:
        if kind == "cut":
            at = rng.randrange(size)
            f.truncate(at)
        else:
            at = 0 if kind == "head" else rng.randrange(size)
            length = {"bytes": rng.randrange(1, 64), "zeros": 512, "page": 4096, "head": 100}[kind]
            f.seek(at - at % 4096 if kind == "page" else at)
            f.write(bytes(length) if kind == "zeros" else rng.randbytes(length))
    return f"{kind} at {at} of {size} in {file.name}"


PLACES = [n if n < 6 else pytest.param(n, marks=pytest.mark.full) for n in range(50)]


@pytest.mark.parametrize("seed", PLACES)
def test_a_database_damaged_while_it_is_used_is_replaced(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    books = Books(tmp_path / "outbox")
    books.put(rng.randrange(50, 1500))
    books.deliver(rng.randrange(400))
    what = damage(tmp_path / "outbox", rng)
    books.put(100)
    books.deliver(100)
    books.outbox.give_back()
    books.drain()
    books.assert_works()
    books.drain()
    print(what, books.outbox.dropped)
    books.assert_balanced()
    books.outbox.close()


@pytest.mark.parametrize("seed", PLACES)
def test_a_database_damaged_between_two_lives_is_replaced(tmp_path: Path, seed: int) -> None:
    rng = random.Random(1000 + seed)
    books = Books(tmp_path / "outbox")
    books.put(rng.randrange(50, 1500))
    books.deliver(rng.randrange(400))
    books.outbox.close()
    what = damage(tmp_path / "outbox", rng)
    books.open()
    books.assert_works()
    books.drain()
    print(what, books.outbox.dropped)
    books.assert_balanced()
    books.outbox.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "faults", str(place)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"not run for want of the right to mount: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> None:
    with open(disk / "filler", "ab", buffering=0) as file:
        for chunk in (1 << 16, 4096, 1):
            try:
                while file.write(bytes(chunk)):
                    pass
            except OSError:
                pass


def test_a_full_disk_refuses_and_goes_on_when_there_is_space(small_disk: Path) -> None:
    books = Books(small_disk / "outbox")
    books.put(500)
    fill(small_disk)
    for _ in range(20):
        books.put(500)  # the log may have some space of its own
    assert books.refused, "the disk was not full"
    assert books.outbox.problem is not None
    fill(small_disk)  # what the ballast gave
    books.deliver(700)
    books.put(10)
    (small_disk / "filler").unlink()
    books.assert_works()
    books.drain()
    books.assert_balanced()
    books.outbox.close()
    books.open()
    assert len(books.outbox) == 0
    books.assert_works()
    books.drain()
    books.assert_balanced()
    books.outbox.close()


def test_a_full_disk_delivers_and_closes(small_disk: Path) -> None:
    """What waits gets out, also where erasing it fails: then it comes again in the next life."""
    books = Books(small_disk / "outbox")
    books.put(300)
    fill(small_disk)
    for _ in range(20):
        books.put(500)
    (small_disk / "outbox" / "ballast").unlink(missing_ok=True)
    fill(small_disk)
    books.deliver(1 << 20)
    assert books.delivered == books.accepted
    closer = threading.Thread(target=books.outbox.close, daemon=True)
    closer.start()
    closer.join(PATIENCE_S)
    assert not closer.is_alive(), "close hangs"
    (small_disk / "filler").unlink()
    books.open()
    books.assert_works()
    books.drain()
    books.assert_balanced()
    books.outbox.close()


def test_a_folder_that_is_read_only_is_one_error(small_disk: Path) -> None:
    books = Books(small_disk / "outbox")
    books.put(100)
    books.outbox.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(PublishError, match=r"cannot be written|Read-only"):
        books.open()
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    books.open()
    books.drain()
    books.assert_balanced()
    books.outbox.close()


ERRORS = {"ENOSPC": 28, "EROFS": 30, "EIO": 5, "EDQUOT": 122}
CHILD = f"""
import sys, time, os
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from pathlib import Path
from faults.test_disk import Books
folder, error, number = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
books = Books(folder)
books.put(200)
error.write_text(number)
books.put(200)
assert (books.refused, len(books.accepted)) == (200, 200), (books.refused, len(books.accepted))
books.deliver(150)
books.put(50)
start = time.process_time()
time.sleep(1.5)
busy = time.process_time() - start
assert busy < 0.5, f"it spins: {{busy:.2f}} s of CPU in 1.5 s"
error.unlink()
end = time.monotonic() + 60
while books.outbox.problem is not None and time.monotonic() < end:
    books.put(1)
books.assert_works()
books.drain()
books.assert_balanced()
books.outbox.close()
error.write_text(number)
"""


@pytest.mark.parametrize(
    "error", [e if e == "EROFS" else pytest.param(e, marks=pytest.mark.full) for e in ERRORS]
)
def test_a_disk_that_fails_for_a_while_loses_nothing(tmp_path: Path, error: str) -> None:
    """Every write fails, as on a file system that went read-only after an error; then all is well again."""
    folder, switch = tmp_path / "outbox", tmp_path / "error"
    env = shim.environment(shim.build(tmp_path), folder, FAULTS_ERROR=switch, PYTHONPATH=ROOT)
    arguments = [sys.executable, "-c", CHILD, str(folder), str(switch), str(ERRORS[error])]
    done = subprocess.run(arguments, env=env, capture_output=True, text=True, timeout=2 * PATIENCE_S)
    assert done.returncode == 0, done.stderr
    assert os.path.exists(folder / "outbox.db")
