"""Results drawn onto pictures, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Union

from PIL import Image, ImageDraw, ImageFont

from edge_sdk.types import Class, Detection, Result

_Font = Union[ImageFont.FreeTypeFont, ImageFont.ImageFont]  # what load_default gives

# Colours that stay apart for most colour-blind eyes (Okabe and Ito, https://jfly.uni-koeln.de/color/).
_COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#d55e00", "#cc79a7", "#0072b2")


def annotate(image: Image.Image, results: Sequence[Result]) -> Image.Image:
    """A copy of `image`, RGB: a labelled box for each detection, a caption for the best class."""
    drawn = image.convert("RGB")
    pen = ImageDraw.Draw(drawn)
    side = max(drawn.size)
    font = ImageFont.load_default(max(10, side // 40))
    for found in [r for r in results if isinstance(r, Detection)]:
        box, colour = found.box, _COLOURS[found.id % len(_COLOURS)]
        pen.rectangle((box.xmin, box.ymin, box.xmax, box.ymax), outline=colour, width=max(2, side // 250))
        _label(pen, f"{found.label} {found.score:.2f}", box.xmin, box.ymin, font, colour)
    classes = [r for r in results if isinstance(r, Class)]
    if classes:
        best = max(classes, key=lambda c: c.score)
        _label(pen, f"{best.label} {best.score:.2f}", 0, 0, font, _COLOURS[best.id % len(_COLOURS)])
    return drawn


def contact_sheet(
    pictures: Sequence[tuple[Image.Image, str]], columns: int = 6, side: int = 160
) -> Image.Image:
    """Pictures in a grid, each fitted into `side` x `side` pixels above its caption."""
    font = ImageFont.load_default(max(10, side // 11))
    line = ceil(font.getbbox("Ag")[3])
    rows = ceil(len(pictures) / columns)
    gap = 6
    width, height = side + gap, side + line + 2 * gap
    sheet = Image.new("RGB", (columns * width + gap, rows * height + gap), "white")
    pen = ImageDraw.Draw(sheet)
    for i, (picture, caption) in enumerate(pictures):
        x, y = gap + i % columns * width, gap + i // columns * height
        scale = side / max(picture.size)
        small = picture.convert("RGB").resize(
            (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))),
            Image.Resampling.NEAREST if scale >= 2 else Image.Resampling.BILINEAR,
        )
        sheet.paste(small, (x + (side - small.width) // 2, y + (side - small.height) // 2))
        text = _shorten(caption, font, side)
        pen.text((x + side / 2, y + side + gap / 2), text, "black", font, anchor="ma")
    return sheet


def _label(pen: ImageDraw.ImageDraw, text: str, x: float, y: float, font: _Font, colour: str) -> None:
    """Text on a filled plate whose lower left corner is (x, y), moved into the picture."""
    left, _, right, bottom = font.getbbox(text)
    width, height = right - left + 6, bottom + 4
    x = max(0.0, min(x, pen.im.size[0] - width))
    y = max(0.0, y - height)
    pen.rectangle((x, y, x + width, y + height), fill=colour)
    pen.text((x + 3 - left, y + 1), text, "black", font)


def _shorten(text: str, font: _Font, width: float) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
