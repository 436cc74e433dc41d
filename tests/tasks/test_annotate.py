"""Pictures with results on them."""

from __future__ import annotations

import pytest
from PIL import Image

from edge_sdk.tasks.annotate import annotate, contact_sheet
from edge_sdk.types import Box, Class, Detection


def changed(before: Image.Image, after: Image.Image) -> list[tuple[int, int]]:
    return [
        (x, y)
        for x in range(before.width)
        for y in range(before.height)
        if before.getpixel((x, y)) != after.getpixel((x, y))
    ]


def test_boxes_are_drawn_where_they_are() -> None:
    picture = Image.new("RGB", (200, 100), "black")
    drawn = annotate(picture, [Detection(3, 0.9, "cat", Box(60, 40, 150, 90))])
    assert picture.getpixel((60, 60)) == (0, 0, 0), "the original stays"
    outline = drawn.getpixel((60, 60))
    assert outline != (0, 0, 0)
    for point in ((150, 60), (100, 90), (100, 40)):
        assert drawn.getpixel(point) == outline
    assert drawn.getpixel((100, 60)) == (0, 0, 0), "the inside stays visible"


@pytest.mark.parametrize("box", [Box(0, 0, 20, 20), Box(190, 0, 200, 10), Box(190, 90, 200, 100)])
def test_labels_stay_inside_the_picture(box: Box) -> None:
    """The plate is as large at the edges as in the middle."""
    picture = Image.new("L", (200, 100))

    def area(at: Box) -> int:
        plain = annotate(picture, [Detection(0, 0.9, "", at)])
        labelled = annotate(picture, [Detection(0, 0.9, "a label", at)])
        return len(changed(plain, labelled))

    middle = Box(80, 50, 100, 60)
    assert area(box) >= 0.5 * area(middle)


def test_the_best_class_is_the_caption() -> None:
    picture = Image.new("RGB", (300, 100))
    cat, dog = Class(0, 0.9, "cat"), Class(1, 0.1, "dog")
    assert annotate(picture, [dog, cat]).tobytes() == annotate(picture, [cat]).tobytes()
    assert annotate(picture, [cat]).tobytes() != annotate(picture, [dog]).tobytes()
    assert annotate(picture, []).tobytes() == picture.tobytes()


def test_contact_sheet_shows_every_picture_in_its_place() -> None:
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    pictures = [(Image.new("RGB", (40, 20), colour), "a caption too long for its cell") for colour in colours]
    sheet = contact_sheet(pictures, columns=2, side=50)
    seen = {colour: [] for colour in colours}  # type: dict[tuple[int, ...], list[tuple[int, int]]]
    for x in range(sheet.width):
        for y in range(sheet.height):
            pixel = sheet.getpixel((x, y))
            if pixel in seen:
                seen[pixel].append((x, y))  # type: ignore[index]
    assert all(len(points) == 50 * 25 for points in seen.values())
    red, green, blue = (min(seen[colour]) for colour in colours)
    assert red[0] < green[0]
    assert red[1] == green[1]
    assert blue[0] == red[0]
    assert blue[1] > red[1]
