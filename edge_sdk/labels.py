"""Label files: the names of a model's classes."""

from __future__ import annotations

import os
import re

from edge_sdk.errors import InputError

MAX_LABELS = 1 << 20
_MAX_CHARACTERS = 8 << 20
_NUMBERED = re.compile(r"(\d{1,7})(?:\s*:\s*|\s+)(\S.*)", re.ASCII)


def parse(text: str) -> tuple[str, ...]:
    """Labels from a file's text: `0:cat`, `0 cat`, `0  cat` on every line, or else one name a line.

    Numbers without a name and blank lines between names get their number as the label, so that no
    other label changes its place. `InputError` if a number is given twice or is out of reason.
    """
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    matches = [_NUMBERED.fullmatch(line) for line in lines if line]
    numbered = [(int(match[1]), match[2]) for match in matches if match]
    if numbered and len(numbered) == len(matches):
        names: dict[int, str] = {}
        for number, name in numbered:
            if number in names:
                raise InputError(f"label {number} is given twice: {names[number]!r} and {name!r}")
            names[number] = name
        return from_numbers(names)
    return from_numbers({i: line for i, line in enumerate(lines) if line})


def from_numbers(names: dict[int, str]) -> tuple[str, ...]:
    """Labels by class number as a tuple; a gap's label is its number."""
    count = max(names, default=-1) + 1
    if count > MAX_LABELS:
        raise InputError(f"label number {count - 1} is too large, the limit is {MAX_LABELS - 1}")
    return tuple(names.get(i, str(i)) for i in range(count))


def from_file(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Labels from a text file (forms as in `parse`); `InputError` if it cannot be read or has none."""
    where = f"label file {os.fspath(path)}"
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(_MAX_CHARACTERS + 1)
    except OSError as problem:
        raise InputError(f"{where}: {problem.strerror}") from problem
    if len(text) > _MAX_CHARACTERS or "\0" in text:
        raise InputError(f"{where}: not a text file with one label a line")
    try:
        names = parse(text)
    except InputError as problem:
        raise InputError(f"{where}: {problem}") from None
    if not names:
        raise InputError(f"{where}: it is empty")
    return names
