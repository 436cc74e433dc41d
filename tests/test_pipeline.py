"""From frames to published events: order, counts, live sources, and errors on the way."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from meters import Time, replay
from PIL import Image
from pipelines import Walking, mean_model

import edge_sdk
from edge_sdk import tasks
from edge_sdk.energy import measure_work
from edge_sdk.errors import InputError, PublishError, SourceError
from edge_sdk.pipeline import Pipeline
from edge_sdk.publish.memory import MemoryPublisher
from edge_sdk.sources import open_source
from edge_sdk.sources.base import BaseSource
from edge_sdk.tasks.track import Tracker
from edge_sdk.types import Event, Frame

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


@pytest.fixture(scope="module")
def colours() -> edge_sdk.Model:
    """Tells which colour a picture has."""
    return mean_model((1, 8, 8, 3), "uint8", list(COLOURS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures and one that is none."""
    for i, (name, colour) in enumerate(COLOURS.items()):
        Image.new("RGB", (20, 10), colour).save(tmp_path / f"{i}-{name}.png")
    (tmp_path / "1-broken.png").write_bytes(b"no picture")
    return tmp_path


def labels_of(publisher: MemoryPublisher) -> list[str]:
    return [result["results"][0]["label"] for result in publisher.sent]


def test_every_picture_of_a_folder_is_published_in_order(colours: edge_sdk.Model, folder: Path) -> None:
    publisher = MemoryPublisher()
    events: list[Event] = []
    with open_source(folder) as source:
        pipeline = Pipeline(source, colours, tasks.for_model(colours, top_k=1), publisher)
        summary = pipeline.run(on_event=events.append)
    assert (summary.frames, summary.published, summary.dropped, summary.skipped) == (3, 3, 0, 1)
    assert labels_of(publisher) == ["red", "green", "blue"]
    assert [event.frame_id for event in events] == ["0-red.png", "1-green.png", "2-blue.png"]
    first = publisher.sent[0]
    assert first == events[0].to_dict()
    assert (first["task"], first["model"], first["frame"]) == ("classify", "model", "0-red.png")
    assert first["results"] == [{"id": 0, "label": "red", "score": 1.0}]
    assert set(first["timings_ms"]) == {"prepare", "run", "decode"}
    assert all(value > 0 for value in first["timings_ms"].values())


