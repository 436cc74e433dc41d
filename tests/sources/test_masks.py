"""Masked regions: black in what the model gets, whatever the source."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_sdk.errors import SourceError
from edge_sdk.sources import open_source
from edge_sdk.sources.base import BaseSource
from edge_sdk.sources.masks import Mask, MaskedSource, parse
from edge_sdk.types import Array, Frame


class OneFrame(BaseSource):
    """A source of one frame that remembers whether it was given back."""

    def __init__(self, data: Array) -> None:
        super().__init__()
        self.data, self.released = data, threading.Event()

    def _frames(self) -> Iterator[Frame]:
        yield Frame(self.data, "f", 7, release=self.released.set, label="truth")


def white(height: int = 6, width: int = 8) -> Array:
    return np.full((height, width, 3), 255, np.uint8)


def test_masked_pixels_are_black_and_all_others_are_as_they_were() -> None:
    (frame,) = MaskedSource(OneFrame(white()), [(1, 2, 3, 2), (6, 0, 1, 1)])
    expected = white()
    expected[2:4, 1:4] = 0
    expected[0, 6] = 0
    np.testing.assert_array_equal(frame.data, expected)
    assert (frame.id, frame.t_ns, frame.label) == ("f", 7, "truth")


def test_a_mask_may_reach_over_the_edge() -> None:
    (frame,) = MaskedSource(OneFrame(white()), [Mask(6, 5, 100, 100)])
    assert frame.data.sum() == (8 * 6 - 2) * 3 * 255
    assert not frame.data[5, 6:].any()


def test_pictures_that_may_not_be_written_are_copied() -> None:
    data = white()
    data.flags.writeable = False
    source = OneFrame(data)
    (frame,) = MaskedSource(source, [(0, 0, 8, 6)])
    assert not frame.data.any()
    assert data.all()
    frame.release()
    assert source.released.is_set()


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_files_are_masked_as_they_are_opened(tmp_path: Path, suffix: str) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / f"a.{suffix}")
    with open_source(tmp_path, masks=[(10, 0, 20, 30)]) as source:
        (frame,) = source
    assert not frame.data[:, 10:30].any()
    assert (frame.data[:, :10] > 250).all()


def test_a_masked_camera_is_still_live_and_tells_what_it_skipped(tmp_path: Path) -> None:
    with open_source("synthetic:", shape=(4, 4, 3), fps=1000, count=2, masks=[(0, 0, 4, 4)]) as camera:
        assert camera.live
        assert not any(frame.data.any() for frame in camera)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    with open_source(tmp_path, masks=[(0, 0, 1, 1)]) as source:
        assert len(list(source)) == 1
        assert source.skipped == 1
        assert "b.png" in source.reasons[0]


@pytest.mark.parametrize(
    ("data", "mask", "words"),
    [
        (white(), (8, 0, 2, 2), "mask 8,0,2,2 lies outside of frame f, which is 8 x 6"),
        (white(), (0, 6, 2, 2), "outside"),
        (np.zeros((50, 6), np.float32), (0, 0, 1, 1), "only pictures"),
    ],
)
def test_a_mask_that_hides_nothing_lets_nothing_through(
    data: Array, mask: tuple[int, ...], words: str
) -> None:
    source = OneFrame(data)
    with pytest.raises(SourceError, match=words):
        next(MaskedSource(source, [mask]))
    assert source.released.is_set()


@pytest.mark.parametrize("mask", [(0, 0, 0, 5), (0, 0, 5, -1), (-1, 0, 5, 5), (1, 2, 3)])
def test_a_rectangle_that_is_none_is_refused_before_the_first_frame(mask: tuple[int, ...]) -> None:
    with pytest.raises(SourceError, match="mask"):
        open_source("synthetic:", masks=[mask])


def test_masks_are_read_from_text() -> None:
    assert parse("1,2,30,40") == Mask(1, 2, 30, 40)
    for text in ("", "1,2,3", "a,b,c,d", "1,2,3,4,5", "1.5,2,3,4", "0,0,0,0"):
        with pytest.raises(SourceError, match="mask"):
            parse(text)
