"""What LiteRT's reference rejects or leaves open, and real files hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="models are built with ai-edge-litert: pip install -e '.[test]'")

from builders import GraphBuilder
from flatbuffers import flexbuffers

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


def test_ceil() -> None:
    """BUILTIN_REF lacks the op."""
    g = GraphBuilder()
    x, y = g.input((7, 100), "float32"), g.tensor((7, 100), "float32")
    g.op("CEIL", [x], [y])
    values = np.random.default_rng(1).normal(0, 10, (7, 100)).astype(np.float32)
    values[0, :4] = [2.0, -0.5, np.inf, -np.inf]
    (got,) = ours(g.build([y]), [values])
    np.testing.assert_array_equal(got, np.ceil(values))


@pytest.mark.parametrize("regular", [False, True])
def test_no_detections_leave_zeros(regular: bool) -> None:
    """LiteRT leaves what was in memory before."""
    options = {
        "max_detections": 3, "max_classes_per_detection": 1, "use_regular_nms": regular, "num_classes": 2,
        "nms_score_threshold": 0.5, "nms_iou_threshold": 0.5,
        "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0,
    }  # fmt: skip
    g = GraphBuilder()
    boxes, scores = g.input((1, 6, 4), "float32"), g.input((1, 6, 3), "float32")
    anchors = g.constant(np.ones((6, 4), np.float32))
    outputs = [g.tensor(shape, "float32") for shape in ((1, 3, 4), (1, 3), (1, 3), (1,))]
    content = bytes(flexbuffers.Dumps(options))
    g.op("TFLite_Detection_PostProcess", [boxes, scores, anchors], outputs, custom_options=content)
    for array in ours(
        g.build(outputs), [np.ones((1, 6, 4), np.float32), np.full((1, 6, 3), 0.1, np.float32)]
    ):
        assert not array.any()


def summed(x: np.ndarray[Any, Any], zero_point: int) -> np.ndarray[Any, Any]:
    g = GraphBuilder()
    tensor = g.input(x.shape, x.dtype.name, scale=0.1, zero_point=zero_point)
    y = g.tensor((x.shape[0],), x.dtype.name, scale=0.3, zero_point=zero_point)
    g.op("SUM", [tensor, g.constant(np.array([1], np.int32))], [y])
    return ours(g.build([y]), [x])[0]


def test_sum_of_int8_is_that_of_uint8() -> None:
    """BUILTIN_REF takes int8 codes for uint8 ones; as a real number the sum is the same in both types."""
    x = np.random.default_rng(1).integers(-128, 128, (200, 5)).astype(np.int8)
    shifted = (x.view(np.uint8) ^ 0x80, summed(x, -7).view(np.uint8) ^ 0x80)
    assert len(np.unique(shifted[1])) > 50
    np.testing.assert_array_equal(summed(shifted[0], 121), shifted[1])