def test_the_summary_has_the_joules_of_a_result(
    colours: edge_sdk.Model, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two watts while idle, eight while it runs; each picture takes a second of the test's clock."""
    time = Time()
    measured = functools.partial(measure_work, clock=time, wait=time.wait, root=tmp_path)
    monkeypatch.setattr("edge_sdk.pipeline.measure_work", measured)
    meter = replay(tmp_path, "time_s,joule\n0,0\n2,4\n102,804", time)
    with open_source(folder) as source:
        pipeline = Pipeline(source, colours, tasks.for_model(colours), MemoryPublisher())
        summary = pipeline.run(on_event=lambda event: time.wait(1), meter=meter)
    assert summary.frames == 3
    assert summary.energy is not None
    assert summary.energy.joules == pytest.approx(8 - 2)
    with open_source(folder) as source:
        pipeline = Pipeline(source, colours, tasks.for_model(colours), MemoryPublisher())
        assert pipeline.run().energy is None


def test_sensor_windows_carry_their_truth(tmp_path: Path) -> None:
    model = mean_model((1, 4, 2), "float32", ["left", "right"])
    path = tmp_path / "readings.csv"
    path.write_text("l,r,side\n" + "9,1,left\n" * 4 + "1,9,right\n" * 4)
    publisher = MemoryPublisher()
    with open_source(path, window=4, label="side") as source:
        summary = Pipeline(source, model, tasks.for_model(model), publisher).run()
    assert summary.frames == 2
    assert labels_of(publisher) == [result["truth"] for result in publisher.sent] == ["left", "right"]


def test_max_frames_takes_no_frame_too_many(colours: edge_sdk.Model) -> None:
    source = open_source("synthetic:", shape=(8, 8, 3))
    publisher = MemoryPublisher()
    pipeline = Pipeline(source, colours, tasks.for_model(colours), publisher)
    assert pipeline.run(max_frames=3).frames == 3
    assert pipeline.run(max_frames=0).frames == 0
    assert pipeline.run(max_frames=2).frames == 2
    assert [result["frame"] for result in publisher.sent] == ["0", "1", "2", "3", "4"]


def test_a_tracker_numbers_what_the_task_finds(colours: edge_sdk.Model) -> None:
    source = open_source("synthetic:", shape=(8, 8, 3), count=4)
    publisher = MemoryPublisher()
    Pipeline(source, colours, Walking(colours), publisher, Tracker()).run()
    assert [result["results"][0]["track"] for result in publisher.sent] == [1, 1, 1, 1]


# Live sources


class Camera(BaseSource):
    """A live source of `count` frames that a test triggers; counts what is given back."""

    live = True

    def __init__(self, count: int, wait: Callable[[int], object] = lambda n: None, fail_at: int = -1) -> None:
        super().__init__()
        self._count, self._wait, self._fail_at = count, wait, fail_at
        self.released: list[int] = []

    def _frames(self) -> Iterator[Frame]:
        for n in range(self._count):
            self._wait(n)
            if n == self._fail_at:
                raise SourceError("the camera was unplugged")
            data = np.zeros((8, 8, 3), np.uint8)
            yield Frame(data, str(n), n, release=lambda n=n: self.released.append(n))  # type: ignore[misc]


def test_a_slow_model_gets_the_newest_frame_and_drops_are_counted(colours: edge_sdk.Model) -> None:
    """While event 0 is handled, frames 1 to 9 arrive: 9 is next, 1 to 8 are dropped."""
    first_taken, all_read = threading.Event(), threading.Event()

    def wait(n: int) -> None:
        if n == 1:
            first_taken.wait(30)
        if n == 10:
            all_read.set()
            last_may_come.wait(30)

    last_may_come = threading.Event()
    camera = Camera(11, wait)
    seen: list[str] = []

    def on_event(event: Event) -> None:
        seen.append(event.frame_id)
        if event.frame_id == "0":
            first_taken.set()
            assert all_read.wait(30)
        if event.frame_id == "9":
            last_may_come.set()

    publisher = MemoryPublisher()
    summary = Pipeline(camera, colours, tasks.for_model(colours), publisher).run(on_event=on_event)
    assert seen == ["0", "9", "10"]
    assert (summary.frames, summary.dropped, summary.published) == (3, 8, 3)
    assert sorted(camera.released) == list(range(11)), "each frame is given back once"


def test_a_live_run_ends_with_max_frames_and_its_thread_with_it(colours: edge_sdk.Model) -> None:
    camera = Camera(1_000_000)
    summary = Pipeline(camera, colours, tasks.for_model(colours), MemoryPublisher()).run(max_frames=5)
    assert summary.frames == 5
    assert not [t for t in threading.enumerate() if t.name == "capture"]
    assert sorted(camera.released) == list(range(len(camera.released)))
    assert len(camera.released) >= 5 + summary.dropped


def test_the_camera_that_fails_is_an_error_after_its_frames(colours: edge_sdk.Model) -> None:
    taken = threading.Event()
    camera = Camera(9, lambda n: n == 1 and taken.wait(30), fail_at=1)
    publisher = MemoryPublisher()
    pipeline = Pipeline(camera, colours, tasks.for_model(colours), publisher)
    with pytest.raises(SourceError, match="unplugged"):
        pipeline.run(on_event=lambda event: taken.set())
    assert len(publisher.sent) == 1


def test_a_synthetic_camera_runs_through(colours: edge_sdk.Model) -> None:
    with open_source("synthetic:", shape=(8, 8, 3), count=20, fps=2000) as source:
        summary = Pipeline(source, colours, tasks.for_model(colours), MemoryPublisher()).run()
    assert summary.frames + summary.dropped == 20


# Errors


class Refusing(MemoryPublisher):
    """A destination that fails with the third result."""

    def _write(self, line: bytes) -> None:
        if len(self.sent) == 2:
            raise PublishError("the disk is full")
        super()._write(line)


@pytest.mark.parametrize("live", [False, True])
def test_a_failing_publisher_ends_the_run_cleanly(colours: edge_sdk.Model, live: bool) -> None:
    options: dict[str, Any] = {"fps": 2000.0} if live else {}
    publisher = Refusing()
    source = open_source("synthetic:", shape=(8, 8, 3), **options)
    with pytest.raises(PublishError, match="disk is full"):
        Pipeline(source, colours, tasks.for_model(colours), publisher).run()
    assert len(publisher.sent) == 2
    assert not [t for t in threading.enumerate() if t.name == "capture"]


def test_a_frame_that_does_not_fit_is_named_and_given_back(colours: edge_sdk.Model) -> None:
    class Windows(Camera):
        def _frames(self) -> Iterator[Frame]:
            yield Frame(np.zeros((4, 2), np.float32), "w", 0, release=lambda: self.released.append(0))

    camera = Windows(1)
    with pytest.raises(InputError, match=r"\(1, 8, 8, 3\).*\(4, 2\)"):
        Pipeline(camera, colours, tasks.for_model(colours), MemoryPublisher()).run()
    assert camera.released == [0]
