"""Inputs to measure with, and how far two runtimes' outputs for them are apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_sdk.types import Array, TensorSpec

PIECE = 1 << 18  # elements that are compared at once, so that large tensors stay out of memory


def random_inputs(specs: Sequence[TensorSpec], seed: int = 0) -> list[Array]:
    """One array per input: codes over the whole range of their type, floats from a normal distribution.

    Integers of 32 and 64 bits are 0 to 9: as a rule they are indices into tables, or sizes.
    """
    rng = np.random.default_rng(seed)
    arrays: list[Array] = []
    for spec in specs:
        if spec.dtype.kind in "iu" and spec.dtype.itemsize >= 4:
            arrays.append(rng.integers(0, 10, spec.shape, dtype=spec.dtype))
        elif spec.dtype.kind in "iu":
            limits = np.iinfo(spec.dtype)
            arrays.append(rng.integers(limits.min, limits.max, spec.shape, dtype=spec.dtype, endpoint=True))
        elif spec.dtype.kind == "b":
            arrays.append(rng.integers(0, 2, spec.shape).astype(bool))
        else:
            arrays.append(rng.standard_normal(spec.shape).astype(spec.dtype))
    return arrays


def difference(ours: Sequence[Array], theirs: Sequence[Array]) -> float:
    """The greatest difference of two elements: in codes, or for floats as a share of the greatest value.

    Infinite where shapes differ or only one of the two is a number.
    """
    return max((_difference(a, b) for a, b in zip(ours, theirs)), default=0.0)


def _difference(ours: Array, theirs: Array) -> float:
    if ours.shape != theirs.shape:
        return float("inf")
    a, b = ours.reshape(-1), theirs.reshape(-1)
    greatest = scale = 0.0
    for start in range(0, a.size, PIECE):
        piece = slice(start, start + PIECE)
        greatest = max(greatest, _greatest(a[piece].astype(np.float64), b[piece].astype(np.float64)))
        if ours.dtype.kind == "f":
            finite = b[piece][np.isfinite(b[piece])]
            scale = max(scale, float(np.abs(finite.astype(np.float64)).max(initial=0.0)))
    return greatest / scale if scale else greatest


def _greatest(a: Array, b: Array) -> float:
    with np.errstate(invalid="ignore"):
        apart = np.abs(a - b)
    apart[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0  # equal infinities, too
    return float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0.0))
