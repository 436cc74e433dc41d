"""shim.c built and used: what a process did to a folder, and what a power cut would have left of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest


def build(folder: Path) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("not run for want of a C compiler")
    library = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl", "-pthread"], check=True
    )
    return library


def environment(library: Path, folder: Path, **more: Path) -> dict[str, str]:
    """For a process whose doings in `folder` are looked at."""
    wanted = {"LD_PRELOAD": library, "FAULTS_FOLDER": folder.resolve(), **more}
    return {**os.environ, **{name: str(value) for name, value in wanted.items()}}


@dataclass
class _File:
    now: bytearray = field(default_factory=bytearray)
    safe: bytes = b""


@dataclass(frozen=True)
class Moment:
    """What a disk that keeps only what was synced holds between two syncs, and what was said by then."""

    files: dict[str, bytes]
    marks: list[str]

    def restore(self, folder: Path) -> None:
        folder.mkdir()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def moments(log: bytes) -> Iterator[Moment]:
    """One for each sync. The log: lines of `kind name other offset size`, each followed by `size` bytes.

    A file's content is safe once the file was synced, a name (made, changed or gone) once the folder was.
    """
    entries: dict[str, _File] = {}
    safe_entries: dict[str, _File] = {}
    marks: list[str] = []

    def left() -> Moment:
        return Moment({n: f.safe for n, f in safe_entries.items()}, list(marks))

    at = 0
    while at < len(log):
        end = log.index(b"\n", at)
        kind, name, other, offset, size = log[at:end].decode().split()
        data, at = log[end + 1 : end + 1 + int(size)], end + 1 + int(size)
        if name.endswith("-shm"):  # SQLite makes it anew
            continue
        if kind == "mark":
            marks.append(name)
        elif kind == "create":
            entries[name] = _File()
        elif kind == "write":
            content, place = entries[name].now, int(offset)
            content.extend(bytes(max(0, place - len(content))))
            content[place : place + len(data)] = data
        elif kind == "truncate":
            content = entries[name].now
            content.extend(bytes(max(0, int(offset) - len(content))))
            del content[int(offset) :]
        elif kind == "unlink":
            del entries[name]
        elif kind == "rename":
            entries[other] = entries.pop(name)
        elif kind == "sync":
            yield left()  # in the moment before it, when most was said
            if name == ".":
                safe_entries = dict(entries)
            elif name in entries:
                entries[name].safe = bytes(entries[name].now)
    yield left()
