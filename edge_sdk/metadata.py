"""What a model file says about itself: labels, normalization, author.

Two forms are read. TFLite metadata is a flatbuffer (identifier M001, schema
https://github.com/tensorflow/tflite-support/blob/master/tensorflow_lite_support/metadata/metadata_schema.fbs)
in the model's buffer TFLITE_METADATA, with label files in a ZIP appended to the model. Ultralytics
puts a `metadata.json` into that ZIP instead.

The bytes come from strangers: every offset is checked, every size and count is capped, and what is
damaged raises `ModelError`, because a guessed normalization would give wrong results in silence.
"""

from __future__ import annotations

import io
import json
import logging
import math
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from struct import Struct
from struct import error as StructError
from typing import Any

from edge_sdk import labels as label_files
from edge_sdk.errors import InputError, ModelError

_log = logging.getLogger(__name__)

BUFFER = "TFLITE_METADATA"

# Far above what any real model holds, low enough that hostile files cost neither time nor memory.
_MAX_TENSORS = 256
_MAX_ENTRIES = 64  # process units or associated files of one tensor
_MAX_TEXT = 1 << 16  # bytes of one string
_MAX_CHANNELS = 4096
_MAX_FILE = 8 << 20  # bytes of one file of the ZIP, unpacked
_MAX_DIRECTORY = 1 << 20  # bytes of the ZIP's list of files


@dataclass(frozen=True)
class Normalization:
    """real = (x - mean) / std, with x a pixel from 0 to 255 or a sensor's own unit."""

    mean: tuple[float, ...]  # one value, or one per channel
    std: tuple[float, ...]  # one value, or one per channel; none of them 0

    def __post_init__(self) -> None:
        if not self.mean or not self.std:
            raise InputError("normalization needs a mean and a std, each one value or one per channel")
        if not all(map(math.isfinite, self.mean + self.std)) or 0 in self.std:
            raise InputError(f"normalization by mean {self.mean}, std {self.std}: finite, std not 0")


@dataclass(frozen=True)
class TensorMetadata:
    """One input or output of the model, in the model's order."""

    name: str = ""
    description: str = ""
    normalization: Normalization | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelMetadata:
    """What the file says; empty fields where it says nothing."""

    name: str = ""
    description: str = ""
    version: str = ""
    author: str = ""
    license: str = ""
    task: str = ""  # Ultralytics only: detect, classify, segment, pose, obb
    image_size: tuple[int, int] | None = None  # Ultralytics only: height, width in pixels
    inputs: tuple[TensorMetadata, ...] = ()
    outputs: tuple[TensorMetadata, ...] = ()
    labels: tuple[str, ...] = ()  # of the first output that has any
    files: tuple[str, ...] = ()  # names in the appended ZIP

    @property
    def normalization(self) -> Normalization | None:
        """Of the first input."""
        return self.inputs[0].normalization if self.inputs else None


def read(metadata_buffers: Mapping[str, bytes], file_bytes: bytes) -> ModelMetadata:
    """Reads the metadata of one model file.

    `metadata_buffers` are the file's metadata buffers by name, `file_bytes` the whole file (or b"" if
    nothing is appended to it). A file without metadata gives an empty `ModelMetadata`; a damaged one
    raises `ModelError` that names the byte.
    """
    files = _AppendedFiles(file_bytes)
    metadata = ModelMetadata()
    if BUFFER in metadata_buffers:
        try:
            metadata = _read_flatbuffer(bytes(metadata_buffers[BUFFER]), files)
        except _Damaged as problem:
            raise ModelError(
                f"{BUFFER} is damaged: {problem}; give labels and normalization yourself to use the model"
            ) from None
    if "metadata.json" in files.names:
        metadata = _add_ultralytics(metadata, files.read("metadata.json"))
    return replace(metadata, files=files.names)


