"""The only writer of `.tflite` files: a file as a tree of plain objects, changed, and written back.

The tree is `ModelT` of the TFLite schema (version 3) as ai-edge-litert generates it: `subgraphs`,
`operatorCodes`, `buffers`, ... with the schema's names in camel case. Formats:
https://github.com/google-ai-edge/LiteRT/blob/main/tflite/converter/schema/schema.fbs and
https://github.com/tensorflow/tflite-support/blob/master/tensorflow_lite_support/metadata/metadata_schema.fbs
"""

from __future__ import annotations

import copy
import io
import os
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Union

import numpy as np

from edge_sdk.errors import BackendError, ModelError

IDENTIFIER = b"TFL3"
METADATA_NAME = "TFLITE_METADATA"
METADATA_IDENTIFIER = b"M001"
BUFFER_ALIGNMENT = 16  # bytes; schema.fbs: `data:[ubyte] (force_align: 16)`

# Field numbers and enum values of metadata_schema.fbs.
_TENSOR_AXIS_LABELS = 2
_NORMALIZATION_OPTIONS = 1

Source = Union[str, "os.PathLike[str]", bytes]


def schema() -> Any:
    """The generated schema module: `ModelT`, `OperatorT`, `BuiltinOperator`, `TensorType`, ..."""
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise BackendError(
            "model files are written with ai-edge-litert and flatbuffers, which are not installed "
            f"({error}): pip install 'edge-sdk-runtime[optimize]'"
        ) from error
    return schema_py_generated


def read(source: Source) -> Any:
    """The `ModelT` tree of a model given as a path or as bytes.

    Two normal forms spare callers the file's history: each operator code's `builtinCode` is set even
    where an old file has the deprecated field alone, and data that lies behind the flatbuffer is moved
    into its buffer or operator. Raises ModelError for what is no model or is damaged.
    """
    data = raw(source)
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        raise ModelError(f"not a TFLite model: bytes 4 to 7 are {data[4:8]!r}, not {IDENTIFIER!r}")
    try:
        model = schema().ModelT.InitFromPackedBuf(data, 0)
    except (struct.error, IndexError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"damaged model, cannot be read: {error}") from error
    for code in model.operatorCodes or []:
        code.builtinCode = max(code.builtinCode, code.deprecatedBuiltinCode)
    for buffer in model.buffers or []:
        if buffer.offset > 1:  # 0 and 1 mean that the data is inside
            buffer.data = _slice(data, buffer.offset, buffer.size)
            buffer.offset = buffer.size = 0
    for subgraph in model.subgraphs or []:
        for op in subgraph.operators or []:
            if op.largeCustomOptionsOffset > 1:
                op.customOptions = _slice(data, op.largeCustomOptionsOffset, op.largeCustomOptionsSize)
                op.largeCustomOptionsOffset = op.largeCustomOptionsSize = 0
    return model


def write(model: Any, files: Mapping[str, bytes] | None = None) -> bytes:
    """The bytes of a `ModelT` tree, with `files` (name -> content) in a ZIP appended to it."""
    packed = copy.copy(model)
    packed.buffers = [_AlignedBuffer(buffer.data) for buffer in model.buffers or []]
    for code in model.operatorCodes or []:  # readers before schema 3a know only this one, a signed byte
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    builder = _sharing_builder(sum(b.size for b in packed.buffers) + 4096)
    builder.Finish(packed.Pack(builder), IDENTIFIER)
    return append_files(bytes(builder.Output()), files or {})


def append_files(model: bytes, files: Mapping[str, bytes]) -> bytes:
    """`model` with a ZIP of `files` behind it; the ZIP's offsets count from the start of the model."""
    if not files:
        return model
    whole = io.BytesIO(model)
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:  # stored: readers map it
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # ZipInfo's fixed date: same bytes every time
    return whole.getvalue()


def appended_files(source: Source) -> dict[str, bytes]:
    """The files of the ZIP behind a model, name -> content; empty where there is none."""
    whole = io.BytesIO(raw(source))
    if not zipfile.is_zipfile(whole):
        return {}
    with zipfile.ZipFile(whole) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def add_metadata(
    model: bytes,
    labels: Sequence[str] | None = None,
    name: str = "",
    description: str = "",
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
) -> bytes:
    """`model` with TFLite metadata: what the classes are called and how inputs are normalized.

    `labels` name the entries of the first output's last axis; they stand in `labels.txt` in the
    appended ZIP. `mean` and `std` (one value, or one a channel) say that inputs are (x - mean) / std of
    the raw value before quantization; give both or none. Metadata that the model had is replaced,
    other appended files stay.
    """
    if (mean is None) != (std is None):
        raise ModelError("normalization needs mean and std: give both or none")
    s = schema()
    tree = read(model)
    files = appended_files(model)
    if labels is not None:
        files["labels.txt"] = "".join(f"{label}\n" for label in labels).encode()
    graph = tree.subgraphs[0]
    normalization = None if mean is None or std is None else (_floats(mean), _floats(std))
    content = _metadata(
        len(graph.inputs), len(graph.outputs), name, description, labels is not None, normalization
    )
    buffer = s.BufferT(data=np.frombuffer(content, np.uint8))
    tree.metadata = tree.metadata or []
    for entry in tree.metadata:
        if text(entry.name) == METADATA_NAME:
            tree.buffers[entry.buffer] = buffer
            break
    else:
        tree.metadata.append(s.MetadataT(name=METADATA_NAME, buffer=len(tree.buffers)))
        tree.buffers.append(buffer)
    return write(tree, files)


