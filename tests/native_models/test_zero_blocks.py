"""Layers whose weights have whole blocks of zeros leave these out; `differential/zero_blocks.py` compares
the results with the reference's."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from builders import GraphBuilder

from edge_sdk.backends import native

OUT, DEPTH = native.sparse_block()


def model(share: float, filter_size: int = 1) -> bytes:
    """One convolution, of whose blocks of weights `share` are zero."""
    rng = np.random.default_rng(3)
    shape = (4 * OUT, filter_size, filter_size, 16 * DEPTH)
    w = rng.integers(1, 128, shape).astype(np.int8)
    blocks = np.arange(64 * filter_size**2).reshape(4, filter_size, filter_size, 16)
    zero = (blocks * 7 % 16 < share * 16).repeat(OUT, 0).repeat(DEPTH, -1)
    w[zero] = 0
    g = GraphBuilder()
    x = g.input((1, 14, 14, shape[3]), "int8", scale=0.1, zero_point=-5)
    y = g.tensor((1, 14, 14, shape[0]), "int8", scale=20.0)
    weights = g.constant(w, scale=0.02, axis=0)
    bias = g.constant(rng.integers(-1000, 1000, shape[0]).astype(np.int32), scale=0.002)
    g.op("CONV_2D", [x, weights, bias], [y], padding="SAME", strideH=1, strideW=1,
         dilationHFactor=1, dilationWFactor=1)  # fmt: skip
    return g.build([y])


def kernel_of(content: bytes, folder: Path) -> tuple[str, int]:
    """The kernel's name and the bytes of its weights."""
    file = folder / "model.tflite"
    file.write_bytes(content)
    (step,) = native.load(str(file), 1).plan.steps()
    return step["kernel"], step["bytes"]


def leaves_out(kernel: str) -> bool:
    return re.search(r"x\d+s\d_", kernel) is not None


@pytest.mark.parametrize("filter_size", [1, 3])
def test_half_of_the_blocks_zero_take_a_kernel_that_leaves_them_out(filter_size: int, tmp_path: Path) -> None:
    whole, all_bytes = kernel_of(model(0, filter_size=filter_size), tmp_path)
    half, half_bytes = kernel_of(model(0.5, filter_size=filter_size), tmp_path)
    assert not leaves_out(whole)
    assert leaves_out(half)
    assert half_bytes < 0.75 * all_bytes


def test_too_few_zeros_are_multiplied_like_the_others(tmp_path: Path) -> None:
    assert not leaves_out(kernel_of(model(0.1), tmp_path)[0])
