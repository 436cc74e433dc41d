"""StableHLO's ops that LiteRT has no kernels for: those that builtin ops of ours compute, and their kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="models are built with ai-edge-litert: pip install -e '.[test]'")

from builders import GraphBuilder

from edge_sdk.errors import ModelError

from .replay import ours

Values = np.ndarray[Any, Any]
RNG = np.random.default_rng(7)


def run(op: str, inputs: list[Values], shape: tuple[int, ...], dtype: str, **options: Any) -> Values:
    g = GraphBuilder()
    y = g.tensor(shape, dtype)
    g.op(f"STABLEHLO_{op}", [g.input(v.shape, v.dtype.name) for v in inputs], [y], **options)
    (got,) = ours(g.build([y]), inputs)
    return got  # type: ignore[no-any-return]


def integers(*shape: int, dtype: str = "int32") -> Values:
    return RNG.integers(-20, 20, shape).astype(dtype)


def floats(*shape: int) -> Values:
    return RNG.normal(0, 2, shape).astype(np.float32)


def longs(*values: int) -> Values:
    return np.array(values, np.int64)


X, POSITIVE = floats(3, 4, 5), np.abs(floats(3, 4, 5)) + 0.1
UNARY = {
    "NEGATE": (X, np.negative),
    "ABS": (X, np.abs),
    "FLOOR": (X, np.floor),
    "EXPONENTIAL": (X, np.exp),
    "LOG": (POSITIVE, np.log),
    "RSQRT": (POSITIVE, lambda x: 1 / np.sqrt(x)),
    "CBRT": (X, np.cbrt),
    "COSINE": (X, np.cos),
    "TANH": (X, np.tanh),
    "LOGISTIC": (X, lambda x: 1 / (1 + np.exp(-x))),
}


@pytest.mark.parametrize("op", UNARY)
def test_functions_of_one_tensor(op: str) -> None:
    x, function = UNARY[op]
    np.testing.assert_allclose(run(op, [x], x.shape, "float32"), function(x), rtol=2e-6, atol=1e-6)


BINARY = {"SUBTRACT": np.subtract, "DIVIDE": np.divide, "REMAINDER": np.fmod, "POWER": np.power}


@pytest.mark.parametrize("op", BINARY)
def test_functions_of_two_floats(op: str) -> None:
    a, b = POSITIVE, floats(3, 4, 5)
    np.testing.assert_allclose(run(op, [a, b], a.shape, "float32"), BINARY[op](a, b), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
def test_functions_of_two_integers(dtype: str) -> None:
    limits = np.iinfo(dtype)
    a, b = (RNG.integers(limits.min, limits.max, 50, endpoint=True, dtype=dtype) for _ in range(2))
    a[:3], b[:3] = limits.min, (0, 1, -1 if limits.min else 7)
    with np.errstate(over="ignore", divide="ignore"):
        np.testing.assert_array_equal(run("SUBTRACT", [a, b], a.shape, dtype), a - b)
        remainder = np.where(b == 0, a, np.fmod(a, np.where(b == 0, 1, b)))
    np.testing.assert_array_equal(run("REMAINDER", [a, b], a.shape, dtype), remainder)
    np.testing.assert_array_equal(run("OR", [a, b], a.shape, dtype), a | b)


def test_division_cuts_towards_0_and_fails_for_0() -> None:
    a, b = integers(40), np.where(integers(40) == 0, 3, integers(40))
    b[b == 0] = -3
    np.testing.assert_array_equal(run("DIVIDE", [a, b], a.shape, "int32"), np.trunc(a / b))
    with pytest.raises(Exception, match="division by 0"):
        run("DIVIDE", [a, b * 0], a.shape, "int32")


def test_or_of_bools() -> None:
    a, b = integers(30) > 0, integers(30) > 0
    np.testing.assert_array_equal(run("OR", [a, b], a.shape, "bool"), a | b)


COMPARISONS = (np.equal, np.not_equal, np.greater_equal, np.greater, np.less_equal, np.less)


@pytest.mark.parametrize("dtype", ["int8", "float32", "int64"])
@pytest.mark.parametrize("direction", range(6))
def test_compare(direction: int, dtype: str) -> None:
    a, b = integers(200, dtype=dtype) // 5, integers(200, dtype=dtype) // 5
    got = run("COMPARE", [a, b], a.shape, "bool", comparisonDirection=direction)
    np.testing.assert_array_equal(got, COMPARISONS[direction](a, b))


def test_compare_in_an_unknown_direction_is_refused() -> None:
    with pytest.raises(ModelError, match="comparison 6 is unknown"):
        run("COMPARE", [X, X], X.shape, "bool", comparisonDirection=6)


def test_select_convert_and_clamp() -> None:
    which, a, b = integers(3, 4, 5) > 0, floats(3, 4, 5), floats(3, 4, 5)
    np.testing.assert_array_equal(run("SELECT", [which, a, b], a.shape, "float32"), np.where(which, a, b))
    np.testing.assert_array_equal(run("CONVERT", [a], a.shape, "int16"), a.astype(np.int16))
    low, high = np.float32(-0.5), np.abs(floats(3, 4, 5))
    for least in (np.array(low), np.full(a.shape, low)):
        np.testing.assert_array_equal(
            run("CLAMP", [least, a, high], a.shape, "float32"), np.clip(a, low, high)
        )


def test_moves() -> None:
    np.testing.assert_array_equal(run("RESHAPE", [X], (5, 12), "float32"), X.reshape(5, 12))
    order = longs(2, 0, 1)
    got = run("TRANSPOSE", [X], (5, 3, 4), "float32", permutation=order)
    np.testing.assert_array_equal(got, X.transpose(order))
    parts = [floats(3, n, 5) for n in (1, 4, 2)]
    got = run("CONCATENATE", parts, (3, 7, 5), "float32", dimension=1)
    np.testing.assert_array_equal(got, np.concatenate(parts, 1))
    got = run(
        "SLICE", [X], (2, 1, 2), "float32",
        startIndices=longs(0, 3, 1), limitIndices=longs(3, 4, 5), strides=longs(2, 9, 3),
    )  # fmt: skip
    np.testing.assert_array_equal(got, X[0:3:2, 3:4:9, 1:5:3])


@pytest.mark.parametrize(
    "bad", [{"limitIndices": longs(3, 5, 5)}, {"strides": longs(1, 0, 1)}, {"startIndices": longs(0, 0)}]
)
def test_slices_that_do_not_fit_are_refused(bad: dict[str, Values]) -> None:
    good = {"startIndices": longs(0, 0, 0), "limitIndices": longs(3, 4, 5), "strides": longs(1, 1, 1)}
    with pytest.raises(ModelError, match="STABLEHLO_SLICE"):
        run("SLICE", [X], X.shape, "float32", **{**good, **bad})


@pytest.mark.parametrize("start", [(0, 1, 2), (-5, 9, 1), (2**31 - 1, 0, -(2**31))])
def test_dynamic_slices_are_moved_inside(start: tuple[int, ...]) -> None:
    places = [np.array(s, np.int32) for s in start]
    at = [min(max(s, 0), n - k) for s, n, k in zip(start, X.shape, (2, 3, 1))]
    region = tuple(slice(a, a + k) for a, k in zip(at, (2, 3, 1)))
    got = run("DYNAMIC_SLICE", [X, *places], (2, 3, 1), "float32", sliceSizes=longs(2, 3, 1))
    np.testing.assert_array_equal(got, X[region])
    part, wanted = floats(2, 3, 1), X.copy()
    wanted[region] = part
    np.testing.assert_array_equal(run("DYNAMIC_UPDATE_SLICE", [X, part, *places], X.shape, "float32"), wanted)


def test_broadcast_in_dim() -> None:
    x = floats(4, 1)
    got = run("BROADCAST_IN_DIM", [x], (2, 4, 3, 5), "float32", broadcastDimensions=longs(1, 3))
    np.testing.assert_array_equal(got, np.broadcast_to(x.reshape(1, 4, 1, 1), (2, 4, 3, 5)))
    got = run("BROADCAST_IN_DIM", [x], (3, 4), "float32", broadcastDimensions=longs(1, 0))
    np.testing.assert_array_equal(got, np.broadcast_to(x.T, (3, 4)))
    with pytest.raises(ModelError, match="does not become"):
        run("BROADCAST_IN_DIM", [x], (3, 5), "float32", broadcastDimensions=longs(0, 1))


@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8"])
def test_iota(dtype: str) -> None:
    g = GraphBuilder()
    x, counted, y = g.input((2, 3, 4), dtype), g.tensor((2, 3, 4), dtype), g.tensor((2, 3, 4), dtype)
    g.op("STABLEHLO_IOTA", [], [counted], iotaDimension=1)
    g.op("STABLEHLO_MAXIMUM", [counted, x], [y])
    (got,) = ours(g.build([y]), [np.zeros((2, 3, 4), dtype)])
    np.testing.assert_array_equal(got, np.broadcast_to(np.arange(3).reshape(1, 3, 1), (2, 3, 4)))


GATHER = {
    "offsetDims": longs(1), "collapsedSliceDims": longs(0, 1), "startIndexMap": longs(0, 1),
    "indexVectorDim": 1, "sliceSizes": longs(1, 1, 5),
}  # fmt: skip
PAD = {
    "edgePaddingLow": longs(1, 0, 0), "edgePaddingHigh": longs(0, 0, 0), "interiorPadding": longs(0, 0, 0)
}  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    [
        {"offsetDims": longs(2)},
        {"offsetDims": longs(1, 1)},
        {"collapsedSliceDims": longs(0, 0)},
        {"collapsedSliceDims": longs(0, -1)},
        {"startIndexMap": longs(0, 3)},
        {"startIndexMap": longs(0)},
        {"indexVectorDim": 3},
        {"indexVectorDim": -1},
        {"sliceSizes": longs(1, 1, 6)},
        {"sliceSizes": longs(2, 1, 5)},
        {"sliceSizes": longs(1, 1, -1)},
        {"sliceSizes": longs(1, 1)},
    ],
)
def test_gathers_that_do_not_fit_are_refused(bad: dict[str, Any]) -> None:
    starts = np.array([[0, 1], [2, 9]], np.int32)
    np.testing.assert_array_equal(run("GATHER", [X, starts], (2, 5), "float32", **GATHER), X[[0, 2], [1, 3]])
    with pytest.raises(ModelError, match="STABLEHLO_GATHER"):
        run("GATHER", [X, starts], (2, 5), "float32", **{**GATHER, **bad})


def test_starts_of_one_coordinate_need_no_axis() -> None:
    """The reference reads what lies behind its arrays."""
    options = {"offsetDims": longs(1, 2), "collapsedSliceDims": longs(0), "sliceSizes": longs(1, 4, 5)}
    starts = np.array([2, 0, -7, 9], np.int32)
    got = run(
        "GATHER", [X, starts], (4, 4, 5), "float32", startIndexMap=longs(0), indexVectorDim=1, **options
    )
    np.testing.assert_array_equal(got, X[[2, 0, 0, 2]])


@pytest.mark.parametrize(
    "bad",
    [
        {"edgePaddingLow": longs(0, 0)},
        {"edgePaddingLow": longs(-4, 0, 0)},
        {"edgePaddingHigh": longs(0, 0, 2**62)},
        {"edgePaddingHigh": longs(0, 0, 2**31 - 1)},
        {"interiorPadding": longs(0, 0, -1)},
        {"interiorPadding": longs(2**31 - 1, 2**31 - 1, 2**31 - 1)},
    ],
)
def test_borders_that_do_not_fit_are_refused(bad: dict[str, Values]) -> None:
    zero = np.zeros((), np.float32)
    padded = np.pad(X, ((1, 0), (0, 0), (0, 0)))
    np.testing.assert_array_equal(run("PAD", [X, zero], padded.shape, "float32", **PAD), padded)
    with pytest.raises(ModelError, match="STABLEHLO_PAD"):
        run("PAD", [X, zero], X.shape, "float32", **{**PAD, **bad})


@pytest.mark.parametrize("op", ["SCATTER", "REDUCE_WINDOW"])
def test_graphs_that_combine_no_elements_are_refused(op: str) -> None:
    key = {"SCATTER": "updateComputationSubgraphIndex", "REDUCE_WINDOW": "bodySubgraphIndex"}[op]
    inputs = [X, integers(1, 1), X] if op == "SCATTER" else [X, np.zeros((), np.float32)]
    for body in (0, 7, -1):  # itself, and graphs that are not there
        with pytest.raises(ModelError, match=f"STABLEHLO_{op}: .* combined by"):
            run(op, inputs, X.shape, "float32", **{key: body})
