"""What model files say about themselves, in both forms, sound and hostile."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from builders import GraphBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk import labels, metadata
from edge_sdk.errors import InputError, ModelError
from edge_sdk.metadata import ModelMetadata, Normalization, TensorMetadata
from edge_sdk.optimize import tflite_file

CATS = ["lion", "tiger", "Löwe, Katze"]


def model() -> bytes:
    g = GraphBuilder()
    x = g.input((1, 3), "float32")
    y = g.tensor((1, 3), "float32")
    g.op("RELU", [x], [y])
    return g.build(outputs=[y])


def described(**options: Any) -> tuple[dict[str, bytes], bytes]:
    """The arguments of `metadata.read` for a small model with metadata."""
    content = tflite_file.add_metadata(model(), **options)
    return buffers_of(content), content


def buffers_of(content: bytes) -> dict[str, bytes]:
    tree = tflite_file.read(content)
    return {entry.name.decode(): bytes(tree.buffers[entry.buffer].data) for entry in tree.metadata or []}


def appended(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A "model" with a ZIP of files behind it."""
    whole = io.BytesIO(b"the model's own bytes")
    with zipfile.ZipFile(whole, "a", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


# TFLite's own form


def test_labels_normalization_and_words_come_from_the_file() -> None:
    found = metadata.read(
        *described(labels=CATS, name="cats", description="Names cats", mean=[1, 2.5], std=[0.5, 3])
    )
    assert found.labels == ("lion", "tiger", "Löwe, Katze")
    assert found.normalization == Normalization((1.0, 2.5), (0.5, 3.0))
    assert (found.name, found.description) == ("cats", "Names cats")
    assert found.files == ("labels.txt",)
    assert found.outputs[0].labels == found.labels


def test_a_model_without_metadata_says_nothing() -> None:
    assert metadata.read({}, b"") == ModelMetadata()
    assert metadata.read(buffers_of(model()), model()) == ModelMetadata()


def test_labels_that_the_file_lost_are_not_an_error(caplog: pytest.LogCaptureFixture) -> None:
    buffers, content = described(labels=CATS, mean=1, std=2)
    found = metadata.read(buffers, content[: content.rfind(b"PK\x03\x04")])
    assert found.labels == ()
    assert found.normalization == Normalization((1.0,), (2.0,))
    assert "labels.txt" in caplog.text


REAL = [
    ("google-coral+test_data/mobilenet_v2_1.0_224_quant", 1001, "macaw", ((127.5,), (127.5,))),
    ("google-coral+test_data/tf2_mobilenet_v2_1.0_224_ptq", 1001, "macaw", ((127.5,), (127.5,))),
    ("tensorflow+tflite-support/automl_labeler_model", 5, "tulips", ((0.0,), (1.0,))),
    ("google-ai-edge+mediapipe/face_landmarker_v2__face_landmarks_detector", 0, None, ((0.0,), (255.0,))),
    ("google-ai-edge+mediapipe/face_landmark_with_attention-e06a80", 0, None, ((0.0,), (255.0,))),
    (
        "google-ai-edge+mediapipe/hand_gesture_recognizer_with_custom_classifier__custom_gesture_classifier",
        4,
        "Rock",
        None,
    ),
    ("mlcommons+tiny/kws_ref_model", 0, None, None),
]


@pytest.mark.parametrize(("name", "count", "label", "normalization"), REAL, ids=[n for n, *_ in REAL])
def test_real_models(stash: Path, name: str, count: int, label: str | None, normalization: Any) -> None:
    content = (stash / "real" / f"{name}.tflite").read_bytes()
    found = metadata.read(buffers_of(content), content)
    assert len(found.labels) == count
    assert label is None or label in found.labels
    assert found.normalization == (normalization and Normalization(*normalization))


# Ultralytics' form


def test_ultralytics() -> None:
    said = {
        "description": "Ultralytics YOLO11n model",
        "author": "Ultralytics",
        "version": "8.3.0",
        "license": "AGPL-3.0",
        "task": "detect",
        "imgsz": [480, 640],
        "names": {"0": "person", "2": "car"},
    }
    found = metadata.read({}, appended({"metadata.json": json.dumps(said).encode()}))
    assert found.labels == ("person", "1", "car")
    assert (found.task, found.image_size, found.version) == ("detect", (480, 640), "8.3.0")
    assert found.normalization == Normalization((0.0,), (255.0,))


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[1]",
        b"\xff\xfe",
        b'{"names": {"a": "b"}}',
        b'{"names": {"99999999": "b"}}',
        b'{"names": [1]}',
        b'{"names": {"0": ' + b"[" * 100_000,
        b'{"names": {"' + b"9" * 10_000 + b'": "x"}}',
    ],
)
def test_bad_ultralytics_metadata_is_refused(content: bytes) -> None:
    with pytest.raises(ModelError, match=r"metadata\.json"):
        metadata.read({}, appended({"metadata.json": content}))


@pytest.mark.parametrize("said", [{}, {"names": None, "imgsz": "big", "task": 5, "author": ["x"]}])
def test_ultralytics_fields_may_be_missing_or_strange(said: dict[str, Any]) -> None:
    found = metadata.read({}, appended({"metadata.json": json.dumps(said).encode()}))
    assert (found.labels, found.image_size, found.task, found.author) == ((), None, "", "")


# Hostile bytes


def test_damage_names_the_byte() -> None:
    buffers, content = described(labels=CATS)
    with pytest.raises(ModelError, match=r"TFLITE_METADATA is damaged: .*byte"):
        metadata.read({metadata.BUFFER: buffers[metadata.BUFFER][:60]}, content)
    with pytest.raises(ModelError, match="M001"):
        metadata.read({metadata.BUFFER: b"no flatbuffer"}, b"")