def labels_from_file(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Labels from a text file: `0:cat`, `0 cat`, `0  cat`, or one name a line; `InputError` if it cannot."""
    return label_files.from_file(path)


# The flatbuffer


class _Damaged(Exception):
    """Where the flatbuffer points outside itself."""


_U8, _U16, _U32, _I32 = Struct("<B"), Struct("<H"), Struct("<I"), Struct("<i")


def _number(data: bytes, at: int, form: Struct) -> int:
    if not 0 <= at <= len(data) - form.size:
        raise _Damaged(f"it points to byte {at} of {len(data)}")
    return int(form.unpack_from(data, at)[0])


class _Table:
    """A flatbuffer table, bounds-checked; `slot` counts the schema's fields from 0, a union's as two."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._vtable = at - _number(data, at, _I32)
        self._vtable_size = _number(data, self._vtable, _U16)

    def _field(self, slot: int) -> int | None:
        entry = 4 + 2 * slot
        if entry + 2 > self._vtable_size:
            return None
        offset = _number(self._data, self._vtable + entry, _U16)
        return self._at + offset if offset else None

    def _vector(self, slot: int, width: int, limit: int) -> tuple[int, int]:
        """Position and length of a vector whose elements have `width` bytes; (0, 0) if absent."""
        field = self._field(slot)
        if field is None:
            return 0, 0
        at = field + _number(self._data, field, _U32)
        length = _number(self._data, at, _U32)
        if length > limit or at + 4 + length * width > len(self._data):
            raise _Damaged(f"the vector at byte {at} has {length} elements")
        return at + 4, length

    def byte(self, slot: int) -> int:
        field = self._field(slot)
        return 0 if field is None else _number(self._data, field, _U8)

    def text(self, slot: int) -> str:
        at, length = self._vector(slot, 1, _MAX_TEXT)
        return self._data[at : at + length].decode("utf-8", "replace")

    def floats(self, slot: int) -> tuple[float, ...]:
        at, length = self._vector(slot, 4, _MAX_CHANNELS)
        return Struct(f"<{length}f").unpack_from(self._data, at)

    def table(self, slot: int) -> _Table | None:
        field = self._field(slot)
        return None if field is None else _Table(self._data, field + _number(self._data, field, _U32))

    def tables(self, slot: int, limit: int) -> list[_Table]:
        at, length = self._vector(slot, 4, limit)
        places = range(at, at + 4 * length, 4)
        return [_Table(self._data, place + _number(self._data, place, _U32)) for place in places]


def _read_flatbuffer(data: bytes, files: _AppendedFiles) -> ModelMetadata:
    if data[4:8] != b"M001":
        raise _Damaged(f"bytes 4 to 7 are {data[4:8]!r}, not its identifier b'M001'")
    root = _Table(data, _number(data, 0, _U32))
    metadata = ModelMetadata(
        name=root.text(0),
        description=root.text(1),
        version=root.text(2),
        author=root.text(4),
        license=root.text(5),
        labels=_labels(root, 6, files),
    )
    for main in root.tables(3, _MAX_TENSORS)[:1]:
        outputs = tuple(_tensor(t, files) for t in main.tables(3, _MAX_TENSORS))
        # Most writers hang the label file on the output, some on the subgraph or on the model.
        of_outputs = next((t.labels for t in outputs if t.labels), ())
        metadata = replace(
            metadata,
            inputs=tuple(_tensor(t, files) for t in main.tables(2, _MAX_TENSORS)),
            outputs=outputs,
            labels=of_outputs or _labels(main, 4, files) or metadata.labels,
        )
    return metadata


def _tensor(table: _Table, files: _AppendedFiles) -> TensorMetadata:
    normalization = None
    for unit in table.tables(4, _MAX_ENTRIES):
        options = unit.table(1) if unit.byte(0) == 1 else None  # 1: NormalizationOptions
        if options is not None:
            try:
                normalization = Normalization(options.floats(0), options.floats(1))
            except InputError as problem:
                raise _Damaged(str(problem)) from None
    return TensorMetadata(table.text(0), table.text(1), normalization, _labels(table, 6, files))


def _labels(table: _Table, slot: int, files: _AppendedFiles) -> tuple[str, ...]:
    """The labels of a table's first label file; one without a locale is preferred to translations."""
    entries = [f for f in table.tables(slot, _MAX_ENTRIES) if f.byte(2) in (2, 3)]  # TENSOR_*_LABELS
    for entry in sorted(entries, key=lambda f: bool(f.text(3))):
        name = entry.text(0)
        if name in files.names:
            return files.labels(name)
        # Tools that rewrite a model often lose the ZIP; the model itself is unharmed.
        _log.warning("the model's metadata names the label file %r, which the file does not hold", name)
    return ()


# The appended ZIP


_ZIP_ERRORS = (  # what damaged archives raise
    OSError,
    ValueError,
    EOFError,
    NotImplementedError,
    StructError,
    zipfile.BadZipFile,
    zlib.error,
)


class _AppendedFiles:
    """The ZIP behind a model, if there is one; its files are unpacked when asked for."""

    def __init__(self, data: bytes) -> None:
        self.names: tuple[str, ...] = ()
        self._labels: dict[str, tuple[str, ...]] = {}
        if _has_small_directory(data):
            try:
                self._archive = zipfile.ZipFile(io.BytesIO(data))
            except _ZIP_ERRORS as problem:
                raise ModelError(f"the ZIP appended to the model is damaged: {problem}") from None
            self.names = tuple(self._archive.namelist())

    def read(self, name: str) -> bytes:
        entry = self._archive.getinfo(name)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & 1:
            raise ModelError(f"{name} in the ZIP appended to the model is neither stored nor deflated")
        try:
            with self._archive.open(entry) as file:
                content = file.read(_MAX_FILE + 1)  # a bomb is unpacked no further
        except _ZIP_ERRORS as problem:
            raise ModelError(f"{name} in the ZIP appended to the model is damaged: {problem}") from None
        if len(content) > _MAX_FILE:
            raise ModelError(f"{name} in the ZIP appended to the model unpacks to over {_MAX_FILE} bytes")
        return content

    def labels(self, name: str) -> tuple[str, ...]:
        if name not in self._labels:  # many tensors may share one file
            try:
                self._labels[name] = label_files.parse(self.read(name).decode("utf-8", "replace"))
            except InputError as problem:
                raise ModelError(f"{name} in the ZIP appended to the model: {problem}") from None
        return self._labels[name]


def _has_small_directory(data: bytes) -> bool:
    """Whether a ZIP ends the file and lists few files (zipfile reads the list whole).

    The end record is `PK 5 6`; at 12 stand the list's bytes, at 20 the length of the comment that
    ends the file (APPNOTE.TXT 4.3.16). ZIP64, for archives above 4 GB, is not taken.
    """
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - 22 - 0xFFFF))
    if at < 0 or at + 22 > len(data) or at + 22 + _number(data, at + 20, _U16) != len(data):
        return False
    is_zip64 = at >= 20 and data[at - 20 : at - 16] == b"PK\x06\x07"
    return _number(data, at + 12, _U32) <= _MAX_DIRECTORY and not is_zip64


