"""Regions of the picture that nobody may see: black before a frame leaves its source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from edge_sdk.errors import SourceError
from edge_sdk.types import Frame

if TYPE_CHECKING:
    from edge_sdk.sources import Source


class Mask(NamedTuple):
    """A rectangle in the source picture's own pixels; (x, y) is the upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.width},{self.height}"


def parse(text: str) -> Mask:
    """Reads `x,y,width,height`; `SourceError` if it is no rectangle."""
    try:
        return check([int(part) for part in text.split(",")])
    except ValueError:
        raise SourceError(f"mask {text}: it is x,y,width,height in pixels") from None


def check(values: Sequence[int]) -> Mask:
    """Four numbers as a mask; `SourceError` if it covers nothing."""
    if len(values) != 4:
        raise SourceError(f"mask {','.join(map(str, values))}: it is x,y,width,height in pixels")
    mask = Mask(*values)
    if mask.x < 0 or mask.y < 0 or mask.width < 1 or mask.height < 1:
        raise SourceError(f"mask {mask}: x and y must be 0 or more, width and height 1 or more")
    return mask


def apply(frame: Frame, masks: Sequence[Mask]) -> Frame:
    """The frame with the masks' pixels black; in its own memory where that may be written.

    A mask may reach over the picture's edge. One that lies beside it is `SourceError`: it was made for
    another picture, and what it should hide would be seen.
    """
    if not masks:
        return frame
    if frame.data.ndim != 3:
        raise SourceError(f"frame {frame.id} has shape {frame.data.shape}; only pictures can be masked")
    height, width = frame.data.shape[:2]
    for mask in masks:
        if mask.x >= width or mask.y >= height:
            raise SourceError(f"mask {mask} lies outside of frame {frame.id}, which is {width} x {height}")
    if not frame.data.flags.writeable:
        frame = replace(frame, data=frame.data.copy())
    for mask in masks:
        frame.data[mask.y : mask.y + mask.height, mask.x : mask.x + mask.width] = 0
    return frame


class MaskedSource:
    """Another source whose frames come out masked; implements the protocol `Source`."""

    def __init__(self, source: Source, masks: Sequence[Sequence[int]]) -> None:
        self._source, self._masks = source, [check(mask) for mask in masks]

    @property
    def live(self) -> bool:
        return self._source.live

    @property
    def skipped(self) -> int:
        return self._source.skipped

    @property
    def reasons(self) -> list[str]:
        return self._source.reasons

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        frame = next(self._source)
        try:
            return apply(frame, self._masks)
        except SourceError:
            frame.release()
            raise

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> MaskedSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
