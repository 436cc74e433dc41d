"""Source, model, task and publisher joined: frames in, published events out."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING

from edge_sdk.energy import Energy, Meter, measure_work
from edge_sdk.publish import Publisher
from edge_sdk.sources import Source
from edge_sdk.tasks import Task
from edge_sdk.types import Event, Frame

if TYPE_CHECKING:
    from edge_sdk.model import Model
    from edge_sdk.tasks.track import Tracker


@dataclass(frozen=True)
class Summary:
    """What one run of a pipeline did."""

    frames: int  # that went through the model
    published: int  # events that the publisher accepted
    refused: int  # events that an outbox had no space for
    dropped: int  # frames of a live source that came while the model was busy
    skipped: int  # items that the source could not read
    seconds: float  # from start to end
    energy: Energy | None = None  # of one result, above idle; None where nobody asked


class Pipeline:
    """Runs every frame of a source through a model and publishes the results, in order.

        model = edge_sdk.load("model.tflite")
        with open_source("pictures/") as source, connect("mqtt://host/topic") as publisher:
            Pipeline(source, model, tasks.for_model(model), publisher).run()

    A live source is read by a thread of its own, so that the model always gets the newest frame: a
    queue of one, the older frame dropped and counted. Any other source waits for the model, and loses
    nothing. The caller opens and closes source and publisher.

    With a `tracker`, detections carry the number of the object that they belong to, from frame to frame.
    """

    def __init__(
        self, source: Source, model: Model, task: Task, publisher: Publisher, tracker: Tracker | None = None
    ) -> None:
        self._source, self._model, self._task, self._publisher = source, model, task, publisher
        self._tracker = tracker
        self._session = model.session()

    def run(
        self,
        max_frames: int | None = None,
        on_event: Callable[[Event], None] | None = None,
        meter: Meter | None = None,
    ) -> Summary:
        """Goes on until the source ends or `max_frames` went through; calls `on_event` after each publish.

        With a `meter` it waits two seconds first, which tell what the idle board draws, and the summary
        has the joules of a result. Errors of the source, the task, the model and the publisher are raised
        as they are, except that an outbox without space refuses results, which are counted.
        """
        if meter is None:
            return self._run(max_frames, on_event)
        summary, energy = measure_work(
            lambda: self._run(max_frames, on_event), lambda done: done.frames, meter
        )
        return replace(summary, energy=energy)

    def _run(self, max_frames: int | None, on_event: Callable[[Event], None] | None) -> Summary:
        start, skipped, frames, refused = time.monotonic(), self._source.skipped, 0, 0
        sent: deque[Future[None]] = deque()  # inference does not wait until a result is safe
        with _Newest(self._source) if self._source.live else _InOrder(self._source) as feed:
            # The limit is looked at first: a frame is not taken from the source to be thrown away.
            while max_frames is None or frames < max_frames:
                frame = feed.next()
                if frame is None:
                    break
                event = self._process(frame)
                sent.append(self._publisher.send_nowait(event.to_dict()))
                while sent and sent[0].done():
                    refused += _failed(sent.popleft())
                frames += 1
                if on_event is not None:
                    on_event(event)
        refused += sum(_failed(future) for future in sent)
        return Summary(
            frames=frames,
            published=frames - refused,
            refused=refused,
            dropped=feed.dropped,
            skipped=self._source.skipped - skipped,
            seconds=time.monotonic() - start,
        )

    def _process(self, frame: Frame) -> Event:
        session = self._session
        t0 = time.perf_counter()
        try:
            _, geometry = self._task.prepare(frame, session.inputs[0], out=session.input(0))
        finally:
            frame.release()
        t1 = time.perf_counter()
        outputs = session.run()
        t2 = time.perf_counter()
        results = self._task.decode(list(zip(outputs, session.outputs)), geometry)
        if self._tracker is not None:
            results = self._tracker.update(results)
        t3 = time.perf_counter()
        return Event(
            task=self._task.name,
            model=self._model.name,
            frame_id=frame.id,
            t_ns=frame.t_ns,
            results=results,
            timings_ms={"prepare": (t1 - t0) * 1e3, "run": (t2 - t1) * 1e3, "decode": (t3 - t2) * 1e3},
            label=frame.label,
        )


def _failed(future: Future[None]) -> bool:
    return future.exception() is not None


class _InOrder:
    """Every frame of a source that waits."""

    dropped = 0

    def __init__(self, source: Source) -> None:
        self._frames: Iterator[Frame] = iter(source)

    def next(self) -> Frame | None:
        return next(self._frames, None)

    def __enter__(self) -> _InOrder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class _Newest:
    """The newest frame of a live source, read by a thread; those that nobody took are dropped."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.dropped = 0
        self._changed = threading.Condition()  # guards what follows
        self._frame: Frame | None = None
        self._stopped = False
        self._ended = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._read, name="capture", daemon=True)

    def next(self) -> Frame | None:
        """Waits for a frame that was not given yet; None at the source's end, whose error is raised."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._ended)
            frame, self._frame = self._frame, None
            if frame is None and self._error is not None:
                raise self._error
            return frame

    def _read(self) -> None:
        try:
            for frame in self._source:
                with self._changed:
                    if self._stopped:
                        frame.release()
                        return
                    old, self._frame = self._frame, frame
                    self._changed.notify()
                if old is not None:
                    self.dropped += 1
                    old.release()
        except Exception as error:  # raised where the frames are taken
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()

    def __enter__(self) -> _Newest:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._stopped = True
        self._thread.join(5.0)  # it ends with the source's next frame; a stuck camera is left behind
        with self._changed:
            if self._frame is not None:
                self._frame.release()
                self._frame = None
