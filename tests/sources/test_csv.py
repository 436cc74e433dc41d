"""Sensor windows from CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.errors import SourceError
from edge_sdk.sources import Source, open_source


def source_of(tmp_path: Path, text: str, **options: Any) -> Source:
    path = tmp_path / "readings.csv"
    path.write_text(text)
    return open_source(path, **options)


def rows(count: int) -> str:
    return "".join(f"{i},{i + 0.5}\n" for i in range(count))


def test_windows_follow_each_other(tmp_path: Path) -> None:
    source = source_of(tmp_path, rows(7), window=3)
    assert not source.live
    frames = list(source)
    assert [f.id for f in frames] == ["0-2", "3-5"]
    assert frames[0].data.dtype == np.float32
    np.testing.assert_array_equal(frames[1].data, [[3, 3.5], [4, 4.5], [5, 5.5]])
    assert frames[0].label is None


def test_a_bad_row_leaves_the_rest_of_a_whole_file(tmp_path: Path) -> None:
    source = source_of(tmp_path, "1,2\nx,y\n3,4\n5,6\n", header=False)
    (frame,) = source
    np.testing.assert_array_equal(frame.data, [[1, 2], [3, 4], [5, 6]])
    assert source.skipped == 1


@pytest.mark.parametrize(
    ("stride", "ids"),
    [(1, ["0-2", "1-3", "2-4", "3-5"]), (2, ["0-2", "2-4"]), (3, ["0-2", "3-5"]), (4, ["0-2"])],
)
def test_stride(tmp_path: Path, stride: int, ids: list[str]) -> None:
    assert [f.id for f in source_of(tmp_path, rows(6), window=3, stride=stride)] == ids


def test_without_a_window_the_file_is_one(tmp_path: Path) -> None:
    (frame,) = source_of(tmp_path, rows(5))
    assert frame.data.shape == (5, 2)
    assert frame.id == "0-4"


HEADED = "time,x,y,what\n0,1,2,walk\n1,3,4,walk\n2,5,6,run\n3,7,8,run\n"


def test_columns_and_labels_by_name_or_number(tmp_path: Path) -> None:
    for columns, label in ((["y", "x"], "what"), ([2, 1], 3)):
        frames = list(source_of(tmp_path, HEADED, window=2, columns=columns, label=label))
        np.testing.assert_array_equal(frames[0].data, [[2, 1], [4, 3]])
        assert [f.label for f in frames] == ["walk", "run"]
    (frame,) = source_of(tmp_path, HEADED, window=4, label="what")
    assert frame.data.shape == (4, 3), "all columns but the label"


def test_a_window_has_the_label_of_most_of_its_rows(tmp_path: Path) -> None:
    (frame,) = source_of(tmp_path, "1,a\n2,b\n3,b\n", label=1)
    assert frame.label == "b"


@pytest.mark.parametrize(
    ("text", "header", "expected"),
    [
        ("a,b\n1,2\n", None, [[1, 2]]),
        ("1,2\n3,4\n", None, [[1, 2], [3, 4]]),
        ("1,2\n3,4\n", True, [[3, 4]]),
        ("1;2\n3;4\n", None, [[1, 2], [3, 4]]),
        ("1\t2\n3\t4\n", None, [[1, 2], [3, 4]]),
        ("\ufeffa,b\r\n1, 2\r\n\r\n\n", None, [[1, 2]]),
        ("\n1,2\n\n3,4", None, [[1, 2], [3, 4]]),
        ("5\n6\n", None, [[5], [6]]),
    ],
)
def test_headers_separators_and_blank_lines(tmp_path: Path, text: str, header: Any, expected: Any) -> None:
    source = source_of(tmp_path, text, header=header)
    (frame,) = source
    np.testing.assert_array_equal(frame.data, expected)
    assert source.skipped == 0


@pytest.mark.parametrize("bad", ["x,1", "1", "1,2,3", "nan,1", "1,inf", "1,", '"1,2'])
def test_no_window_spans_a_bad_row(tmp_path: Path, bad: str, caplog: pytest.LogCaptureFixture) -> None:
    lines = rows(9).splitlines()
    lines[4] = bad if not bad.startswith('"') else bad + '"'
    source = source_of(tmp_path, "\n".join(lines), window=2)
    assert [f.id for f in source] == ["0-1", "2-3", "5-6", "7-8"]
    assert source.skipped == 1
    assert "row 4" in source.reasons[0]
    assert source.reasons[0] in caplog.text


def test_cells_beyond_the_csv_modules_limit_are_a_bad_row(tmp_path: Path) -> None:
    source = source_of(tmp_path, "1,2\n3,4\n" + "9" * 200_000 + ",1\n5,6\n7,8\n", window=2)
    assert [f.id for f in source] == ["0-1", "3-4"]
    assert source.skipped == 1


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", {}, "has no rows"),
        ("1,2\n", {"window": 2}, "no 2 readable rows"),
        ("a,b\n", {}, "no 1 readable rows"),
        ("1,2\n", {"window": 0}, "at least 1"),
        ("1,2\n", {"window": 1, "stride": 0}, "at least 1"),
        ("a,b\n1,2\n", {"columns": ["c"]}, "no column 'c'; its first row is: a, b"),
        ("a,b\n1,2\n", {"columns": [2]}, "no column 2"),
        ("a,b\n1,2\n", {"label": "c"}, "no column 'c'"),
        ("1\n2\n", {"label": 0}, "no column is left"),
        ("1,2\n", {"rows": 3}, "'rows'; its options are: window"),
    ],
)
def test_what_cannot_be_is_an_error(tmp_path: Path, text: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(SourceError) as raised:
        list(source_of(tmp_path, text, **options))
    assert words in str(raised.value)


def test_a_missing_file_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        open_source(tmp_path / "absent.csv")
    with pytest.raises(SourceError, match="Is a directory"):
        open_source(f"csv:{tmp_path}")
