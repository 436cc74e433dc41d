"""As test_beyond_reference.py, for ops that compare, move and draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="models are built with ai-edge-litert: pip install -e '.[test]'")

from builders import GraphBuilder

from .replay import ours


def compared(op: str, a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], *q: dict[str, Any]) -> Any:
    g = GraphBuilder()
    x, z = (g.input(v.shape, v.dtype.name, **p) for v, p in zip((a, b), q or ({}, {})))
    y = g.tensor((1,), "bool")
    g.op(op, [x, z], [y])
    return ours(g.build([y]), [a, b])[0]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_integers_without_scales_are_compared_as_they_are(dtype: str) -> None:
    """The reference ends the process or writes nothing (NOT_EQUAL of int16)."""
    a, b = np.random.default_rng(1).integers(0, 3, (2, 50)).astype(dtype)
    np.testing.assert_array_equal(compared("NOT_EQUAL", a, b), a != b)
    np.testing.assert_array_equal(compared("EQUAL", a, b), a == b)


def test_scales_above_1_are_compared_by_value() -> None:
    """The reference has no rule for them."""
    a, b = np.random.default_rng(1).integers(-128, 128, (2, 500)).astype(np.int8)
    q = {"scale": 48.0, "zero_point": -3}, {"scale": 0.75, "zero_point": 5}
    real = (a.astype(float) + 3) * 48, (b.astype(float) - 5) * 0.75
    np.testing.assert_array_equal(compared("LESS", a, b, *q), real[0] < real[1])


def test_reverse_of_any_axes() -> None:
    """The reference wants them side by side."""
    g = GraphBuilder()
    x, y = g.input((2, 3, 4), "float32"), g.tensor((2, 3, 4), "float32")
    g.op("REVERSE_V2", [x, g.constant(np.array([2, 0], np.int32))], [y])
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    np.testing.assert_array_equal(ours(g.build([y]), [values])[0], values[::-1, :, ::-1])


def test_one_hot_of_wide_indices() -> None:
    """The reference looks at their low 32 bits."""
    g = GraphBuilder()
    x, y = g.input((3,), "int64"), g.tensor((3, 2), "int32")
    constants = [g.constant(np.array(v, np.int32)) for v in (2, 1, 0)]
    g.op("ONE_HOT", [x, *constants], [y], axis=-1)
    (got,) = ours(g.build([y]), [np.array([1, 2**32 + 1, -1], np.int64)])
    np.testing.assert_array_equal(got, [[0, 1], [0, 0], [0, 0]])


@pytest.mark.parametrize("op", ["RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL"])
def test_random_numbers_go_on(op: str) -> None:
    """A run takes up where the last one ended; without seeds every model has numbers of its own."""
    from edge_sdk import _native

    def numbers(**seeds: int) -> list[np.ndarray[Any, Any]]:
        g = GraphBuilder()
        y = g.tensor((400,), "float32")
        g.op(op, [g.constant(np.array([400], np.int32))], [y], **seeds)
        session = _native.Session(_native.Plan(_native.ParsedModel.from_bytes(g.build([y]))), 1)
        runs = []
        for _ in range(2):
            session.run()
            runs.append(np.array(session.view(y)))
        return runs

    first, second = numbers(seed=5)
    again = numbers(seed=5)
    np.testing.assert_array_equal([first, second], again)
    assert not np.isin(second, first).all()
    assert not np.array_equal(numbers()[0], numbers()[0])
    assert abs(first.mean() - (0.5 if op == "RANDOM_UNIFORM" else 0)) < 0.2
