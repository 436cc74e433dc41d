"""What LiteRT's reference rejects or leaves open, and real files hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="models are built with ai-edge-litert: pip install -e '.[test]'")

from builders import GraphBuilder
from expected.integers import rounded_once, transposed
from flatbuffers import flexbuffers

from edge_sdk.errors import ModelError
from edge_sdk.optimize import tflite_file

from .replay import ours


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


def halves(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(len(shape)).normal(0, 2, shape).astype(np.float16)


def test_ops_of_float32_take_float16() -> None:
    """Each result is rounded to float16. The reference knows but a few such ops."""
    x, w = halves(1, 5, 6, 8), halves(4, 1, 1, 8)
    g = GraphBuilder()
    y, z = g.tensor((1, 5, 6, 4), "float16"), g.tensor((1, 4), "float16")
    g.op("CONV_2D", [g.input(x.shape, "float16"), g.constant(w), None], [y], strideH=1, strideW=1)
    g.op("REDUCE_MAX", [y, g.constant(np.array([1, 2], np.int32))], [z])
    sums = np.einsum("bhwi,oi->bhwo", x.astype(np.float32), w[:, 0, 0].astype(np.float32))
    (got,) = ours(g.build([z]), [x])
    assert got.dtype == np.float16
    np.testing.assert_allclose(got, sums.astype(np.float16).max((1, 2)), rtol=1e-3)


def test_an_op_without_float16_is_named_by_its_own_type() -> None:
    g = GraphBuilder()
    x, y = g.input((4,), "float16"), g.tensor((4,), "float16")
    g.op("LOGICAL_NOT", [x], [y])
    with pytest.raises(ModelError, match="LOGICAL_NOT: its input 0 is float16"):
        ours(g.build([y]), [halves(4)])


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


@pytest.mark.parametrize("block", [(), (1, 4), (2, 2)])
@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_sparse_weights_are_their_dense_ones(dtype: str, block: tuple[int, ...]) -> None:
    """BUILTIN_REF knows some encodings and types only."""
    rng = np.random.default_rng(2)
    kept = np.kron(rng.random((6, 8)) < 0.4, np.ones(block or (1, 1)))
    values = (rng.integers(1, 100, kept.shape) * kept).astype(dtype)
    x = rng.normal(0, 1, (3, kept.shape[1])).astype(np.float32)
    q = {"scale": 0.01} if dtype == "int8" else {}

    def model(sparse: bool) -> bytes:
        g = GraphBuilder()
        source, y = g.input(x.shape, "float32"), g.tensor((3, kept.shape[0]), "float32")
        w = g.sparse(values, block, **q) if sparse else g.constant(values, **q)
        g.op("FULLY_CONNECTED", [source, w], [y])
        return g.build([y])

    np.testing.assert_array_equal(ours(model(True), [x])[0], ours(model(False), [x])[0])


# Of segments 0, 1, 3, 4 with the indices 0 | 0, 1 | 1.
DAMAGE = [
    ("traversalOrder", np.array([1, 1, 2, 3], np.int32)),
    ("traversalOrder", np.array([0, 99, 2, 3], np.int32)),
    ("traversalOrder", np.array([0, 1, 2], np.int32)),
    ("blockMap", np.array([7, 1], np.int32)),
    ("blockMap", np.array([0, 0], np.int32)),
    ("dimMetadata.2.denseSize", 5),
    ("dimMetadata.2.denseSize", -1),
    ("dimMetadata.0.denseSize", 2**31 - 1),
    ("dimMetadata.1.arrayIndices.values", np.array([0, 0, 1, 2], np.uint8)),
    ("dimMetadata.1.arrayIndices.values", np.array([0, 1, 0, 1], np.uint8)),
    ("dimMetadata.1.arraySegments.values", np.array([0, -1, 3, 4], np.int32)),
    ("dimMetadata.1.arraySegments.values", np.array([0, 9, 3, 4], np.int32)),
    ("dimMetadata.1.arraySegments.values", np.array([0, 1, 3, 5], np.int32)),
    ("dimMetadata.1.arraySegments.values", np.array([0, 4], np.int32)),
    ("dimMetadata.1.arrayIndices", None),
]


@pytest.mark.parametrize(("field", "value"), DAMAGE)
def test_damaged_sparsity_is_refused(field: str, value: Any) -> None:
    g = GraphBuilder()
    w = g.sparse(np.eye(6, dtype=np.float32), (2, 3))
    y = g.tensor((6, 6), "float32")
    g.op("DENSIFY", [w], [y])
    tree = tflite_file.read(g.build([y]))
    owner: Any = tree.subgraphs[0].tensors[w].sparsity
    *path, last = field.split(".")
    for step in path:
        owner = owner[int(step)] if step.isdigit() else getattr(owner, step)
    setattr(owner, last, value)
    with pytest.raises(ModelError, match="sparsity"):
        ours(tflite_file.write(tree), [])


def test_bias_scales_of_a_dimension_that_is_not_there() -> None:
    """Some files give biases the dimension of the filter's channels; LiteRT refuses them."""
    rng = np.random.default_rng(3)
    weights, x = (rng.integers(-127, 128, s).astype(np.int8) for s in ((1, 3, 3, 4), (1, 5, 5, 4)))

    def model(axis: int) -> bytes:
        g = GraphBuilder()
        source = g.input(x.shape, "int8", scale=0.5)
        w = g.constant(weights, scale=np.linspace(0.1, 0.2, 4), axis=3)
        b = g.constant(np.arange(4, dtype=np.int32), scale=np.linspace(0.05, 0.1, 4), axis=axis)
        y = g.tensor((1, 5, 5, 4), "int8", scale=9.0)
        g.op(
            "DEPTHWISE_CONV_2D", [source, w, b], [y], padding="SAME", strideH=1, strideW=1, depthMultiplier=1
        )
        return g.build([y])

    np.testing.assert_array_equal(ours(model(3), [x])[0], ours(model(0), [x])[0])


