"""Custom ops on pictures that LiteRT does not have, against the same computation written in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="models are built with ai-edge-litert: pip install -e '.[test]'")

from builders import GraphBuilder
from expected import vision
from flatbuffers import flexbuffers

from edge_sdk.errors import InputError

from .harness import Draw, cases_from_environment
from .replay import ours

Array = np.ndarray[Any, Any]
CASES = 25


def one_op(
    name: str, inputs: list[Array], shapes: list[tuple[int, ...]], options: bytes, version: int = 1, **q: Any
) -> list[Array]:
    """The outputs of a model of one custom op, as float32."""
    g = GraphBuilder()
    operands = [g.input(x.shape, x.dtype.name, **(q if x.dtype == np.uint8 else {})) for x in inputs]
    outputs = [g.tensor(shape, "float32") for shape in shapes]
    g.op(name, operands, outputs, custom_options=options, version=version)
    return ours(g.build(outputs), inputs, threads=2)


def someone(d: Draw) -> tuple[Array, ...]:
    """Heat maps and offsets, in cells, of up to four people."""
    rows, columns, count = d.integer("rows", 1, 14), d.integer("columns", 1, 14), d.integer("people", 0, 4)
    return tuple(a.astype(np.float32)[None] for a in vision.people(d.rng, rows, columns, count))


def flex(**options: Any) -> bytes:
    return bytes(flexbuffers.Dumps(options))


@pytest.mark.parametrize("number", cases_from_environment(CASES))
def test_posenet_decoder(number: int) -> None:
    d = Draw(number)
    stride, count = d.pick("stride", (8, 16, 32)), d.integer("count", 1, 6)
    threshold, radius = d.pick("threshold", (0.05, 0.2, 0.4)), d.pick("radius", (3.0, 10.0, 40.0))
    heat, shorts, mids = someone(d)
    options = flex(max_detections=count, score_threshold=threshold, stride=stride, nms_radius=radius)
    fields = [heat, shorts * np.float32(stride), mids * np.float32(stride)]
    points, keypoint_scores, scores, found = one_op("PosenetDecoderOp", fields, [()] * 4, options)
    exact = [a[0].astype(np.float64) for a in (heat, shorts, mids)]
    wanted = vision.poses(*exact, count, float(np.float32(threshold)), radius / stride)
    assert found.shape == (1,)
    assert int(found[0]) == len(wanted)
    assert points.shape == (1, count, 17, 2)
    for i, (p, s, score) in enumerate(wanted):
        np.testing.assert_allclose(points[0, i], p * stride, rtol=1e-4, atol=1e-3 * stride)
        np.testing.assert_allclose(keypoint_scores[0, i], s, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(scores[0, i], score, rtol=1e-4, atol=1e-4)
    for rest in (points, keypoint_scores, scores):
        assert not rest[0, len(wanted) :].any()


def test_posenet_decoder_of_codes_with_masks() -> None:
    """Codes give what their numbers do, and each cell belongs to the pose whose key points it names."""
    d = Draw(3)
    stride, scale, zero = 16, 0.25, 128
    found = 0
    for _ in range(10):
        heat, shorts, mids = someone(d)
        longs = d.rng.normal(0, 2, shorts.shape).astype(np.float32)
        codes = [
            np.clip(np.round(a / scale) + zero, 0, 255).astype(np.uint8)
            for a in (heat, shorts * stride, mids * stride, longs * stride)
        ]
        options = flex(max_detections=5, score_threshold=0.1, stride=stride, nms_radius=8.0)
        numbers = [(c.astype(np.float32) - zero) * np.float32(scale) for c in codes]
        got = one_op("PosenetDecoderOp", codes, [()] * 5, options, scale=scale, zero_point=zero)
        wanted = one_op("PosenetDecoderOp", numbers, [()] * 5, options)
        for a, b in zip(got, wanted):
            np.testing.assert_array_equal(a, b)
        count = int(got[3][0])
        found += count
        rows, columns = heat.shape[1:3]
        assert got[4].shape == (1, 5, rows, columns)
        if count == 0:
            assert not got[4].any()
            continue
        distance = vision.mask_distances(
            numbers[3][0].astype(np.float64) / stride, got[0][0, :count] / stride
        )
        owner = got[4][0].argmax(0)
        assert (got[4][0].sum(0) == 1).all()
        its = np.take_along_axis(distance, owner[None], 0)[0]
        assert (its <= distance.min(0) * (1 + 1e-4)).all()
    assert found > 5


@pytest.mark.parametrize("number", cases_from_environment(CASES))
def test_landmarks_to_transform_matrix(number: int) -> None:
    """The matrix takes the picture's centre to the box's, and its edges along the turned axes."""
    d = Draw(number)
    count = d.integer("count", 2, 40)
    points = (d.rng.normal(0, 30, (1, count, 3))).astype(np.float32)
    subset = [int(i) for i in d.rng.integers(0, count, d.integer("subset", 2, 30))]
    left, right = (int(i) for i in d.rng.choice(count, 2, replace=False))
    width, height = d.integer("width", 1, 40), d.integer("height", 1, 40)
    angle, scales = float(d.rng.uniform(-3, 3)), d.rng.uniform(0.5, 2, 2)
    options = {
        "left_rotation_idx": left, "right_rotation_idx": right, "subset_idxs": subset,
        "output_width": width, "output_height": height,
        "scale_x": float(scales[0]), "scale_y": float(scales[1]), "target_rotation_radians": angle,
    }  # fmt: skip
    (matrix,) = one_op("Landmarks2TransformMatrix", [points], [(1, 4, 4)], flex(**options), version=2)
    corners = np.array([(0, 0), (width, 0), (0, height), (width / 2, height / 2)])
    wanted = vision.box_of_landmarks(points[0], options, corners)
    for corner, place in zip(corners, wanted):
        got = matrix[0].astype(np.float64) @ [*corner, 0, 1]
        np.testing.assert_allclose(got, [*place, 0, 1], rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("number", cases_from_environment(CASES))
def test_transform_landmarks(number: int) -> None:
    d = Draw(number)
    points = d.rng.normal(0, 9, (1, d.integer("count", 0, 30), d.pick("size", (2, 3)))).astype(np.float32)
    matrix = d.rng.normal(0, 1, (1, 4, 4)).astype(np.float32)
    (got,) = one_op("TransformLandmarks", [points, matrix], [points.shape], b"", version=2)
    np.testing.assert_allclose(got, vision.transformed_landmarks(points, matrix[0]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("number", cases_from_environment(CASES))
def test_transform_tensor_bilinear(number: int) -> None:
    d = Draw(number)
    rows, columns, depth = d.integer("rows", 1, 9), d.integer("columns", 1, 9), d.integer("depth", 1, 5)
    height, width = d.integer("height", 1, 12), d.integer("width", 1, 12)
    picture = d.rng.normal(0, 1, (1, rows, columns, depth)).astype(np.float32)
    matrix = d.rng.normal(0, 0.7, (1, 4, 4)).astype(np.float32)
    if d.chance("exact", 0.4):  # borders are hit by the last bit
        matrix[0, :2] = [[0.5, 0, 0, d.integer("dx", -1, 1)], [0, 1, 0, d.integer("dy", -1, 1)]]
    if d.chance("nan", 0.1):
        matrix[0, 0, 0] = np.nan
    options = flex(output_height=height, output_width=width)
    (got,) = one_op("TransformTensorBilinear", [picture, matrix], [(1, height, width, depth)], options, 2)
    wanted, unclear = vision.transformed_picture(picture[0], matrix[0], height, width)
    assert unclear.mean() < 0.1
    np.testing.assert_allclose(got[0][~unclear], wanted[~unclear], rtol=1e-4, atol=1e-4)


def pool_options(d: Draw, same: bool, *sizes: int) -> bytes:
    """TFLite's struct: padding, strides and filter as width and height, activation, computed padding."""
    activation = d.pick("activation", (0, 0, 1, 2, 3))
    return np.array([1 if same else 2, *sizes, activation, 0, 0, 0, 0], np.int32).tobytes()


