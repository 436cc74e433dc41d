"""Windows of sensor readings from a CSV file: one reading a row, one channel a column."""

from __future__ import annotations

import csv
import math
import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Union

import numpy as np

from edge_sdk.errors import SourceError
from edge_sdk.sources.base import BaseSource
from edge_sdk.types import Frame

Column = Union[int, str]  # number from 0, or the header's name


class CsvSource(BaseSource):
    """Windows (time, channels) float32, cut from the rows of a file in their order.

    Frames are named by rows, `0-99` (from 0, header not counted). A row that cannot be read is skipped
    and counted; the next window of a given length begins behind it, for none may span a gap.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        window: int | None = None,
        stride: int | None = None,
        columns: Sequence[Column] | None = None,
        label: Column | None = None,
        header: bool | None = None,
    ) -> None:
        """`window` is in rows, None takes the whole file as one; `stride` rows lie between the starts
        of windows, None is `window`. `columns` are the channels in order, None all but `label`.
        `label` is the column of the ground truth; a window has the one that most of its rows have.
        `header` None means: there is one if a channel's first cell is no number. Cells are separated
        by comma, semicolon or tab. `SourceError` if the file cannot be read or a column is not there.
        """
        super().__init__()
        self._path = os.fspath(path)
        if (window is not None and window < 1) or (stride is not None and stride < 1):
            raise SourceError(f"{self._path}: window {window} and stride {stride} must be at least 1 row")
        first = next(self._rows(), None)
        if not first:
            raise SourceError(f"{self._path} has no rows")
        self._width = len(first)
        names = [cell.strip() for cell in first]
        self._label = None if label is None else self._find(label, names)
        chosen = [i for i in range(self._width) if i != self._label] if columns is None else columns
        self._columns = [self._find(column, names) for column in chosen]
        if not self._columns:
            raise SourceError(f"{self._path}: no column is left for the channels")
        self._header = _numbers(first, self._columns) is None if header is None else header
        self._window, self._stride = window, stride or window

    def _find(self, column: Column, names: Sequence[str]) -> int:
        if isinstance(column, str):
            if column in names:
                return names.index(column)
        elif 0 <= column < len(names):
            return column
        raise SourceError(f"{self._path} has no column {column!r}; its first row is: {', '.join(names)}")

    def _rows(self) -> Iterator[list[str]]:
        """The file's rows without blank ones; a row that the csv module refuses comes as []."""
        try:
            with open(self._path, newline="", encoding="utf-8-sig", errors="replace") as file:
                separator = max(",;\t", key=file.readline(1 << 16).count)
                file.seek(0)
                rows = csv.reader(file, delimiter=separator)
                while True:
                    try:
                        row = next(rows)
                    except StopIteration:
                        return
                    except csv.Error:
                        yield []
                        continue
                    if row:
                        yield row
        except OSError as problem:
            raise SourceError(f"{self._path}: {problem.strerror}") from problem

    def _frames(self) -> Iterator[Frame]:
        rows = self._rows()
        if self._header:
            next(rows)
        held: deque[tuple[int, list[float], str]] = deque(maxlen=self._window)
        due = 0  # the row at which the next window begins
        made = 0
        for number, row in enumerate(rows):
            values = _numbers(row, self._columns) if len(row) == self._width else None
            if values is None:
                self._skip(
                    f"{self._path} row {number}: {len(row)} cells {row[:8]}, not {self._width} numbers"
                )
                due = number + 1
                continue
            held.append((number, values, "" if self._label is None else row[self._label].strip()))
            if self._window is not None and len(held) == self._window and held[0][0] >= due:
                yield self._frame(held)
                made += 1
                due += self._stride or 1
        if self._window is None and held:
            yield self._frame(held)
        elif not made:
            raise SourceError(f"{self._path} has no {self._window or 1} readable rows in succession")

    def _frame(self, rows: Sequence[tuple[int, list[float], str]]) -> Frame:
        window = np.array([values for _, values, _ in rows], np.float32)
        truth = None if self._label is None else Counter(label for _, _, label in rows).most_common(1)[0][0]
        return Frame(window, f"{rows[0][0]}-{rows[-1][0]}", time.monotonic_ns(), label=truth)


def _numbers(row: Sequence[str], columns: Sequence[int]) -> list[float] | None:
    """The cells of `columns`; None if one is no finite number."""
    try:
        values = [float(row[i]) for i in columns]
    except (ValueError, IndexError):
        return None
    return values if all(map(math.isfinite, values)) else None
