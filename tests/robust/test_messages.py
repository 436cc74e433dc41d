"""What a user reads who gave us a file that we cannot run: what is wrong, where, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("ai_edge_litert", reason="models are built with ai-edge-litert: pip install -e '.[test]'")

from builders import GraphBuilder

import edge_sdk
from edge_sdk.errors import EdgeError, ModelError, UnsupportedOpError

from .models import classifier


def message(model: bytes) -> str:
    with pytest.raises(ModelError) as caught:
        edge_sdk.load(model, backend="native")
    return str(caught.value)


def test_no_model() -> None:
    assert "TFL3" in message(b"GIF89a" + bytes(64))


def test_path_that_is_no_model(tmp_path: Path) -> None:
    file = tmp_path / "picture.tflite"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(ModelError, match=r"picture\.tflite"):
        edge_sdk.load(file)


def test_cut_short_names_a_byte() -> None:
    model = classifier()
    assert "byte" in message(model[: len(model) // 3])


@pytest.mark.parametrize("op", ["MyOwnOp", "HASHTABLE_SIZE"])
def test_op_that_we_lack_is_named_with_the_way_out(op: str) -> None:
    g = GraphBuilder()
    x, y = g.input((4, 4), "float32"), g.tensor((4, 4), "float32")
    g.op(op, [x], [y])
    with pytest.raises(UnsupportedOpError) as caught:
        edge_sdk.load(g.build([y]), backend="native")
    assert op in str(caught.value)
    assert "litert" in str(caught.value)
    assert len(caught.value.ops) == 1
    assert op in caught.value.ops[0]


def test_errors_can_be_caught_as_users_of_tflite_do() -> None:
    with pytest.raises(ValueError, match="TFL3") as caught:
        edge_sdk.load(b"not a model, and long enough", backend="native")
    assert isinstance(caught.value, EdgeError)
