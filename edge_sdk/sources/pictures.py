"""Picture files: one, a folder's, or those that a pattern matches."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from edge_sdk.errors import SourceError
from edge_sdk.sources.base import BaseSource
from edge_sdk.types import Array, Frame

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")

# Pillow opens more, among them formats that call other programs (EPS) or that nobody sends.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")


class PictureSource(BaseSource):
    """Pictures in the order of their names, as upright RGB.

    `path` is a file, a folder (its files with a picture's suffix, not its subfolders) or a pattern
    with `*`, `?` or `[...]`. A folder's picture that cannot be read is skipped and counted; where
    `path` names one file, `SourceError` is raised. Frames are named by file in a folder, else by path.
    """

    def __init__(self, path: str | os.PathLike[str], *, max_pixels: int = 50_000_000) -> None:
        """`max_pixels`: larger pictures are refused unread (a small file can unpack to gigabytes)."""
        super().__init__()
        self._max_pixels = max_pixels
        text = os.fspath(path)
        self._single = False
        if os.path.isdir(text):
            try:
                entries = [p for p in Path(text).iterdir() if p.suffix.lower() in SUFFIXES]
            except OSError as problem:
                raise SourceError(f"folder {text}: {problem.strerror}") from problem
            self._paths = sorted(p for p in entries if not p.is_dir())
            if not self._paths:
                raise SourceError(f"folder {text} holds no pictures ({', '.join(SUFFIXES)})")
            self._ids = [p.name for p in self._paths]
        elif glob.has_magic(text) and not os.path.lexists(text):
            self._paths = sorted(p for p in map(Path, glob.glob(text)) if not p.is_dir())
            if not self._paths:
                raise SourceError(f"no file matches {text}")
            self._ids = [str(p) for p in self._paths]
        else:
            if not os.path.exists(text):
                raise SourceError(f"no such picture, folder or pattern: {text}")
            self._paths, self._ids, self._single = [Path(text)], [text], True

    def _frames(self) -> Iterator[Frame]:
        for path, name in zip(self._paths, self._ids):
            t_ns = time.monotonic_ns()
            try:
                pixels = read_picture(path, self._max_pixels)
            except SourceError as problem:
                if self._single:
                    raise
                self._skip(str(problem))
                continue
            yield Frame(pixels, name, t_ns)


def read_picture(path: str | os.PathLike[str], max_pixels: int = 50_000_000) -> Array:
    """A picture file as (height, width, 3) uint8 RGB, turned upright as its EXIF data says."""
    where = os.fspath(path)
    try:
        with Image.open(path, formats=_FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise SourceError(f"{where}: {image.width} x {image.height} pixels, over {max_pixels}")
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I;16") or upright.mode == "I":  # 16-bit grey, which RGB would clip
                upright = Image.fromarray((np.asarray(upright) >> 8).clip(0, 255).astype(np.uint8))
            if "transparency" in upright.info:  # Pillow warns about the direct way
                upright = upright.convert("RGBA")
            return np.asarray(upright.convert("RGB"))
    except SourceError:
        raise
    except FileNotFoundError:
        raise SourceError(f"{where}: the file is missing") from None
    # Damaged files make Pillow's decoders raise almost anything (SyntaxError, struct.error, ...).
    except Exception as problem:
        raise SourceError(f"{where}: not a readable picture ({problem})") from problem
