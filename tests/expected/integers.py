"""Layers of quantized codes in 64-bit integers."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def fixed_point(factor: Any) -> tuple[Array, Array]:
    """m, e with factor = m * 2^(e - 31) and m in [2^30, 2^31)."""
    mantissa, exponent = np.frexp(np.float64(factor))
    m = np.floor(mantissa * 2**31 + 0.5).astype(np.int64)
    full = m == 2**31
    return np.where(full, m // 2, m), exponent + full


def rounded_twice(x: Array, factor: Any) -> Array:
    """int32 x times a factor, as TFLite does it: half up to 31 bits, then half away from 0."""
    m, e = fixed_point(factor)
    high = ((x.astype(np.int64) << np.maximum(e, 0)) * m + 2**30) >> 31
    shift = np.maximum(-e, 0)
    half = np.where(shift > 0, 1 << np.maximum(shift - 1, 0), 0)
    return np.where(shift > 0, high + half - (high < 0), high) >> shift


def rounded_once(x: Array, factor: Any) -> Array:
    """int64 x times a factor, as TFLite does it: 15 bits of the mantissa, half up."""
    m, e = fixed_point(factor)
    shift = 15 - e
    return (x * ((m + 2**15) >> 16) + (1 << (shift - 1))) >> shift


def transposed(x: Array, w: Array, size: tuple[int, int], stride: int, before: tuple[int, int]) -> Any:
    """Each pixel of x adds its window to the output; sums in the type of x and w."""
    batch, height, width, _ = x.shape
    out, filter_h, filter_w, _ = w.shape
    full = np.zeros((batch, height * stride + filter_h, width * stride + filter_w, out), x.dtype)
    for i in range(height):
        for j in range(width):
            window = np.einsum("bk,nyxk->byxn", x[:, i, j], w)
            full[:, i * stride : i * stride + filter_h, j * stride : j * stride + filter_w] += window
    top, left = before
    return full[:, top : top + size[0], left : left + size[1]]


def svdf(
    x: Array,
    features: Array,
    time: Array,
    bias: Array,
    memory: Array,
    zeros: tuple[int, int, int],
    scales: Any,
) -> tuple[Array, Array]:
    """Output and memory [batches, filters, length] of an SVDF of int8 whose memory is int8.

    `zeros` are those of x, memory and output; `scales` of x, features, memory, time and output.
    """
    of_x, of_features, of_memory, of_time, of_out = np.float32(scales)
    products = (x.astype(np.int64) - zeros[0]) @ features.astype(np.int64).T
    newest = np.clip(rounded_twice(products, of_x * of_features / of_memory), -128, 127) + zeros[1]
    memory = np.concatenate([memory[:, :, 1:], newest.astype(np.int8)[:, :, None]], 2)  # wraps, as there
    sums = ((memory.astype(np.int64) - zeros[1]) * time).sum(2)
    sums = sums.reshape(len(x), len(bias), -1).sum(2) + bias
    codes = rounded_twice(sums, of_memory * of_time / of_out) + zeros[2]
    return np.clip(codes, -128, 127).astype(np.int8), memory
