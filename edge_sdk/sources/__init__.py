"""Sources: where frames come from. Each lives in its own module, loaded on first use.

A new source needs its line in `SOURCES`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Protocol

from edge_sdk import lazy
from edge_sdk.errors import SourceError
from edge_sdk.sources.masks import MaskedSource
from edge_sdk.types import Frame

SOURCES = {
    "csv": "edge_sdk.sources.csv_windows:CsvSource",
    "pictures": "edge_sdk.sources.pictures:PictureSource",
    "synthetic": "edge_sdk.sources.synthetic:SyntheticSource",
}


class Source(Protocol):
    """An iterator of frames. Items that cannot be read are logged, counted and passed over."""

    @property
    def live(self) -> bool:
        """Whether frames are lost when nobody takes them in time, as a camera's are."""
        ...

    @property
    def skipped(self) -> int:
        """Items that could not be read so far."""
        ...

    @property
    def reasons(self) -> list[str]:
        """What was wrong with the first of them, each naming the item."""
        ...

    def __iter__(self) -> Iterator[Frame]: ...

    def __next__(self) -> Frame: ...

    def close(self) -> None:
        """Ends the iteration, also one that waits in another thread."""
        ...

    def __enter__(self) -> Source: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_source(
    where: str | os.PathLike[str], *, masks: Sequence[Sequence[int]] = (), **options: Any
) -> Source:
    """The source that `where` names.

    `PICTURE`, `FOLDER` or `GLOB` gives pictures, `FILE.csv` sensor windows, `synthetic:` random frames;
    `csv:FILE` and `pictures:PATH` say so whatever the name. `options` are those of the source's class.
    `SourceError` if there is nothing there or an option is unknown.

    `masks` are rectangles (x, y, width, height) in the picture's pixels that are black before anything
    else sees a frame (`edge_sdk.sources.masks`).
    """
    text = os.fspath(where)
    name, colon, rest = text.partition(":")
    if colon and name in SOURCES:
        text = rest
    else:
        name = "csv" if text.lower().endswith(".csv") else "pictures"
    source: Source = lazy.call(lazy.load(SOURCES[name]), f"source {name}", SourceError, text, **options)
    return MaskedSource(source, masks) if masks else source
