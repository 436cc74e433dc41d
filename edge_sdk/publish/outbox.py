"""Results that wait on disk: what `put` has accepted outlives the process, the broker and the power."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from itertools import islice
from pathlib import Path

from edge_sdk.errors import PublishError
from edge_sdk.publish.clock import Clock, Stamp, age_s
from edge_sdk.publish.policy import DROP_NEWEST, KEEP_LATEST, Policies
from edge_sdk.publish.store import FORMAT, Damaged, Full, Row, Size, Store, finish, salvage, start_anew, sync

_log = logging.getLogger("edge_sdk.publish")
_GROUP = 50  # results that share one fsync ...
_LINGER_S = 0.02  # ... or those that come within this time, while more keep coming
_PAUSE_S = 0.001
_MOST = 500  # of those that are there already
_ERASE_S = 0.5  # how long results stay that have arrived, so that erasing them shares a commit
_TICK_S = 5.0  # how often ages, the clock and the disk are looked at
_READ_AHEAD = 200
_AGAIN_S = 1.0  # pause after what the disk did not take


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
        self._policies = Policies(policy)
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
        self._doomed: dict[int, tuple[str, int]] = {}  # to be dropped: number -> reason, bytes in the file
        self._unreadable: str | None = None  # what reading found wrong
        self._erased_at = self._again_at = 0.0
        self._sequence = 0
        self._closed = False
        self._lock = self._claim()
        try:
            self._open()
        except (Full, Damaged) as problem:
            os.close(self._lock)
            raise PublishError(f"outbox {self.folder} cannot be written: {problem}") from problem
        except BaseException:
            os.close(self._lock)
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
                if row.number not in self._doomed:
                    self._taken[row.number] = row
                    return row
            known = len(self._gone) + len(self._taken) + len(self._doomed)
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
        os.close(self._lock)

    # Opening, and opening again what is damaged.

    def _claim(self) -> int:
        """Makes the folder, and keeps other processes out of it."""
        try:
            if not self.folder.is_dir():
                self.folder.mkdir(mode=0o700, parents=True)
                sync(self.folder.parent)
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise PublishError(f"outbox {self.folder}: {problem.strerror}") from problem
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise PublishError(
                f"outbox {self.folder}: another process uses it; give each publisher a folder of its own"
            ) from None
        return lock

    def _open(self) -> None:
        try:
            finish(self.folder)
        except OSError as problem:
            raise Full(f"{problem.strerror}") from problem
        waiting, epoch, passed = self._tallied()
        try:
            self._open_store()
        except Damaged as problem:
            saved = [row for row in salvage(self.folder) if row.number > passed]
            self._start_anew(str(problem), waiting, saved)
            self._open_store()
        self._epoch = max(int(str(self._store.get("epoch") or 0)), epoch, self._last >> 32) + 1
        self._sign()
        self._store.fill_in_times(self._clock.now())
        self._store.keep_ballast()
        self._reader = Store(self.folder, write=False)
        self._tally(safe=True)

    def _open_store(self) -> None:
        """`Damaged` only if it holds what was not written."""
        self._store = Store(self.folder, self._max_bytes)
        try:
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
                raise PublishError(f"outbox {self.folder} {why}")
            self._count, self._bytes, self._last = self._store.totals()
            self.dropped = self._store.dropped()
        except BaseException:
            self._store.close()
            raise

    def _sign(self) -> None:
        self._store.set("device", self.device)
        self._store.set("epoch", self._epoch)

    def _start_anew(self, why: str, expected: int, saved: list[Row]) -> None:
        """Sets a damaged file aside; a new one gets what was saved of the `expected` number of results."""
        lost = max(0, expected - len(saved))
        dropped = self.dropped
        if lost:
            dropped = {**dropped, "damaged": dropped.get("damaged", 0) + lost}
        aside = start_anew(self.folder, saved, dropped)
        self.dropped = dropped
        _log.error(
            "outbox %s was damaged (%s): it is set aside as %s; %d results were saved, %d are lost",
            self.folder, why, aside.name, len(saved), lost,
        )  # fmt: skip

    def _recover(self, why: str) -> None:
        with self._changed:
            for store in (self._reader, self._store):
                with contextlib.suppress(Exception):
                    store.close()
            # What was read and is not taken any more has arrived or was dropped, whatever the file says.
            known = {**self._taken, **{row.number: row for row in self._buffer}}
            unread = (row for row in salvage(self.folder) if self._cursor < row.number <= self._last)
            known.update((row.number, row) for row in unread if row.number not in self._gone)
            waiting = self._count - len(self._gone)
            self._start_anew(why, waiting, [known[n] for n in sorted(known)])
            self._store = Store(self.folder, self._max_bytes)
            self._sign()
            self._reader = Store(self.folder, write=False)
            self._count, self._bytes, _ = self._store.totals()
            self._gone.clear()
            self._doomed = {n: doom for n, doom in self._doomed.items() if n in known}
            self._unreadable = None

    # Beside the database lies how many results it holds, and what was dropped: for when it is damaged.

    def _tally(self, safe: bool = False) -> None:
        with self._changed:
            passed = min([self._cursor + 1, *self._taken, *(row.number for row in self._buffer)]) - 1
        text = json.dumps(
            {"waiting": self._count, "dropped": self.dropped, "epoch": self._epoch, "passed": passed}
        )
        with contextlib.suppress(OSError):
            tally = os.open(self.folder / "tally", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(tally, text.encode().ljust(512), 0)
                if safe:
                    os.fsync(tally)
            finally:
                os.close(tally)

    def _tallied(self) -> tuple[int, int, int]:
        """How many waited, in which epoch, and the number up to which all had arrived."""
        try:
            found = json.loads((self.folder / "tally").read_bytes())
            self.dropped = {str(reason): int(count) for reason, count in found["dropped"].items()}
            return int(found["waiting"]), int(found["epoch"]), int(found["passed"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return 0, 0, -1

    # Reading.

    def _read_ahead(self) -> None:
        try:
            rows, bad = self._reader.read(self._cursor, _READ_AHEAD)
        except (Damaged, Full) as problem:
            self._unreadable = str(problem)
            self._changed.notify_all()
            return
        if any(number > self._last for number in bad):  # not even the order is as it was
            self._unreadable = "numbers that were never given"
            self._changed.notify_all()
            return
        self._cursor = max(
            [self._last if not rows and not bad else self._cursor, *bad, *(r.number for r in rows)]
        )
        self._buffer.extend(r for r in rows if r.number not in self._gone and r.number not in self._taken)
        self._doomed.update((number, ("damaged", 1)) for number in bad)
        if bad:
            self._changed.notify_all()

    # The thread that writes.

    def _run(self) -> None:
        tick = time.monotonic() + _TICK_S
        while True:
            last = self._closed  # after which nothing more comes
            if time.monotonic() >= tick:
                self._look_after()
                tick = time.monotonic() + _TICK_S
            puts, gone = self._next_group(tick)
            if puts or gone or self._doomed or self._unreadable:
                self._commit(puts, gone)
            if last and not self._puts:
                return

    def _next_group(self, tick: float) -> tuple[list[tuple[Row, Future[None]]], list[int]]:
        """Waits for results, or for what is to be erased; a result that comes alone waits for nobody."""
        with self._changed:

            def due() -> bool:
                if self._puts or self._closed:
                    return True
                if time.monotonic() < self._again_at:
                    return False
                if self._unreadable or self._doomed:
                    return True
                return self._erasing_due()

            while not due() and (left := tick - time.monotonic()) > 0:
                due_soon = self._gone or self._unreadable or self._doomed
                self._changed.wait(min(left, _ERASE_S) if due_soon else left)
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

    def _commit(self, puts: list[tuple[Row, Future[None]]], gone: list[int]) -> None:
        """Stores a group and erases what has arrived; tells those who wait."""
        rows = [row for row, _ in puts]
        stored = (self.problem is None or self._store.has_room()) and self._try(rows, gone)
        if stored and self.problem is not None:
            self._store.keep_ballast()
            self.problem = None
        if not stored and not self._try([], gone):
            self._again_at = time.monotonic() + _AGAIN_S
        with self._changed:
            for _ in puts:
                self._puts.popleft()
            if not stored:
                self.refused += len(puts)
            self._changed.notify_all()
        for _, future in puts:
            if not future.set_running_or_notify_cancel():
                continue
            if stored:
                future.set_result(None)
            else:
                future.set_exception(PublishError(f"outbox {self.folder} takes no results: {self.problem}"))

    def _write(self, rows: list[Row], gone: list[int]) -> None:
        stored = self._make_room(rows)
        doomed = dict(self._doomed)
        gone = [number for number in gone if number in self._gone]
        dropped = dict(self.dropped)
        for reason, _ in doomed.values():
            dropped[reason] = dropped.get(reason, 0) + 1
        erased = len(gone) + sum(size > 0 for _, size in doomed.values())
        there = self._store.write(stored, [*gone, *doomed], dropped if doomed else {})
        with self._changed:
            if there < erased:
                self._unreadable = f"{erased - there} results were not there"
            self._count += len(stored) - erased
            self._bytes += sum(row.size for row in stored) - sum(self._gone.pop(n) for n in gone)
            self._bytes -= sum(size for _, size in doomed.values())
            self._last = max([self._last, *(row.number for row in stored)])
            self._buffer = deque(row for row in self._buffer if row.number not in doomed)
            for number in doomed:
                del self._doomed[number]
            if gone:
                self._erased_at = time.monotonic()
            self.dropped = dropped
            self._changed.notify_all()
        if doomed:
            _log.warning("outbox %s: dropped so far: %s", self.folder, dropped)
        self._tally()

    def _try(self, rows: list[Row], gone: list[int]) -> bool:
        """Whether that is safe; `problem` says why not. Nothing is half done."""
        for _ in range(2):
            before = dict(self._doomed)
            try:
                if self._unreadable is not None:
                    self._recover(self._unreadable)
                self._write(rows, gone)
                return True
            except Damaged as problem:
                self._unreadable = failure = str(problem)
            except Exception as problem:  # the thread must outlive what nobody thought of
                failure = str(problem)
            self._spare(before)
            if self._unreadable is None:
                break
        if self.problem is None:
            _log.error("outbox %s takes no results: %s", self.folder, failure)
        self._store.drop_ballast()  # so that erasing has space
        self.problem = failure
        return False

    def _spare(self, doomed: dict[int, tuple[str, int]]) -> None:
        """Takes back what was doomed for results that are not stored."""
        with self._changed:
            spared = [n for n, (reason, _) in self._doomed.items() if n not in doomed and reason != "damaged"]
            for number in spared:
                del self._doomed[number]
            if spared:  # `take` may have passed over them
                self._cursor = min(self._cursor, min(spared) - 1)
                self._buffer.clear()

    def _make_room(self, rows: list[Row]) -> list[Row]:
        """Those of the new results that are stored; what is dropped for them is doomed."""
        stored: list[Row] = []
        size = self._bytes - sum(size for _, size in self._doomed.values())
        for row in rows:
            policy = self._policies.of(row.topic)
            if policy == KEEP_LATEST:
                size -= self._doom(self._store.sizes(row.topic), "superseded")
                for old in [old for old in stored if old.topic == row.topic]:
                    stored.remove(old)
                    size -= old.size
                    self._doomed[old.number] = ("superseded", 0)
            over = size + row.size - self._max_bytes
            if over > 0 and policy != DROP_NEWEST:
                freed = self._doom(self._store.sizes(), "space", over)
                size, over = size - freed, over - freed
            if over > 0:
                self._doomed[row.number] = ("space", 0)
            else:
                stored.append(row)
                size += row.size
        return stored

    def _doom(self, candidates: Iterable[Size], reason: str, enough: int | None = None) -> int:
        """Marks results to be dropped, except those that are under way; the bytes that this frees."""
        freed = 0
        with self._changed:
            for number, size, _ in candidates:
                if number in self._taken or number in self._gone or number in self._doomed:
                    continue
                self._doomed[number] = (reason, size)
                freed += size
                if enough is not None and freed >= enough:
                    break
        return freed

    def _look_after(self) -> None:
        """What time alone changes."""
        now = self._clock.now()
        with contextlib.suppress(Full, Damaged):
            self._store.fill_in_times(now)
            if self._max_age_s is not None:
                self._doom(self._expired(now, self._max_age_s), "age")
        if self.problem is not None and self._store.has_room():
            self._store.keep_ballast()
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
