"""Pictures from files, folders and patterns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_sdk.errors import SourceError
from edge_sdk.sources import open_source
from edge_sdk.sources.pictures import SUFFIXES, read_picture

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def save(path: Path, colour: tuple[int, int, int] = RED, size: tuple[int, int] = (4, 3)) -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


def test_one_file(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    with open_source(path) as source:
        assert not source.live
        (frame,) = source
    assert (frame.data.shape, frame.data.dtype) == ((3, 4, 3), np.uint8)
    assert (frame.data == RED).all()
    assert frame.id == str(path)


def test_a_folder_gives_its_pictures_by_name_and_leaves_the_rest(tmp_path: Path) -> None:
    for name, colour in (("b.png", GREEN), ("a.bmp", RED), ("c.PNG", BLUE)):
        save(tmp_path / name, colour)
    (tmp_path / "labels.txt").write_text("cat")
    (tmp_path / "folder.png").mkdir()
    save(tmp_path / "folder.png" / "inner.png")
    source = open_source(tmp_path)
    frames = list(source)
    assert [f.id for f in frames] == ["a.bmp", "b.png", "c.PNG"]
    assert [tuple(f.data[0, 0]) for f in frames] == [RED, GREEN, BLUE]
    assert source.skipped == 0


def test_a_pattern(tmp_path: Path) -> None:
    for name in ("x1.png", "x2.png", "y.png"):
        save(tmp_path / name)
    assert [f.id for f in open_source(f"{tmp_path}/x*.png")] == [f"{tmp_path}/x1.png", f"{tmp_path}/x2.png"]


def test_a_file_with_the_signs_of_a_pattern_in_its_name(tmp_path: Path) -> None:
    path = save(tmp_path / "photo [1].png")
    assert [f.id for f in open_source(path)] == [str(path)]


def test_unreadable_pictures_are_reported_counted_and_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(tmp_path / "a.png")
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    (tmp_path / "c.png").symlink_to(tmp_path / "absent.png")
    whole = save(tmp_path / "d.png", size=(64, 64)).read_bytes()
    (tmp_path / "d.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "e.png").touch()
    save(tmp_path / "f.png")
    source = open_source(tmp_path)
    assert [f.id for f in source] == ["a.png", "f.png"]
    assert source.skipped == 4
    for name, reason in zip(("b.jpg", "c.png", "d.png", "e.png"), source.reasons):
        assert str(tmp_path / name) in reason
        assert reason in caplog.text
    assert "the file is missing" in source.reasons[1]


def test_a_file_that_is_removed_before_its_turn_is_skipped(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    save(tmp_path / "b.png")
    source = open_source(tmp_path)
    next(source)
    (tmp_path / "b.png").unlink()
    assert list(source) == []
    assert source.skipped == 1


def test_what_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    for where in ("absent.png", "absent/", "*.png"):
        with pytest.raises(SourceError, match=r"absent|no file matches"):
            open_source(tmp_path / where)
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(tmp_path)


def test_one_unreadable_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"a\.png: not a readable picture"):
        list(open_source(tmp_path / "a.png"))


def test_exif_orientation_is_honoured(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "black")
    image.paste("white", (0, 0, 20, 20))  # the left half
    exif = image.getexif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise: left becomes top
    image.save(tmp_path / "a.jpg", exif=exif, quality=100)
    pixels = read_picture(tmp_path / "a.jpg")
    assert pixels.shape == (40, 20, 3)
    assert (pixels[:15] > 200).all()
    assert (pixels[25:] < 50).all()


def test_pictures_that_unpack_to_too_much_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (9000, 9000)).save(path)
    assert path.stat().st_size < 20_000
    with pytest.raises(SourceError, match="9000 x 9000 pixels, over 50000000"):
        read_picture(path)
    save(tmp_path / "small.png", size=(10, 10))
    source = open_source(tmp_path)
    assert [f.id for f in source] == ["small.png"]
    assert source.skipped == 1
    with pytest.raises(SourceError, match="10 x 10 pixels, over 99"):
        list(open_source(tmp_path / "small.png", max_pixels=99))
    assert len(list(open_source(tmp_path / "small.png", max_pixels=100))) == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((3, 4), 0x8000, np.uint16))
        expected = (128, 128, 128)
    else:
        image = Image.new("RGBA", (4, 3), (255, 255, 255, 255)).convert(mode)
        expected = (255, 255, 255)
    image.save(tmp_path / "a.png")
    assert (read_picture(tmp_path / "a.png") == expected).all()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_can_be_read(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / f"a{suffix}", size=(16, 16))
    (frame,) = open_source(tmp_path)
    assert np.abs(frame.data.astype(int) - RED).max() < 90 if suffix == ".pgm" else True
    assert frame.data.shape == (16, 16, 3)


@pytest.mark.parametrize("suffix", [".eps", ".pcx", ".tga"])
def test_other_formats_are_not_opened_whatever_the_name(tmp_path: Path, suffix: str) -> None:
    """Pillow's decoders for them are old, rarely used, or call other programs."""
    save(tmp_path / f"a{suffix}").rename(tmp_path / "a.png")
    with pytest.raises(SourceError, match="not a readable picture"):
        read_picture(tmp_path / "a.png")


def test_close_ends_the_iteration(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    save(tmp_path / "b.png")
    with open_source(tmp_path) as source:
        next(source)
    assert list(source) == []
