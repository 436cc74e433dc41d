"""From a model's output tensors to real numbers."""

from __future__ import annotations

import numpy as np

from edge_sdk.types import Array, TensorSpec


def dequantize(values: Array, spec: TensorSpec) -> Array:
    """float32 real values: scale * (q - zero_point), or `values` as they are where not quantized."""
    real = values.astype(np.float32)
    if values.dtype.kind in "iu" and spec.quantization:
        real = (real - np.float32(spec.quantization.zero_points[0])) * np.float32(spec.quantization.scales[0])
    return real
