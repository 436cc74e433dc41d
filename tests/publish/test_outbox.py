"""Results on disk: what is accepted outlives the process, bounds and drops are exact, damage is repaired."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.errors import PublishError
from edge_sdk.publish.clock import Stamp, age_s
from edge_sdk.publish.outbox import Outbox
from edge_sdk.publish.store import FILE, Damaged, Full, Store

TOPIC = "edge/results"
YEAR_NS = 365 * 24 * 3600 * 10**9


class HandClock:
    """A clock that stands still until it is set."""

    def __init__(self, boot: str = "one", since_boot_s: float = 100, wall_ns: int | None = None) -> None:
        self.boot, self.since_boot_s, self.wall = boot, since_boot_s, wall_ns

    def now(self) -> Stamp:
        return Stamp(self.boot, int(self.since_boot_s * 1e9), self.wall)


class Box:
    """An outbox with numbers counted, as a publisher counts them."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.outbox = Outbox(folder, device=options.pop("device", "pi"), **options)
        self.number = self.outbox.epoch << 32

    def put(self, *texts: str, topic: str = TOPIC) -> None:
        futures = []
        for text in texts:
            futures.append(self.outbox.put(self.number, topic, text.encode()))
            self.number += 1
        for future in futures:
            future.result(30)

    def take_all(self, acknowledge: bool = True) -> list[str]:
        texts = []
        while (row := self.outbox.take(10_000)) is not None:
            texts.append(row.payload.decode())
            if acknowledge:
                self.outbox.acknowledge(row.number)
        return texts

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *_: object) -> None:
        self.outbox.close()


def stored(folder: Path) -> list[str]:
    store = Store(folder, write=False)
    rows, bad = store.read(-1, 100_000)
    store.close()
    assert not bad
    return [row.payload.decode() for row in rows]


