"""CONV_2D without a bias, which LiteRT's reference rejects and real files hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="models are built with ai-edge-litert: pip install -e '.[test]'")

from builders import GraphBuilder

from .harness import ours


def conv(dtype: str, bias: str, weights: np.ndarray[Any, Any]) -> bytes:
    q = {"scale": 0.5, "zero_point": 3} if dtype == "int8" else {}
    g = GraphBuilder()
    x = g.input((1, 5, 6, 3), dtype, **q)
    w = g.constant(weights, **({"scale": 0.25} if dtype == "int8" else {}))
    inputs: list[int | None] = [x, w]
    if bias == "zeros":
        inputs.append(g.constant(np.zeros(7, np.int32 if dtype == "int8" else np.float32)))
    elif bias == "-1":
        inputs.append(None)
    y = g.tensor((1, 5, 6, 7), dtype, **({"scale": 40.0} if dtype == "int8" else {}))
    g.op("CONV_2D", inputs, [y], padding="SAME", strideH=1, strideW=1)
    return g.build([y])


@pytest.mark.parametrize("dtype", ["int8", "float32"])
@pytest.mark.parametrize("bias", ["-1", "left out"])
def test_no_bias_is_a_bias_of_zero(dtype: str, bias: str) -> None:
    rng = np.random.default_rng(1)
    weights = rng.integers(-127, 128, (7, 3, 3, 3)).astype(dtype)
    x = rng.integers(-128, 128, (1, 5, 6, 3)).astype(dtype)
    (wanted,) = ours(conv(dtype, "zeros", weights), [x])
    assert len(np.unique(wanted)) > 20
    (got,) = ours(conv(dtype, bias, weights), [x])
    np.testing.assert_array_equal(got, wanted)
