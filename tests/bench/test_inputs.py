"""Inputs to measure with, and how outputs are compared."""

from __future__ import annotations

import numpy as np

from edge_sdk.bench.inputs import difference, random_inputs
from edge_sdk.types import TensorSpec


def spec(dtype: str, *shape: int) -> TensorSpec:
    return TensorSpec("x", 0, shape, shape, np.dtype(dtype))


def test_codes_go_over_their_range_and_indices_stay_within_small_tables() -> None:
    codes, indices, floats = random_inputs([spec("int8", 5000), spec("int64", 5000), spec("float32", 5000)])
    assert (codes.min(), codes.max()) == (-128, 127)
    assert (indices.min(), indices.max()) == (0, 9)
    assert abs(floats.std() - 1) < 0.1


def test_the_same_seed_gives_the_same_inputs() -> None:
    for a, b in zip(random_inputs([spec("uint8", 9)], 3), random_inputs([spec("uint8", 9)], 3)):
        np.testing.assert_array_equal(a, b)


def test_differences_are_in_codes_or_as_a_share_of_the_greatest_value() -> None:
    assert difference([np.array([1, 2], np.int8)], [np.array([1, 5], np.int8)]) == 3
    assert difference([np.array([1.0, 2.0])], [np.array([1.0, 4.0])]) == 0.5
    assert difference([np.array([np.nan, np.inf])], [np.array([np.nan, np.inf])]) == 0
    assert difference([np.array([1.0])], [np.array([np.nan])]) == np.inf
    assert difference([np.zeros(2)], [np.zeros(3)]) == np.inf