# Ultralytics


def _add_ultralytics(metadata: ModelMetadata, content: bytes) -> ModelMetadata:
    """Fills empty fields from the `metadata.json` that https://docs.ultralytics.com/modes/export writes."""
    try:
        found = json.loads(content.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as problem:
        raise ModelError(f"metadata.json appended to the model is damaged: {problem}") from None
    if not isinstance(found, dict):
        raise ModelError("metadata.json appended to the model holds no object")

    def text(key: str) -> str:
        value = found.get(key)
        return value[:_MAX_TEXT] if isinstance(value, str) else ""

    size = found.get("imgsz")
    height, width = size if isinstance(size, list) and len(size) == 2 else (size, size)
    return replace(
        metadata,
        description=metadata.description or text("description"),
        version=metadata.version or text("version"),
        author=metadata.author or text("author"),
        license=metadata.license or text("license"),
        task=text("task"),
        image_size=(height, width) if isinstance(height, int) and isinstance(width, int) else None,
        # Ultralytics models take pixels scaled to 0..1.
        inputs=metadata.inputs or (TensorMetadata(normalization=Normalization((0.0,), (255.0,))),),
        labels=metadata.labels or _names(found.get("names")),
    )


def _names(names: Any) -> tuple[str, ...]:
    """Labels from `names`: {"0": "person", ...} or ["person", ...]."""
    pairs = enumerate(names) if isinstance(names, list) else names.items() if isinstance(names, dict) else ()
    try:
        numbered = {int(key): name for key, name in pairs}
        if not all(isinstance(name, str) for name in numbered.values()):
            raise ValueError("a name is not a string")
        return label_files.from_numbers(numbered)
    except ValueError as problem:  # also InputError
        raise ModelError(f'"names" in metadata.json appended to the model: {problem}') from None