def test_what_was_put_is_there_when_the_future_is_done(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put("a", "b", "c")
        assert stored(tmp_path) == ["a", "b", "c"], "read through a connection of its own"
        assert len(box.outbox) == 3


def test_results_outlive_the_outbox_and_numbers_go_on(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put("a", "b", "c")
        first = box.outbox.take(10)
        assert first is not None
        box.outbox.acknowledge(first.number)
        epoch = box.outbox.epoch
    with Box(tmp_path) as box:
        assert box.outbox.epoch > epoch
        box.put("d")
        assert box.take_all() == ["b", "c", "d"]
        assert box.outbox.wait(30) == 0
    assert stored(tmp_path) == []


def test_what_is_given_back_comes_again_in_order_without_what_arrived(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put(*"abcdef")
        taken = [box.outbox.take(4) for _ in range(5)]
        assert [row.payload for row in taken if row] == [b"a", b"b", b"c", b"d"], (
            "the window lets four through"
        )
        assert taken[1] is not None
        box.outbox.acknowledge(taken[1].number)
        box.outbox.give_back()
        assert box.take_all() == ["a", "c", "d", "e", "f"]


def test_an_acknowledgement_of_what_was_not_taken_means_nothing(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put("a")
        box.outbox.acknowledge(box.number - 1)
        box.outbox.acknowledge(12345)
        assert len(box.outbox) == 1
        assert box.take_all() == ["a"]


def test_senders_at_once_lose_nothing_and_keep_their_order(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        lock = threading.Lock()

        def send(name: int) -> None:
            for i in range(50):
                with lock:
                    future = box.outbox.put(box.number, TOPIC, f"{name} {i}".encode())
                    box.number += 1
                future.result(30)

        threads = [threading.Thread(target=send, args=(name,)) for name in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        texts = box.take_all()
    assert len(texts) == 800
    for name in range(16):
        assert [t for t in texts if t.split()[0] == str(name)] == [f"{name} {i}" for i in range(50)]


def test_files_are_for_the_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "box"
    with Box(folder) as box:
        box.put("secret")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert {FILE, f"{FILE}-wal", "ballast", "lock", "tally"} <= set(modes)
        assert set(modes.values()) == {0o600}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


# What is dropped.

ROOM = 1 << 16
LINE = "x" * 1000  # with its row some 1.1 KB: 59 fit


def test_the_oldest_make_room_and_are_counted_over_restarts(tmp_path: Path) -> None:
    with Box(tmp_path, max_bytes=ROOM) as box:
        box.put(*(f"{i:03}{LINE}" for i in range(200)))
        kept = [text[:3] for text in stored(tmp_path)]
        dropped = box.outbox.dropped
        assert dropped == {"space": 200 - len(kept)}
        assert kept == [f"{i:03}" for i in range(200 - len(kept), 200)]
        assert 50 < len(kept) < 65
        assert box.outbox.size <= ROOM
    with Box(tmp_path, max_bytes=ROOM) as box:
        assert box.outbox.dropped == dropped
        box.put("last" + LINE)
        assert box.outbox.dropped == {"space": dropped["space"] + 1}


def test_what_is_under_way_is_not_dropped(tmp_path: Path) -> None:
    with Box(tmp_path, max_bytes=ROOM) as box:
        box.put(*(f"{i:03}{LINE}" for i in range(40)))
        taken = [box.outbox.take(20) for _ in range(20)]
        box.put(*(f"{i:03}{LINE}" for i in range(40, 120)))
        assert [row.number & 0xFFFFFFFF for row in taken if row] == list(range(20))
        kept = [text[:3] for text in stored(tmp_path)]
        assert kept[:20] == [f"{i:03}" for i in range(20)]
        assert len(kept) + box.outbox.dropped["space"] == 120
        box.outbox.give_back()
        assert [text[:3] for text in box.take_all()] == kept


def test_newest_are_dropped_where_the_policy_says_so(tmp_path: Path) -> None:
    with Box(tmp_path, max_bytes=ROOM, policy="drop-newest") as box:
        box.put(*(f"{i:03}{LINE}" for i in range(200)))
        kept = [text[:3] for text in stored(tmp_path)]
        assert kept == [f"{i:03}" for i in range(len(kept))]
        assert box.outbox.dropped == {"space": 200 - len(kept)}


def test_a_topic_of_states_keeps_its_latest(tmp_path: Path) -> None:
    with Box(tmp_path, policy={"edge/+/state": "keep-latest", "#": "drop-oldest"}) as box:
        box.put("a", "b", topic="edge/door/state")
        box.put("1", "2")
        box.put("c", topic="edge/door/state")
        box.put("d", topic="edge/gate/state")
        assert sorted(stored(tmp_path)) == ["1", "2", "c", "d"]
        assert box.outbox.dropped == {"superseded": 2}
        assert sorted(box.take_all()) == ["1", "2", "c", "d"]


@pytest.mark.parametrize("jump", [-10 * YEAR_NS, 10 * YEAR_NS])
def test_jumps_of_the_wall_clock_change_neither_order_nor_age(tmp_path: Path, jump: int) -> None:
    clock = HandClock(wall_ns=55 * YEAR_NS)
    with Box(tmp_path, clock=clock, max_age_s=60) as box:
        box.put("old")
        clock.since_boot_s += 50
        clock.wall = 55 * YEAR_NS + jump
        box.put("new")
        box.outbox._look_after()
        assert len(box.outbox) == 2
        clock.since_boot_s += 20
        box.outbox._look_after()
        box.put("newest")
        assert box.outbox.dropped == {"age": 1}
        assert box.take_all() == ["new", "newest"]


def test_ages_over_a_restart_of_the_machine() -> None:
    at = Stamp("one", 500 * 10**9, 55 * YEAR_NS)
    assert age_s(at, Stamp("one", 530 * 10**9, 99 * YEAR_NS)) == 30
    assert age_s(at, Stamp("two", 10 * 10**9, 55 * YEAR_NS + 100 * 10**9)) == 100
    assert age_s(at, Stamp("two", 10 * 10**9, None)) == 10, "it is at least as old as this boot"
    assert age_s(at, Stamp("two", 10 * 10**9, 45 * YEAR_NS)) == 10, "a clock that went back"


def test_times_are_filled_in_once_the_clock_is_right(tmp_path: Path) -> None:
    clock = HandClock(since_boot_s=100)
    with Box(tmp_path, clock=clock) as box:
        box.put("early")
        clock.since_boot_s, clock.wall = 160, 55 * YEAR_NS
        box.outbox._look_after()
        row = box.outbox.take(1)
        assert row is not None
        assert row.at == Stamp("one", 100 * 10**9, 55 * YEAR_NS - 60 * 10**9)


# What is refused.


def test_one_folder_serves_one_publisher(tmp_path: Path) -> None:
    with Box(tmp_path), pytest.raises(PublishError, match="another process uses it"):
        Box(tmp_path)
    with Box(tmp_path):  # closed: it is free again
        pass


def test_an_outbox_of_another_device_is_left_alone(tmp_path: Path) -> None:
    with Box(tmp_path, device="pi-1") as box:
        box.put("a")
    with pytest.raises(PublishError, match=r"'pi-1', this is 'pi-2'.*drain"):
        Box(tmp_path, device="pi-2")
    assert stored(tmp_path) == ["a"]


def test_a_newer_format_is_left_alone(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put("a")
    newer = Store(tmp_path)
    newer.set("format", 2)
    newer.close()
    with pytest.raises(PublishError, match=r"format 2, this one knows 1.*update"):
        Box(tmp_path)
    assert stored(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"policy": "drop"}, "drop-oldest, drop-newest, keep-latest"),
        ({"policy": {"#": "latest"}}, "'latest' is none of"),
        ({"max_bytes": 10}, "max_bytes"),
        ({"max_age_s": 0.0}, "max_age_s"),
    ],
)
def test_bad_options_are_named(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(PublishError, match=words):
        Box(tmp_path / "box", **options)
    assert not (tmp_path / "box").exists(), "nothing half applied"


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PublishError, match="file"):
        Box(tmp_path / "file" / "box")


def test_a_closed_outbox_takes_nothing(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        pass
    with pytest.raises(PublishError, match="closed"):
        box.put("a")
    box.outbox.close()


# What cannot be stored.


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """While it holds an exception, every write to the database fails with it."""
    why: list[Exception] = []
    write = Store.write

    def maybe(self: Store, *args: Any) -> int:
        if why:
            raise why[0]
        return write(self, *args)

    monkeypatch.setattr(Store, "write", maybe)
    return why


@pytest.mark.parametrize(
    "why", [Full("no space"), Damaged("bits fell"), RuntimeError("nobody thought of it")]
)
def test_what_cannot_be_stored_is_refused_and_what_was_accepted_stays(
    tmp_path: Path, failing: list[Exception], why: Exception
) -> None:
    with Box(tmp_path, max_bytes=ROOM) as box:
        box.put(*(f"{i:03}{LINE}" for i in range(50)))
        kept = stored(tmp_path)
        failing.append(why)
        for _ in range(3):
            with pytest.raises(PublishError, match="takes no results"):
                box.put("x" * 30000)
        assert box.outbox.refused == 3
        assert box.outbox.dropped == {}, "nothing made room for what was not stored"
        failing.clear()
        box.put("last")
        assert box.take_all() == [*kept, "last"]
        assert box.outbox.wait(30) == 0


def test_an_outbox_that_cannot_write_closes_and_keeps_what_it_had(
    tmp_path: Path, failing: list[Exception]
) -> None:
    with Box(tmp_path) as box:
        box.put(*"abc")
        failing.append(Full("no space"))
        assert box.take_all() == ["a", "b", "c"]
    failing.clear()
    with Box(tmp_path) as box:
        assert box.take_all() == ["a", "b", "c"], "it could not be noted that they have arrived"


# What is damaged.


def test_a_result_that_is_not_as_it_was_written_is_dropped_and_counted(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put(*"abc")
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("UPDATE results SET payload = x'7a' WHERE payload = x'62'")
    with Box(tmp_path) as box:
        assert box.take_all() == ["a", "c"]
        assert box.outbox.wait(30) == 0
        assert box.outbox.dropped == {"damaged": 1}


def test_a_file_that_is_no_database_is_set_aside_and_counted(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put(*"abcde")
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with Box(tmp_path) as box:
        assert box.outbox.dropped == {"damaged": 5}
        box.put("f")
        assert box.take_all() == ["f"]
    assert (tmp_path / f"{FILE}.damaged").read_bytes().startswith(b"no database")


def test_what_a_damaged_file_still_holds_is_saved(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put(*(f"{i:03}" + "y" * 900 for i in range(300)))
    size = os.path.getsize(tmp_path / FILE)
    with open(tmp_path / FILE, "r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(bytes(4096))
    with Box(tmp_path) as box:
        saved = [text[:3] for text in box.take_all()]
        assert 280 < len(saved) < 300
        assert saved == sorted(saved)
        assert box.outbox.dropped == {"damaged": 300 - len(saved)}


def test_a_crash_while_a_damaged_file_is_replaced_loses_nothing(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put(*"abc")
    (tmp_path / FILE).rename(tmp_path / f"{FILE}.new")  # the damaged one is out of the way already
    with Box(tmp_path) as box:
        assert box.take_all() == ["a", "b", "c"]


def test_a_tally_that_is_damaged_too_changes_nothing_else(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put("a")
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    (tmp_path / "tally").write_text(json.dumps({"waiting": "many"}))
    with Box(tmp_path) as box:
        box.put("b")
        assert box.take_all() == ["b"]


def test_ids_of_a_folder_that_was_erased_do_not_come_again(tmp_path: Path) -> None:
    epochs = set()
    for name in "abcdef":
        with Box(tmp_path / name) as box:
            epochs.add(box.outbox.epoch)
    assert len(epochs) == 6


def test_epochs_go_on_when_nothing_is_left_of_a_damaged_file(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put("a")
        epoch = box.outbox.epoch
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with Box(tmp_path) as box:
        assert box.outbox.epoch == epoch + 1
