"""Models read and written back; labels and normalization added."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip(
    "ai_edge_litert", reason="models are written with ai-edge-litert: pip install -e '.[test]'"
)

import flatbuffers
from builders import GraphBuilder

from edge_sdk import metadata
from edge_sdk.errors import ModelError
from edge_sdk.optimize import tflite_file

PATTERN = np.arange(1, 65, dtype=np.int8)


def dense() -> bytes:
    """A model of one layer whose weights are PATTERN."""
    g = GraphBuilder()
    x = g.input((1, 16), "int8", scale=0.5)
    w = g.constant(PATTERN.reshape(4, 16), scale=0.25)
    y = g.tensor((1, 4), "int8", scale=100.0)
    g.op("FULLY_CONNECTED", [x, w], [y])
    return g.build([y])


def described(node: Any) -> Any:
    """A tree of the schema's objects as plain values that compare by content."""
    if isinstance(node, list):
        return [described(v) for v in node]
    if isinstance(node, np.ndarray):
        return node.dtype.name, node.tolist()
    return {k: described(v) for k, v in vars(node).items()} if hasattr(node, "__dict__") else node


def run(model: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.full((1, 16), 3, np.int8))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def labels_of(model: bytes) -> tuple[str, ...]:
    return metadata.read({tflite_file.METADATA_NAME: metadata_buffer(model)}, model).labels


def metadata_buffer(model: bytes) -> bytes:
    tree = tflite_file.read(model)
    (entry,) = [m for m in tree.metadata if m.name == tflite_file.METADATA_NAME.encode()]
    return bytes(tree.buffers[entry.buffer].data)


def test_written_model_runs() -> None:
    np.testing.assert_array_equal(
        run(dense()), [[np.round(3 * PATTERN[i : i + 16].sum() / 800) for i in (0, 16, 32, 48)]]
    )


def test_what_was_read_is_written_back(tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(dense())
    tree = tflite_file.read(file)
    again = tflite_file.write(tree)
    assert described(tflite_file.read(again)) == described(tree)
    assert tflite_file.write(tree) == again


def test_data_is_aligned() -> None:
    assert dense().find(PATTERN.tobytes()) % tflite_file.BUFFER_ALIGNMENT == 0


def test_old_op_code_is_brought_up_to_date() -> None:
    tree = tflite_file.read(dense())
    (code,) = tree.operatorCodes
    number = code.builtinCode
    code.deprecatedBuiltinCode, code.builtinCode = number, 0
    builder = flatbuffers.Builder(1024)
    builder.Finish(tree.Pack(builder), tflite_file.IDENTIFIER)
    assert tflite_file.read(bytes(builder.Output())).operatorCodes[0].builtinCode == number


def with_data_behind(size: int) -> bytes:
    """The model with its weights behind the flatbuffer, said to be `size` bytes long."""
    tree = tflite_file.read(dense())
    offset = 1000
    for _ in range(2):  # the second time with the offset that the first has shown
        tree.buffers[1].data, tree.buffers[1].offset, tree.buffers[1].size = None, offset, size
        builder = flatbuffers.Builder(1024)
        builder.Finish(tree.Pack(builder), tflite_file.IDENTIFIER)
        front = bytes(builder.Output())
        offset = len(front)
    return front + PATTERN.tobytes()


def test_data_behind_the_flatbuffer_is_taken_in() -> None:
    tree = tflite_file.read(with_data_behind(len(PATTERN)))
    assert bytes(tree.buffers[1].data) == PATTERN.tobytes()
    np.testing.assert_array_equal(run(tflite_file.write(tree)), run(dense()))


def test_data_beyond_the_end_is_an_error() -> None:
    with pytest.raises(ModelError, match="cut short"):
        tflite_file.read(with_data_behind(len(PATTERN) + 1))


@pytest.mark.parametrize("content", [b"", b"TFL3", b"GIF89a" + bytes(64), dense()[:100]])
def test_what_is_no_model_is_an_error(content: bytes) -> None:
    with pytest.raises(ModelError):
        tflite_file.read(content)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        tflite_file.read(tmp_path / "nowhere.tflite")


def test_metadata_is_found_again() -> None:
    model = tflite_file.add_metadata(
        dense(), ["cat", "dog", "Löwe", "ant"], "animals", "four of them", mean=[1.0, 2.0], std=127.5
    )
    found = metadata.read({tflite_file.METADATA_NAME: metadata_buffer(model)}, model)
    assert (found.name, found.description) == ("animals", "four of them")
    assert found.labels == ("cat", "dog", "Löwe", "ant")
    assert found.normalization is not None
    assert (found.normalization.mean, found.normalization.std) == ((1.0, 2.0), (127.5,))
    np.testing.assert_array_equal(run(model), run(dense()))


def test_metadata_is_replaced_and_other_files_stay() -> None:
    model = tflite_file.add_metadata(tflite_file.append_files(dense(), {"notes.txt": b"kept"}), ["a"])
    again = tflite_file.add_metadata(model, ["b"])
    assert labels_of(again) == ("b",)
    assert tflite_file.appended_files(again) == {"notes.txt": b"kept", "labels.txt": b"b\n"}
    assert again.count(tflite_file.METADATA_IDENTIFIER) == 1


def test_zip_is_one_that_every_tool_opens() -> None:
    model = tflite_file.add_metadata(dense(), ["a"])
    with zipfile.ZipFile(io.BytesIO(model)) as archive:
        assert archive.testzip() is None
        assert archive.getinfo("labels.txt").compress_type == zipfile.ZIP_STORED
        start = min(info.header_offset for info in archive.infolist())
    assert model[start : start + 4] == b"PK\x03\x04"  # offsets count from the start of the file


def test_half_a_normalization_is_an_error() -> None:
    with pytest.raises(ModelError, match="mean and std"):
        tflite_file.add_metadata(dense(), mean=1.0)


@pytest.mark.full
def test_every_real_model_is_written_back(stash: Path) -> None:
    """A model read, written and read again is the same tree."""
    for file in sorted((stash / "real").rglob("*.tflite")):
        if file.stat().st_size < 5e6:
            tree = tflite_file.read(file)
            assert described(tflite_file.read(tflite_file.write(tree))) == described(tree), file.name


def test_equal_vectors_of_numbers_are_written_once() -> None:
    channels, layers = 512, 4
    g = GraphBuilder()
    x = g.input((1, 1), "int8", scale=0.5)
    weights = np.ones((channels, 1), np.int8)
    made = []
    for layer in range(layers):
        w = g.constant(weights, scale=np.full(channels, 0.1 * (layer + 1)))
        made.append(g.tensor((1, channels), "int8", scale=0.5))
        g.op("FULLY_CONNECTED", [x, w, None], [made[-1]])
    model = g.build(made)
    points = [t.quantization.zeroPoint for t in tflite_file.read(model).subgraphs[0].tensors if t.buffer]
    assert [len(p) for p in points] == [channels] * layers
    unlike = layers * (channels + 4 * channels)  # weights and scales
    assert len(model) < unlike + 8 * channels + 3000
