"""From pixels and sensor windows to a model's input: fitted, normalized, quantized."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from edge_sdk.errors import InputError
from edge_sdk.metadata import Normalization
from edge_sdk.types import Array, Frame, Geometry, Quantization, TensorSpec

FITS = ("stretch", "letterbox")
_PAD = 114  # the grey of YOLO's letterbox

_TO_MINUS_ONE_AND_ONE = Normalization((127.5,), (127.5,))
# What torchvision's ImageNet models are trained with, in pixels; their real inputs span _TORCH_SPAN.
_TORCH = Normalization((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
_TORCH_SPAN = (-2.118, 2.640)


def prepare(
    frame: Frame,
    spec: TensorSpec,
    normalization: Normalization | None,
    trusted: bool,
    fit: str,
    out: Array | None,
) -> tuple[Array, Geometry]:
    """`frame` as the input `spec`: a picture is fitted and goes through a table, a window is scaled.

    `normalization` None stands for the usual one (see `pixel_table`); `trusted` says that it is the
    user's own and not the file's claim.
    """
    if out is None:
        out = np.empty(spec.shape, spec.dtype)
    if frame.data.ndim == 3 and frame.data.dtype == np.uint8:
        return out, _write_picture(frame.data, spec, normalization, trusted, fit, out)
    if frame.data.ndim == 2:
        _write_window(frame.data, spec, normalization, out)
        return out, Geometry(width=0, height=0)
    raise InputError(
        f"frame {frame.id} has shape {frame.data.shape} {frame.data.dtype}; a picture is (height, width, 3) "
        "uint8, a sensor window (time, channels)"
    )


# Pictures


def _write_picture(
    pixels: Array, spec: TensorSpec, normalization: Normalization | None, trusted: bool, fit: str, out: Array
) -> Geometry:
    if len(spec.shape) != 4 or spec.shape[0] != 1:
        raise InputError(f"input {spec.name} is {spec.shape}; a picture needs (1, height, width, 1 or 3)")
    planar = spec.shape[1] in (1, 3) and spec.shape[3] not in (1, 3)  # (1, channels, height, width)
    channels = spec.shape[1] if planar else spec.shape[3]
    height, width = spec.shape[2:] if planar else spec.shape[1:3]
    if channels not in (1, 3):
        raise InputError(f"input {spec.name} has {channels} channels; a picture gives 1 (grey) or 3 (RGB)")
    fitted, geometry = _fit(pixels, width, height, channels, fit)
    target = out.transpose(0, 2, 3, 1)[0] if planar else out[0]
    tables = pixel_tables(spec.dtype, spec.quantization, normalization, trusted, channels)
    for channel, table in enumerate(tables):
        target[..., channel] = table[fitted[..., channel]]
    return geometry


def _fit(pixels: Array, width: int, height: int, channels: int, fit: str) -> tuple[Array, Geometry]:
    """`pixels` as (height, width, channels) uint8. Scaling is bilinear over all pixels covered."""
    source_height, source_width = pixels.shape[:2]
    if not source_height or not source_width:
        raise InputError(f"the picture has {source_width} x {source_height} pixels")
    inner_width, inner_height, left, top = width, height, 0, 0
    if fit == "letterbox":
        scale = min(width / source_width, height / source_height)
        inner_width = min(width, max(1, round(source_width * scale)))
        inner_height = min(height, max(1, round(source_height * scale)))
        left, top = (width - inner_width) // 2, (height - inner_height) // 2
    geometry = Geometry(
        width=source_width,
        height=source_height,
        scale_x=inner_width / source_width,
        scale_y=inner_height / source_height,
        offset_x=left,
        offset_y=top,
        input_width=width,
        input_height=height,
    )
    if (inner_width, inner_height) != (source_width, source_height) or pixels.shape[2] != channels:
        from PIL import Image  # only here: a picture of the right size needs no Pillow

        image = Image.fromarray(pixels)
        if channels == 1:
            image = image.convert("L")
        image = image.resize((inner_width, inner_height), Image.Resampling.BILINEAR)
        pixels = np.asarray(image).reshape(inner_height, inner_width, channels)
    if (inner_width, inner_height) != (width, height):
        padded = np.full((height, width, channels), _PAD, np.uint8)
        padded[top : top + inner_height, left : left + inner_width] = pixels
        pixels = padded
    return pixels, geometry


@lru_cache(maxsize=16)
def pixel_tables(
    dtype: np.dtype[Any],
    quantization: Quantization,
    normalization: Normalization | None,
    trusted: bool,
    channels: int,
) -> tuple[Array, ...]:
    """Per channel the 256 input values that pixels 0 to 255 become.

    Float inputs are (pixel - mean) / std, by default to -1..1. 8-bit inputs take the pixels as they
    are (int8: less 128): converters choose scale and zero point so that this is what normalizing and
    quantizing gives, to a rounding. Where it is not, because the user's normalization or a believable
    one from the file says so, or the scale is that of torchvision's normalization, it is computed.
    """
    pixels = np.arange(256, dtype=np.float64)
    eight_bit = dtype.kind in "iu" and dtype.itemsize == 1
    if normalization is None and eight_bit and _spans_torch(dtype, quantization) and channels == 3:
        normalization = _TORCH
    raw = pixels + np.iinfo(dtype).min if eight_bit else pixels
    if eight_bit and (normalization is None or not quantization):
        return (raw.astype(dtype),) * channels
    normalization = normalization or _TO_MINUS_ONE_AND_ONE
    mean = _per_channel(normalization.mean, channels, "mean")
    std = _per_channel(normalization.std, channels, "std")
    real = [(pixels - m) / s for m, s in zip(mean, std)]
    if dtype.kind == "f":
        return tuple(r.astype(dtype) for r in real)
    if not quantization:
        return (raw.astype(dtype),) * channels
    exact = [r / quantization.scales[0] + quantization.zero_points[0] for r in real]  # not rounded yet
    if eight_bit and all(np.abs(e - raw).max() < 1.5 for e in exact):
        return (raw.astype(dtype),) * channels
    if eight_bit and not trusted and not all(_believable(e, dtype) for e in exact):
        return (raw.astype(dtype),) * channels
    return tuple(quantize(r, dtype, quantization) for r in real)


def _spans_torch(dtype: np.dtype[Any], quantization: Quantization) -> bool:
    if not quantization:
        return False
    limits = np.iinfo(dtype)
    span = [quantization.scales[0] * (q - quantization.zero_points[0]) for q in (limits.min, limits.max)]
    return bool(np.allclose(span, _TORCH_SPAN, atol=0.1))


def _believable(exact: Array, dtype: np.dtype[Any]) -> bool:
    """Whether quantized pixels use at least half of the dtype's range and stay inside it.

    Files are about that say mean 0, std 1 although the scale is for -1..1 (AutoML's); TFLite's own
    libraries never look at it for quantized inputs, so nobody noticed.
    """
    limits = np.iinfo(dtype)
    inside = exact.min() > limits.min - 3 and exact.max() < limits.max + 3
    return bool(inside and exact.max() - exact.min() > 128)


# Sensor windows


def _write_window(window: Array, spec: TensorSpec, normalization: Normalization | None, out: Array) -> None:
    def without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(size for size in shape if size != 1)

    flat = (window.size,) if window.size != 1 else ()
    if without_ones(spec.shape) not in (without_ones(window.shape), flat):
        raise InputError(
            f"input {spec.name} has shape {spec.shape}, the window has {window.shape} (time, channels)"
        )
    real = window.astype(np.float64)
    if not np.isfinite(real).all():
        raise InputError("the window holds a value that is not finite")
    if normalization is not None:
        channels = window.shape[1]
        real = real - _per_channel(normalization.mean, channels, "mean")
        real = real / _per_channel(normalization.std, channels, "std")
    if spec.dtype.kind in "iu":
        real = quantize(real, spec.dtype, spec.quantization or Quantization((1.0,), (0,)))
    out[...] = real.reshape(spec.shape)


def _per_channel(values: tuple[float, ...], channels: int, what: str) -> Array:
    if len(values) not in (1, channels):
        raise InputError(f"normalization has {len(values)} values of {what} for {channels} channels")
    return np.broadcast_to(np.asarray(values, np.float64), (channels,))


def quantize(real: Array, dtype: np.dtype[Any], quantization: Quantization) -> Array:
    """round(real / scale) + zero point, halves away from zero as TFLite's AffineQuantize, saturated."""
    steps = real / quantization.scales[0]
    q = np.trunc(steps + np.copysign(0.5, steps)) + quantization.zero_points[0]
    limits = np.iinfo(dtype)
    quantized: Array = np.clip(q, limits.min, limits.max).astype(dtype)
    return quantized