def _metadata(
    inputs: int,
    outputs: int,
    name: str,
    description: str,
    labelled: bool,
    normalization: tuple[Any, Any] | None,
) -> bytes:
    """A `ModelMetadata` flatbuffer; numbers are the slots of metadata_schema.fbs."""
    import flatbuffers

    b = flatbuffers.Builder(1024)

    def table(slots: int, offsets: Mapping[int, int], small: Mapping[int, int] | None = None) -> int:
        b.StartObject(slots)
        for slot, offset in offsets.items():
            b.PrependUOffsetTRelativeSlot(slot, offset, 0)
        for slot, value in (small or {}).items():
            b.PrependUint8Slot(slot, value, 0)
        return int(b.EndObject())

    def vector(offsets: Sequence[int]) -> int:
        b.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            b.PrependUOffsetTRelative(offset)
        return int(b.EndVector())

    def tensors(count: int, first: Mapping[int, int], every: Mapping[int, int]) -> int:
        return vector([table(7, {**every, **(first if i == 0 else {})}) for i in range(count)])

    every_input: dict[int, int] = {}
    if normalization is not None:
        mean, std = (b.CreateNumpyVector(v) for v in normalization)
        unit = table(2, {1: table(2, {0: mean, 1: std})}, {0: _NORMALIZATION_OPTIONS})
        every_input[4] = vector([unit])  # TensorMetadata.process_units
    first_output: dict[int, int] = {}
    if labelled:
        file = table(4, {0: b.CreateString("labels.txt")}, {2: _TENSOR_AXIS_LABELS})
        first_output[6] = vector([file])  # TensorMetadata.associated_files
    subgraph = table(7, {2: tensors(inputs, {}, every_input), 3: tensors(outputs, first_output, {})})
    strings = {
        0: b.CreateString(name),
        1: b.CreateString(description),
        7: b.CreateString("1.0.0"),  # min_parser_version: the first schema has all that we use
    }
    b.Finish(table(8, {**strings, 3: vector([subgraph])}), METADATA_IDENTIFIER)
    return bytes(b.Output())


def _sharing_builder(size: int) -> Any:
    """A builder that writes equal vectors of numbers once.

    Quantized models repeat them: zero points take 8 bytes a channel, for weights and bias of each layer.
    """
    import flatbuffers

    class Builder(flatbuffers.Builder):  # type: ignore[misc]
        def CreateNumpyVector(self, x: Any) -> int:
            key = (x.dtype.str, x.tobytes())
            if key not in made:
                made[key] = super().CreateNumpyVector(x)
            return made[key]

    made: dict[tuple[str, bytes], int] = {}
    return Builder(size)


class _AlignedBuffer:
    """Packs like `BufferT`, which forgets that the schema aligns the data to 16 bytes."""

    def __init__(self, data: Any) -> None:
        self.data = None if data is None else np.asarray(data, np.uint8).tobytes()
        self.size = 0 if self.data is None else len(self.data) + BUFFER_ALIGNMENT

    def Pack(self, builder: Any) -> int:
        s = schema()
        data = None
        if self.data is not None:
            builder.Prep(BUFFER_ALIGNMENT, len(self.data))
            data = builder.CreateByteVector(self.data)
        s.BufferStart(builder)
        if data is not None:
            s.BufferAddData(builder, data)
        return int(s.BufferEnd(builder))


def raw(source: Source) -> bytes:
    """The bytes of a file, or those given."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {os.fspath(source)}: {error.strerror}") from error


def _slice(data: bytes, offset: int, size: int) -> Any:
    if size > len(data) - offset:
        raise ModelError(f"cut short: data at byte {offset} has {size} bytes, the file ends at {len(data)}")
    return np.frombuffer(data, np.uint8, size, offset)


def _floats(values: float | Sequence[float]) -> Any:
    return np.atleast_1d(np.asarray(values, np.float32))


def text(name: Any) -> str:
    """A name of the tree, which holds bytes or str depending on where it comes from."""
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)
