"""Results that wait on disk: what `put` has accepted outlives the process, the broker and the power."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from itertools import islice
from pathlib import Path

from edge_sdk.errors import PublishError
from edge_sdk.publish import repair
from edge_sdk.publish.clock import Clock, Stamp, age_s
from edge_sdk.publish.folder import Folder, Tally
from edge_sdk.publish.room import Policies, Room
from edge_sdk.publish.store import FORMAT, Damaged, Full, Row, Size, Store

_log = logging.getLogger("edge_sdk.publish")
_GROUP = 50  # results that share one fsync ...
_LINGER_S = 0.02  # ... or those that come within this time, while more keep coming
_PAUSE_S = 0.001
_MOST = 500  # of those that are there already
_ERASE_S = 0.5  # how long results stay that have arrived, so that erasing them shares a commit
_TICK_S = 5.0  # how often ages, the clock and the disk are looked at
_READ_AHEAD = 200
_AGAIN_S = 1.0  # pause after what the disk did not take
_FIRST_EPOCHS = 1 << 30


class Outbox:
    """A bounded queue on disk between senders and one connection, in order.

    `put` hands a result over and returns a `Future`, which is done once the result is safe: a thread
    commits what has come together. A result stays until `acknowledge`. `take` gives results in order;
    after `give_back` it starts again with the oldest that has not arrived.

    Beyond `max_bytes` the policy of a topic decides: `drop-oldest`, `drop-newest`, or `keep-latest`,
    which keeps one result of a topic whatever the space. Results older than `max_age_s` are dropped.
    `dropped` counts by reason; it counts on over restarts. Without space on the disk `put` fails, and
    nothing that was accepted is lost.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        device: str,
        max_bytes: int = 256 << 20,
        max_age_s: float | None = None,
        policy: str | Mapping[str, str] = "drop-oldest",
        clock: Clock | None = None,
    ) -> None:
        """Opens or makes it. `policy` may map topic filters to policies, see `Policies`.

        `PublishError` if the folder cannot be written, is in use, is of another device or of a newer format.
        """
        self._room = Room(Policies(policy), max_bytes)
        if max_bytes < 1 << 16 or (max_age_s is not None and not max_age_s > 0):
            raise PublishError(
                f"outbox: max_bytes ({max_bytes}) must be 65536 or more, max_age_s ({max_age_s}) above 0"
            )
        self.folder, self.device = Path(folder), device
        self._max_bytes, self._max_age_s = max_bytes, max_age_s
        self._clock = clock or Clock()
        self.problem: str | None = None  # why results cannot be stored; None while they can
        self.refused = 0  # results whose `put` failed
        self.dropped: dict[str, int] = {}  # results that were accepted and dropped, by reason
        self._changed = threading.Condition()  # guards what follows
        self._puts: deque[tuple[Row, Future[None]]] = deque()
        self._buffer: deque[Row] = deque()  # read ahead
        self._cursor = -1  # the highest number that was read
        self._taken: dict[int, Row] = {}  # in order
        self._gone: dict[int, int] = {}  # numbers and bytes of those that arrived and are not erased yet
        self._unreadable: str | None = None  # what reading found wrong
        self._told: str | None = None  # the problem that was logged last
        self._erased_at = self._again_at = 0.0
        self._closed = False
        self._folder = Folder(self.folder)
        try:
            self._open()
        except (Full, Damaged) as problem:
            self._folder.close()
            raise PublishError(f"outbox {self.folder} cannot be written: {problem}") from problem
        except BaseException:
            self._folder.close()
            raise
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Results that have not arrived, with those that are not safe yet."""
        with self._changed:
            return self._count - len(self._gone) + len(self._puts)

    @property
    def size(self) -> int:
        """Bytes that the results that wait take, about."""
        return self._bytes

    @property
    def epoch(self) -> int:
        """Counts the lives of this outbox."""
        return self._epoch

    def put(self, number: int, topic: str, payload: bytes) -> Future[None]:
        """Hands a result over; numbers count up from 2^32 times `epoch`.

        The future fails with `PublishError`.
        """
        future: Future[None] = Future()
        row = Row(number, topic, payload, self._clock.now())
        with self._changed:
            if self._closed:
                raise PublishError(f"the outbox {self.folder} is closed")
            self._puts.append((row, future))
            self._changed.notify_all()
        return future

    def take(self, window: int) -> Row | None:
        """The next result; None if there is none or `window` are taken already."""
        with self._changed:
            if len(self._taken) >= window:
                return None
            if not self._buffer and self._cursor < self._last:
                self._read_ahead()
            while self._buffer:
                row = self._buffer.popleft()
                if row.number not in self._room.doomed:
                    self._taken[row.number] = row
                    return row
            known = len(self._gone) + len(self._taken) + len(self._room.doomed)
            if self._cursor >= self._last and self._count > known:
                self._unreadable = f"{self._count - known} results are not there"
                self._changed.notify_all()
            return None

    def acknowledge(self, number: int) -> None:
        """The result has arrived; a number that is not taken means nothing."""
        with self._changed:
            row = self._taken.pop(number, None)
            if row is None:
                return
            self._gone[number] = row.size
            self._changed.notify_all()

    def give_back(self) -> None:
        """All that was taken and has not arrived is taken again, in order."""
        with self._changed:
            if self._taken:
                self._cursor = min(self._taken) - 1
                self._taken.clear()
                self._buffer.clear()

    def wait(self, timeout_s: float) -> int:
        """Waits until nothing is left, at most `timeout_s`; how many results are left."""
        with self._changed:
            self._changed.wait_for(lambda: len(self) == 0, timeout_s)
            return len(self)

    def close(self) -> None:
        """Stores what was put and lets go of the file."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        self._reader.close()
        self._store.close()
        self._folder.close()

    # Opening, and opening again what is damaged.

    def _open(self) -> None:
        tally = self._folder.read_tally()
        repair.finish(self.folder)
        try:
            self._store = Store(self.folder, self._max_bytes)
        except Damaged as problem:
            self.dropped = dict(tally.dropped)
            rows = {n: row for n, row in repair.salvage(self.folder).items() if n > tally.passed}
            self._start_anew(str(problem), tally.waiting, rows)
        owner, why = self._store.get("device"), None
        if self._store.format > FORMAT:
            why = (
                f"was written by a newer version (format {self._store.format}, this one knows {FORMAT}): "
                "update edge-sdk-runtime, or use another folder"
            )
        elif owner not in (None, self.device):
            why = (
                f"belongs to the device {owner!r}, this is {self.device!r}: use another folder, or "
                "deliver what is in it first: edge-sdk outbox drain"
            )
        if why is not None:
            self._store.close()
            raise PublishError(f"outbox {self.folder} {why}")
        self._count, self._bytes, self._last = self._store.totals()
        self.dropped = self._store.dropped()
        epoch = max(int(str(self._store.get("epoch") or 0)), self._last >> 32, tally.epoch)
        # A new one begins anywhere: where a folder was erased, no `_id` must come a second time.
        self._epoch = epoch + 1 if epoch else secrets.randbelow(_FIRST_EPOCHS) + 1
        self._sign()
        self._store.fill_in_times(self._clock.now())
        self._folder.keep_ballast()
        self._reader = Store(self.folder, write=False)
        self._folder.write_tally(self._tally(), safe=True)

    def _sign(self) -> None:
        self._store.set("device", self.device)
        self._store.set("epoch", self._epoch)

    def _start_anew(self, why: str, expected: int, rows: Mapping[int, Row]) -> None:
        """Sets a damaged file aside, for a new one with what was saved of `expected` results."""
        lost = max(0, expected - len(rows))
        dropped = {**self.dropped, "damaged": self.dropped.get("damaged", 0) + lost} if lost else self.dropped
        aside = repair.replace(self.folder, self._max_bytes, rows, dropped)
        self.dropped = dropped
        self._store = Store(self.folder, self._max_bytes)
        _log.error(
            "outbox %s was damaged (%s): it is set aside as %s; %d results were saved, %d are lost",
            self.folder, why, aside.name, len(rows), lost,
        )  # fmt: skip

    def _recover(self, why: str) -> None:
        with self._changed:
            for store in (self._reader, self._store):
                with contextlib.suppress(Exception):
                    store.close()
            # What was read and is not taken any more has arrived or was dropped, whatever the file says.
            known = {**self._taken, **{row.number: row for row in self._buffer}}
            for number, row in repair.salvage(self.folder).items():
                if self._cursor < number <= self._last and number not in self._gone:
                    known[number] = row
            self._start_anew(why, self._count - len(self._gone), known)
            self._sign()
            self._reader = Store(self.folder, write=False)
            self._count, self._bytes, _ = self._store.totals()
            self._gone.clear()
            self._room.doomed = {n: doom for n, doom in self._room.doomed.items() if n in known}
            self._unreadable = None

    # Reading.

    def _read_ahead(self) -> None:
        try:
            rows, bad = self._reader.read(self._cursor, _READ_AHEAD)
        except (Damaged, Full) as problem:
            self._unreadable = str(problem)
            self._changed.notify_all()
            return
        if any(number > self._last for number in bad):  # not even the order is as it was
            self._unreadable = "it holds numbers that were never given"
            self._changed.notify_all()
            return
        self._cursor = max([*bad, *(row.number for row in rows)], default=self._last)
        under_way = self._under_way()
        self._buffer.extend(row for row in rows if row.number not in under_way)
        self._room.doomed.update((number, ("damaged", 1)) for number in bad)
        if bad:
            self._changed.notify_all()

    def _under_way(self) -> set[int]:
        """Results that were read and are not erased."""
        return self._gone.keys() | self._taken.keys()

    # The thread that writes.

    def _run(self) -> None:
        tick = time.monotonic() + _TICK_S
        while True:
            closed = self._closed
            if time.monotonic() >= tick:
                self._look_after()
                tick = time.monotonic() + _TICK_S
            puts, gone = self._next_group(tick)
            if puts or gone or self._room.doomed or self._unreadable:
                try:
                    failure = self._commit([row for row, _ in puts], gone)
                except Exception as problem:  # the thread must outlive what nobody thought of
                    _log.exception("outbox %s: unexpected failure", self.folder)
                    failure = str(problem) or type(problem).__name__
                    self._again_at = time.monotonic() + _AGAIN_S
                self._tell(puts, failure)
            if closed and not self._puts:
                return

    def _next_group(self, tick: float) -> tuple[list[tuple[Row, Future[None]]], list[int]]:
        """Waits for results, or for what is to be erased; a result that comes alone waits for nobody."""
        with self._changed:

            def due() -> bool:
                if self._puts or self._closed:
                    return True
                if time.monotonic() < self._again_at:
                    return False
                if self._unreadable or self._room.doomed:
                    return True
                return self._erasing_due()

            while not due() and (left := tick - time.monotonic()) > 0:
                soon = self._gone or self._unreadable or self._room.doomed
                self._changed.wait(min(left, _ERASE_S) if soon else left)
            count, end = len(self._puts), time.monotonic() + _LINGER_S
        while 1 < count < _GROUP and time.monotonic() < end and not self._closed:
            time.sleep(_PAUSE_S)
            if len(self._puts) == count:
                break
            count = len(self._puts)
        with self._changed:
            gone = list(self._gone) if self._erasing_due() or self._closed else []
            return list(islice(self._puts, _MOST)), gone

    def _erasing_due(self) -> bool:
        """Many together: whole pages of the file become free, which are not written."""
        late = time.monotonic() >= self._erased_at + _ERASE_S
        return bool(self._gone) and (late or len(self._gone) >= _MOST or len(self._gone) == self._count)

    def _commit(self, rows: list[Row], gone: list[int]) -> str | None:
        """Stores a group and erases what has arrived; why the group is not stored, None if it is."""
        if self.problem is not None and self._folder.has_room():
            self._folder.keep_ballast()
            self.problem = None
        try:
            if self._unreadable is not None:
                self._recover(self._unreadable)
            for _ in range(2 if self.problem is None else 0):
                try:
                    self._write(rows, gone)
                    self._told = None
                    return None
                except Damaged as problem:
                    self._recover(str(problem))
            self._refuse(self.problem or "its file is damaged again and again: is the disk broken?")
        except (Full, Damaged) as problem:
            self._refuse(str(problem))
        try:
            self._write([], gone)  # what has arrived is erased all the same
        except (Full, Damaged):
            self._again_at = time.monotonic() + _AGAIN_S
        return self.problem

    def _refuse(self, why: str) -> None:
        if why != self._told:
            _log.error("outbox %s takes no results: %s", self.folder, why)
        self._folder.drop_ballast()  # so that erasing has space
        self.problem = self._told = why

    def _tell(self, puts: list[tuple[Row, Future[None]]], failure: str | None) -> None:
        """Tells those who wait what became of a group."""
        with self._changed:
            for _ in puts:
                self._puts.popleft()
            self.refused += len(puts) if failure else 0
            self._changed.notify_all()
        for _, future in puts:
            if not future.set_running_or_notify_cancel():
                continue
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(PublishError(f"outbox {self.folder} takes no results: {failure}"))

    def _write(self, rows: list[Row], gone: list[int]) -> None:
        with self._changed:
            before = set(self._room.doomed)
            stored = self._room.make(self._store, rows, self._bytes, self._under_way())
            doomed = dict(self._room.doomed)
            gone = [number for number in gone if number in self._gone]  # a repair leaves them out
        dropped = dict(self.dropped)
        for reason, _ in doomed.values():
            dropped[reason] = dropped.get(reason, 0) + 1
        erased = len(gone) + sum(size > 0 for _, size in doomed.values())
        try:
            there = self._store.write(stored, [*gone, *doomed], dropped if doomed else {})
        except BaseException:
            self._spare(doomed.keys() - before)
            raise
        with self._changed:
            if there < erased:
                self._unreadable = f"{erased - there} results were not there"
            self._count += len(stored) - erased
            self._bytes += sum(row.size for row in stored) - sum(self._gone.pop(n, 0) for n in gone)
            self._bytes -= sum(size for _, size in doomed.values())
            self._last = max([self._last, *(row.number for row in stored)])
            self._buffer = deque(row for row in self._buffer if row.number not in doomed)
            for number in doomed:
                del self._room.doomed[number]
            if gone:
                self._erased_at = time.monotonic()
            self.dropped = dropped
            tally = self._tally()
            self._changed.notify_all()
        if doomed:
            _log.warning("outbox %s: dropped so far: %s", self.folder, dropped)
        self._folder.write_tally(tally)

    def _tally(self) -> Tally:
        waiting = [self._cursor + 1, *self._taken, *(row.number for row in self._buffer)]
        return Tally(self._count, self._epoch, min(waiting) - 1, self.dropped)

    def _spare(self, numbers: set[int]) -> None:
        """What was to make room for results that could not be stored stays."""
        with self._changed:
            for number in numbers:
                del self._room.doomed[number]
            if numbers:
                self._cursor = min(self._cursor, min(numbers) - 1)
                self._buffer.clear()

    def _look_after(self) -> None:
        """What time alone changes."""
        now = self._clock.now()
        with contextlib.suppress(Full, Damaged):
            self._store.fill_in_times(now)
            if self._max_age_s is not None:
                with self._changed:
                    self._room.doom(self._expired(now, self._max_age_s), "age", self._under_way())
        if self.problem is not None and self._folder.has_room():
            self._folder.keep_ballast()
            self.problem = None

    def _expired(self, now: Stamp, most_s: float) -> Iterable[Size]:
        """Whatever came before one that is too old is too old, also where its own time is not known."""
        before: list[Size] = []
        for found in self._store.sizes():
            before.append(found)
            if age_s(found[2], now) > most_s:
                yield from before
                before.clear()
            elif found[2].boot == now.boot:
                return
