"""What holds for every source, and the synthetic one."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge_sdk import lazy
from edge_sdk.errors import SourceError
from edge_sdk.sources import SOURCES, Source, open_source


def open_each(name: str, folder: Path) -> Source:
    """Some source of that kind with at least two frames; one line here for each in SOURCES."""
    if name == "pictures":
        for file in ("a.png", "b.png"):
            Image.new("RGB", (4, 3)).save(folder / file)
        return open_source(f"pictures:{folder}")
    if name == "csv":
        (folder / "a.csv").write_text("1,2\n3,4\n")
        return open_source(f"csv:{folder}/a.csv", window=1)
    return open_source(f"{name}:", count=2)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_keeps_the_contract(name: str, tmp_path: Path) -> None:
    with open_each(name, tmp_path) as source:
        assert isinstance(source, lazy.load(SOURCES[name]))
        assert iter(source) is source
        frames = [next(source), *source]
        assert len({f.id for f in frames}) == len(frames) >= 2
        assert frames[0].t_ns <= frames[1].t_ns
        for frame in frames:
            is_picture = frame.data.ndim == 3
            assert frame.data.dtype == (np.uint8 if is_picture else np.float32)
            frame.release()
        assert (source.skipped, source.reasons, source.live) == (0, [], False)
    source.close()
    assert next(iter(source), None) is None


@pytest.mark.parametrize("name", SOURCES)
def test_unknown_options_are_named(name: str) -> None:
    with pytest.raises(SourceError, match="'colour'; its options are: "):
        open_source(f"{name}:", colour="red")


@pytest.mark.parametrize("shape", [(8, 9, 3), (50, 6)])
def test_the_same_seed_gives_the_same_frames(shape: tuple[int, ...]) -> None:
    first, again, other = (
        [f.data for f in open_source("synthetic:", shape=shape, count=3, seed=seed)] for seed in (1, 1, 2)
    )
    assert [d.shape for d in first] == [shape] * 3
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_without_a_count_it_does_not_end() -> None:
    source = open_source("synthetic:", shape=(2, 2, 3))
    assert [next(source).id for _ in range(1000)][-1] == "999"


def test_close_wakes_a_live_source_that_waits() -> None:
    source = open_source("synthetic:", shape=(2, 2, 3), fps=0.001)
    assert source.live
    next(source)
    rest: list[Any] = []
    thread = threading.Thread(target=lambda: rest.extend(source))
    thread.start()
    source.close()
    thread.join(30)
    assert not thread.is_alive()
    assert rest == []


@pytest.mark.parametrize("options", [{"shape": (4,)}, {"shape": (4, 4, 1)}, {"shape": (0, 4)}, {"fps": 0}])
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(SourceError, match=r"shape|fps"):
        open_source("synthetic:", **options)
    with pytest.raises(SourceError, match="synthetic:faces"):
        open_source("synthetic:faces")