@pytest.mark.parametrize("adjoint", [False, True])
def test_matrices_with_a_scale_per_column(adjoint: bool) -> None:
    """The reference takes a missing scale for 0, and gives zeros."""
    rng = np.random.default_rng(4)
    x, w = rng.integers(-30000, 30000, (7, 5)).astype(np.int16), rng.integers(-127, 128, (5, 9))
    scale = np.linspace(0.01, 0.05, 9).astype(np.float32)
    g = GraphBuilder()
    source, y = g.input(x.shape, "int16", scale=0.5), g.tensor((7, 9), "int16", scale=2.0)
    stored = np.ascontiguousarray(w.T if adjoint else w).astype(np.int8)
    b = g.constant(stored, scale=scale, axis=0 if adjoint else 1)
    g.op("BATCH_MATMUL", [source, b], [y], adjY=adjoint)
    real = x.astype(np.float64) @ w * scale * 0.5 / 2.0
    (got,) = ours(g.build([y]), [x])
    assert np.abs(got - np.clip(real, -32768, 32767)).max() < 1 + 2.0**-14 * np.abs(real).max()
    assert len(np.unique(got)) > 50


@pytest.mark.parametrize("shape_given", [False, True])
def test_transpose_conv_of_int16_by_its_equation(shape_given: bool) -> None:
    """With the output's shape as an input BUILTIN_REF cannot be asked before it has one."""
    rng = np.random.default_rng(3)
    x = rng.integers(-32768, 32768, (2, 4, 5, 7)).astype(np.int16)
    w = rng.integers(-127, 128, (6, 3, 4, 7)).astype(np.int8)
    bias = rng.integers(-(10**6), 10**6, 6)
    scale = rng.uniform(0.001, 0.01, 6).astype(np.float32)
    size = (8, 10)
    g = GraphBuilder()
    shape = np.array([2, *size, 6], np.int32)
    extents = g.input((4,), "int32") if shape_given else g.constant(shape)
    tensor = g.input(x.shape, "int16", scale=0.5)
    y = g.tensor((2, *size, 6), "int16", scale=2.0)
    weights = g.constant(w, scale=scale)
    g.op(
        "TRANSPOSE_CONV", [extents, weights, tensor, g.constant(bias)], [y],
        padding="SAME", strideH=2, strideW=2, fusedActivationFunction="NONE",
    )  # fmt: skip
    model = g.build([y])
    (got,) = ours(model, [shape, x] if shape_given else [x])
    acc = transposed(x.astype(np.int64), w.astype(np.int64), size, 2, (0, 1)) + bias
    wanted = np.clip(rounded_once(acc, scale.astype(np.float64) * 0.5 / 2.0), -32768, 32767)
    assert len(np.unique(wanted)) > 200
    np.testing.assert_array_equal(got, wanted)
    if shape_given:
        with pytest.raises(Exception, match="do not suit each other"):
            ours(model, [shape + 1, x])


@pytest.mark.parametrize("padding", [1, 2])
def test_transposed_convolution_of_mediapipe(padding: int) -> None:
    """LiteRT does not know this custom op."""
    rng = np.random.default_rng(5)
    x, w = rng.normal(0, 1, (1, 5, 6, 3)), rng.normal(0, 1, (4, 3, 5, 3))
    bias = rng.normal(0, 1, 4)
    cut = [max(0, f - (n - 1) % 2 - 1) if padding == 1 else 0 for n, f in ((5, 3), (6, 5))]
    size = (2 * 4 + 3 - cut[0], 2 * 5 + 5 - cut[1])
    g = GraphBuilder()
    tensor, y = g.input(x.shape, "float32"), g.tensor((1, *size, 4), "float32")
    constants = [g.constant(v.astype(np.float32)) for v in (w, bias)]
    options = np.array([padding, 2, 2], np.int32).tobytes()
    g.op("Convolution2DTransposeBias", [tensor, *constants], [y], custom_options=options)
    (got,) = ours(g.build([y]), [x.astype(np.float32)])
    wanted = transposed(x, w, size, 2, (cut[0] // 2, cut[1] // 2)) + bias
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)