@pytest.mark.parametrize("number", cases_from_environment(CASES))
def test_max_pooling_with_argmax_and_back(number: int) -> None:
    d = Draw(number)
    same = d.chance("same", 0.5)
    filter_w, filter_h = d.integer("filter_w", 1, 4), d.integer("filter_h", 1, 4)
    stride_w, stride_h = (filter_w, filter_h) if d.chance("tiles", 0.4) else (d.integer("sw", 1, 5), 2)
    batch, depth = d.integer("batch", 1, 2), d.integer("depth", 1, 4)
    rows, columns = filter_h + d.integer("rows", 0, 7), filter_w + d.integer("columns", 0, 7)
    x = d.values((batch, rows, columns, depth), "float32")
    options = pool_options(d, same, stride_w, stride_h, filter_w, filter_h)
    most, places = one_op("MaxPoolingWithArgmax2D", [x], [()] * 2, options)

    low, high = {0: (-np.inf, np.inf), 1: (0, np.inf), 2: (-1, 1), 3: (0, 6)}[d.params["activation"]]
    before = [0, 0]
    if same:
        for i, (n, f, s) in enumerate(((rows, filter_h, stride_h), (columns, filter_w, stride_w))):
            before[i] = max((-(-n // s) - 1) * s + f - n, 0) // 2
    back = np.zeros((batch, most.shape[1] * filter_h, most.shape[2] * filter_w, depth), np.float32)
    for b, v, u, c in np.ndindex(*most.shape):
        top, left = v * stride_h - before[0], u * stride_w - before[1]
        cells = {
            (i, j): x[b, top + i, left + j, c]
            for i, j in np.ndindex(filter_h, filter_w)
            if 0 <= top + i < rows and 0 <= left + j < columns
        }
        i, j = max(cells, key=cells.__getitem__)  # the first of equal ones
        assert most[b, v, u, c] == np.float32(min(max(cells[i, j], low), high))
        assert places[b, v, u, c] == np.float32(i * filter_w + j) + np.float32(0.1)
        if (stride_w, stride_h) == (filter_w, filter_h):
            back[b, v * filter_h + i, u * filter_w + j, c] = most[b, v, u, c]
    if (stride_w, stride_h) == (filter_w, filter_h):  # else windows overlap or leave gaps
        (got,) = one_op("MaxUnpooling2D", [most, places], [()], options)
        np.testing.assert_array_equal(got, back)


@pytest.mark.parametrize("name", ["MaxUnpooling2D", "LiteRtMaxUnpooling2D"])
@pytest.mark.parametrize("number", cases_from_environment(CASES))
def test_max_unpooling_to_places_in_the_picture(number: int, name: str) -> None:
    d = Draw(number)
    same = d.chance("same", 0.5)
    sizes = [d.integer(n, 1, 4) for n in ("stride_w", "stride_h", "filter_w", "filter_h")]
    x = d.values((d.integer("b", 1, 3), d.integer("h", 1, 5), d.integer("w", 1, 5), 3), "float32")
    _, h, w, depth = x.shape
    height = h * sizes[1] if same else (h - 1) * sizes[1] + sizes[3]
    width = w * sizes[0] if same else (w - 1) * sizes[0] + sizes[2]
    size = height * width * depth
    indices = d.rng.integers(0, size, x.shape).astype(np.int32)
    (got,) = one_op(name, [x, indices], [()], pool_options(d, same, *sizes))
    wanted = vision.unpooled(x, indices, same, (sizes[1], sizes[0]), (sizes[3], sizes[2]))
    np.testing.assert_array_equal(got, wanted)
    indices.flat[int(d.rng.integers(indices.size))] = d.pick("bad", (-1, size, 2**31 - 1, -(2**31)))
    with pytest.raises(InputError, match="outside"):
        one_op(name, [x, indices], [()], pool_options(d, same, *sizes))


@pytest.mark.parametrize("index", [np.nan, -1.0, 4.0, np.inf, -np.inf, 1e30])
def test_max_unpooling_refuses_places_outside_of_the_window(index: float) -> None:
    x = np.ones((1, 2, 2, 1), np.float32)
    indices = np.zeros_like(x)
    indices[0, 1, 1, 0] = index
    with pytest.raises(InputError, match="outside"):
        one_op("MaxUnpooling2D", [x, indices], [()], pool_options(Draw(1), True, 2, 2, 2, 2))
