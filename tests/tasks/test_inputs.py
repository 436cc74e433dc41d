"""What reaches a model's input: pixels and readings, fitted, normalized, quantized."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_sdk import tasks
from edge_sdk.errors import InputError
from edge_sdk.metadata import ModelMetadata, Normalization, TensorMetadata
from edge_sdk.types import Array, Frame, Quantization, TensorSpec

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)  # every pixel value once
SCORES = TensorSpec("scores", 1, (1, 10), (1, 10), np.dtype("float32"))


def spec(shape: tuple[int, ...], dtype: str, scale: float | None = None, zero_point: int = 0) -> TensorSpec:
    quantization = Quantization() if scale is None else Quantization((scale,), (zero_point,))
    return TensorSpec("input", 0, shape, shape, np.dtype(dtype), quantization)


def prepared(data: Array, target: TensorSpec, file: Normalization | None = None, **options: Any) -> Array:
    metadata = ModelMetadata(inputs=(TensorMetadata(normalization=file),))
    task = tasks.create("classify", [SCORES], metadata=metadata, **options)
    out, _ = task.prepare(Frame(data, "frame", 0), target)
    assert out.shape == target.shape
    assert out.dtype == target.dtype
    return out


def quantized(real: Array, scale: float, zero_point: int) -> Array:
    """int8 by the rule of TFLite: halves away from zero."""
    magnitude = np.floor(np.abs(real / scale) + 0.5)
    return np.clip(np.sign(real) * magnitude + zero_point, -128, 127).astype(np.int8)


# Pictures: which numbers


@pytest.mark.parametrize(
    ("scale", "zero_point"),
    [(1 / 128, 128), (1 / 127.5, 128), (1 / 255, 0), (1.0, 0), (None, 0)],
    ids=["-1..1", "-1..1, symmetric", "0..1", "0..255", "not quantized"],
)
def test_uint8_inputs_take_the_pixels_as_they_are(scale: float | None, zero_point: int) -> None:
    target = spec((1, 16, 16, 3), "uint8", scale, zero_point)
    np.testing.assert_array_equal(prepared(RAMP, target)[0], RAMP)


@pytest.mark.parametrize(
    ("scale", "zero_point"), [(1 / 128, 0), (1 / 127.5, 0), (1 / 255, -128), (1.0, -128), (1.0, 0)]
)
def test_int8_inputs_take_the_pixels_less_128(scale: float, zero_point: int) -> None:
    out = prepared(RAMP, spec((1, 16, 16, 3), "int8", scale, zero_point))
    np.testing.assert_array_equal(out[0], RAMP.astype(np.int32) - 128)


def test_float_inputs_are_minus_one_to_one_unless_told_otherwise() -> None:
    target = spec((1, 16, 16, 3), "float32")
    pixels = RAMP.astype(np.float32)
    np.testing.assert_allclose(prepared(RAMP, target)[0], pixels / 127.5 - 1, atol=1e-6)
    told = prepared(RAMP, target, file=Normalization((0.0,), (255.0,)))
    np.testing.assert_allclose(told[0], pixels / 255, atol=1e-6)
    overridden = prepared(RAMP, target, file=Normalization((0.0,), (255.0,)), mean=[1, 2, 3], std=[2, 4, 8])
    np.testing.assert_allclose(overridden[0], (pixels - [1, 2, 3]) / [2, 4, 8], atol=1e-6)


def test_normalization_that_agrees_with_the_scale_gives_the_pixels_themselves() -> None:
    """A rounding that is off by one for some pixels would differ from every other tool."""
    target = spec((1, 16, 16, 3), "uint8", 1 / 128, 128)
    for options in ({"file": Normalization((127.5,), (127.5,))}, {"mean": 127.5, "std": 127.5}):
        np.testing.assert_array_equal(prepared(RAMP, target, **options)[0], RAMP)  # type: ignore[arg-type]


def test_normalization_in_the_file_that_cannot_be_meant_is_not_followed() -> None:
    """AutoML says mean 0, std 1 beside a scale for -1..1, which would turn all pixels into 255."""
    target = spec((1, 16, 16, 3), "uint8", 1 / 127, 128)
    np.testing.assert_array_equal(prepared(RAMP, target, file=Normalization((0.0,), (1.0,)))[0], RAMP)
    users = prepared(RAMP, target, mean=0, std=1)
    assert (users[0, 1:] == 255).all(), "the user's word is followed"


def test_normalization_of_its_own_goes_through_real_numbers() -> None:
    out = prepared(RAMP, spec((1, 16, 16, 3), "int8", 0.02, -10), mean=[100, 110, 120], std=[50, 60, 70])
    real = (RAMP.astype(np.float64) - [100, 110, 120]) / [50, 60, 70]
    np.testing.assert_array_equal(out[0], quantized(real, 0.02, -10))


def test_a_scale_for_torchvisions_normalization_is_recognized() -> None:
    out = prepared(RAMP, spec((1, 16, 16, 3), "int8", 0.018631115555763245, -14))
    real = (RAMP / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_array_equal(out[0], quantized(real, 0.018631115555763245, -14))


def test_int16_inputs_are_quantized() -> None:
    out = prepared(RAMP, spec((1, 16, 16, 3), "int16", 1 / 32768))
    np.testing.assert_array_equal(
        out[0], np.clip(np.rint((RAMP / 127.5 - 1) * 32768), -32768, 32767).astype(np.int16)
    )


def test_grey_inputs_get_luminance() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[..., 1] = 200
    out = prepared(picture, spec((1, 2, 2, 1), "uint8", 1 / 255))
    np.testing.assert_array_equal(out, np.full((1, 2, 2, 1), 117))  # 0.587 * 200


def test_planar_inputs_get_planes() -> None:
    picture = np.zeros((4, 5, 3), np.uint8)
    picture[...] = [10, 20, 30]
    out = prepared(picture, spec((1, 3, 4, 5), "uint8"))
    np.testing.assert_array_equal(out[0, :, 0, 0], [10, 20, 30])


def test_the_callers_memory_is_filled() -> None:
    target = spec((1, 16, 16, 3), "uint8")
    memory = np.full(target.shape, 7, np.uint8)
    task = tasks.create("classify", [SCORES])
    out, _ = task.prepare(Frame(RAMP, "frame", 0), target, out=memory)
    assert out is memory
    np.testing.assert_array_equal(memory[0], RAMP)


# Pictures: where


def test_stretch_fills_the_input() -> None:
    picture = np.zeros((10, 20, 3), np.uint8)
    picture[:, 10:] = 255
    task = tasks.create("classify", [SCORES])
    out, geometry = task.prepare(Frame(picture, "frame", 0), spec((1, 8, 8, 3), "uint8"))
    assert (out[0, :, :3] == 0).all()
    assert (out[0, :, 5:] == 255).all()
    assert (geometry.width, geometry.height) == (20, 10)
    assert (geometry.scale_x, geometry.scale_y) == (0.4, 0.8)


@pytest.mark.parametrize("size", [(10, 20), (20, 10)], ids=["wide", "high"])
def test_letterbox_keeps_the_shape_and_pads_with_grey(size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 255, np.uint8)
    task = tasks.create("classify", [SCORES], fit="letterbox")
    out, geometry = task.prepare(Frame(picture, "frame", 0), spec((1, 8, 8, 3), "uint8"))
    image = out[0] if size == (10, 20) else out[0].transpose(1, 0, 2)
    assert (image[:2] == 114).all()
    assert (image[2:6] == 255).all()
    assert (image[6:] == 114).all()
    assert geometry.scale_x == geometry.scale_y == 0.4
    assert sorted([geometry.offset_x, geometry.offset_y]) == [0, 2]


def test_shrinking_looks_at_every_pixel() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 254
    out = prepared(stripes, spec((1, 8, 8, 3), "uint8"))
    assert abs(out.astype(int) - 127).max() <= 6


# Sensor windows


def test_windows_are_normalized_and_quantized_by_channel() -> None:
    window = np.array([[1, 10], [2, 20], [3, 30]], np.float32)
    out = prepared(window, spec((1, 3, 2), "int8", 0.1, 5), mean=[2, 20], std=[1, 10])
    np.testing.assert_array_equal(out[0], [[-5, -5], [5, 5], [15, 15]])


def test_windows_are_taken_as_they_are_by_default_and_saturate() -> None:
    window = np.array([[1.5, -400], [300, 0.26]], np.float32)
    np.testing.assert_array_equal(prepared(window, spec((1, 2, 2), "float32"))[0], window)
    out = prepared(window, spec((1, 2, 2), "int8", 0.5, 0))
    np.testing.assert_array_equal(out[0], [[3, -128], [127, 1]])


@pytest.mark.parametrize("shape", [(1, 4, 3), (1, 4, 3, 1), (1, 1, 4, 3), (1, 12), (12,)])
def test_windows_reach_inputs_that_are_shaped_otherwise(shape: tuple[int, ...]) -> None:
    window = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.testing.assert_array_equal(prepared(window, spec(shape, "float32")).reshape(4, 3), window)


# What cannot be an input


@pytest.mark.parametrize(
    ("data", "shape", "words"),
    [
        (np.zeros((4, 3), np.float32), (1, 3, 4), r"\(1, 3, 4\).*\(4, 3\)"),
        (np.zeros((4, 3), np.float32), (1, 5, 3), r"\(1, 5, 3\).*\(4, 3\)"),
        (np.full((4, 3), np.nan, np.float32), (1, 4, 3), "not finite"),
        (np.zeros((4, 4, 3), np.float32), (1, 4, 4, 3), "float32"),
        (np.zeros(4, np.float32), (1, 4), r"\(4,\)"),
        (np.zeros((4, 4, 3), np.uint8), (1, 48), r"\(1, 48\)"),
        (np.zeros((4, 4, 3), np.uint8), (2, 4, 4, 3), r"\(2, 4, 4, 3\)"),
        (np.zeros((4, 4, 3), np.uint8), (1, 4, 4, 5), "5 channels"),
        (np.zeros((0, 4, 3), np.uint8), (1, 4, 4, 3), "4 x 0"),
    ],
)
def test_frames_that_do_not_fit_are_refused(data: Array, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        prepared(data, spec(shape, "float32"))


def test_a_mean_per_channel_needs_that_many_channels() -> None:
    with pytest.raises(InputError, match="3 values of mean for 1 channels"):
        prepared(RAMP, spec((1, 16, 16, 1), "float32"), mean=[1, 2, 3], std=1)