def read_or_model_error(buffer: bytes, content: bytes) -> None:
    try:
        found = metadata.read({metadata.BUFFER: buffer}, content)
    except ModelError:
        return
    assert len(found.inputs) <= 256
    assert all(isinstance(label, str) for label in found.labels)


def test_every_cut_and_every_flipped_byte_gives_metadata_or_a_model_error() -> None:
    buffers, content = described(labels=CATS, name="cats", mean=[1, 2], std=[3, 4])
    buffer = buffers[metadata.BUFFER]
    for end in range(len(buffer)):
        read_or_model_error(buffer[:end], content)
    for at in range(len(buffer)):
        for value in (0, 1, 0x7F, 0x80, 0xFF):
            read_or_model_error(buffer[:at] + bytes([value]) + buffer[at + 1 :], content)
    start = content.rfind(b"PK\x03\x04")
    for at in range(start, len(content)):
        for value in (0, 1, 0x7F, 0xFF):
            read_or_model_error(buffer, content[:at] + bytes([value]) + content[at + 1 :])
    for end in range(start, len(content)):
        read_or_model_error(buffer, content[:end])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_words_of_the_flatbuffer_may_be_anything(data: st.DataObject) -> None:
    buffers, content = described(labels=CATS, name="cats", mean=[1, 2], std=[3, 4])
    buffer = bytearray(buffers[metadata.BUFFER])
    words = st.one_of(st.integers(0, 2**32 - 1), st.integers(0, len(buffer)), st.just(2**32 - 4))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(buffer) // 4 - 1)) * 4
        struct.pack_into("<I", buffer, at, data.draw(words))
    read_or_model_error(bytes(buffer), content)


@pytest.mark.parametrize("std", [0.0, float("nan"), float("inf")])
def test_a_normalization_that_divides_by_nothing_is_damage(std: float) -> None:
    with pytest.raises(ModelError, match="std"):
        metadata.read(*described(labels=CATS, mean=1, std=std))


def test_a_zip_bomb_is_not_unpacked() -> None:
    bomb = appended({"metadata.json": bytes(64 << 20)})
    assert len(bomb) < 1 << 17
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match="unpacks to over"):
            metadata.read({}, bomb)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_files_that_nobody_asks_for_may_be_large() -> None:
    assert metadata.read({}, appended({"vocabulary.bin": bytes(64 << 20)})).files == ("vocabulary.bin",)


def test_a_zip_that_lists_millions_of_files_is_not_read() -> None:
    directory = bytes(2 << 20)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 0, 0)
    assert metadata.read({}, directory + end) == ModelMetadata()


def test_other_compressions_and_encryption_are_refused() -> None:
    with pytest.raises(ModelError, match="neither stored nor deflated"):
        metadata.read({}, appended({"metadata.json": b"{}"}, zipfile.ZIP_LZMA))
    locked = bytearray(appended({"metadata.json": b"{}"}, zipfile.ZIP_STORED))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.find(signature) + flags] |= 1
    with pytest.raises(ModelError, match="neither stored nor deflated"):
        metadata.read({}, bytes(locked))


def test_a_damaged_packed_file_is_named() -> None:
    content = bytearray(appended({"metadata.json": b'{"task": "detect"}' * 9}, zipfile.ZIP_STORED))
    content[content.find(b"detect")] ^= 1
    with pytest.raises(ModelError, match=r"metadata\.json in the ZIP .* damaged"):
        metadata.read({}, bytes(content))


# Label files


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat\ndog\n", ("cat", "dog")),
        ("0:cat\n1:dog\n", ("cat", "dog")),
        ("0: cat\n1: big dog\n", ("cat", "big dog")),
        ("0 cat\n1 dog", ("cat", "dog")),
        ("0  cat\n1  dog\n\n", ("cat", "dog")),
        ("1 dog\n0 cat\n", ("cat", "dog")),
        ("0 cat\n2 dog\n", ("cat", "1", "dog")),
        ("\ufeffcat\r\ndog\r\n", ("cat", "dog")),
        ("???\n\ncar\n\n", ("???", "1", "car")),
        ("7 up\ncola\n", ("7 up", "cola")),
        ("tench, Tinca tinca\n", ("tench, Tinca tinca",)),
        ("0\n1\n2\n", ("0", "1", "2")),
        ("", ()),
    ],
)
def test_label_forms(text: str, expected: tuple[str, ...]) -> None:
    assert labels.parse(text) == expected


def test_label_files(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("Affe\nBär\n", encoding="utf-8")
    assert metadata.labels_from_file(path) == ("Affe", "Bär")
    for content, words in [
        (b"", "empty"),
        (b"0 a\n0 b\n", "twice"),
        (b"9999999 a\n", "too large"),
        (b"\0\1\2", "not a text file"),
    ]:
        path.write_bytes(content)
        with pytest.raises(InputError, match=words) as raised:
            metadata.labels_from_file(path)
        assert str(path) in str(raised.value)
    with pytest.raises(InputError, match="No such file"):
        metadata.labels_from_file(tmp_path / "absent.txt")


def test_corals_label_files(stash_data: Path) -> None:
    names = metadata.labels_from_file(stash_data / "coral" / "imagenet_labels.txt")
    assert len(names) == 1001
    assert (names[0], names[89]) == ("background", "macaw")


def test_metadata_is_frozen() -> None:
    with pytest.raises(AttributeError):
        TensorMetadata().name = "x"  # type: ignore[misc]
