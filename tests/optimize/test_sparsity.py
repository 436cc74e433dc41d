"""Blocks of zeros: which ones, what the other weights take over, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import GraphBuilder

import edge_sdk
from edge_sdk.errors import InputError, ModelError
from edge_sdk.optimize import prune, tflite_file, timing
from edge_sdk.optimize.data import random_samples, results
from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.prune.sparsity import SPARSE_BLOCK, block_norms
from edge_sdk.resources import folder

FOLDER = folder("models") / "fashion_mnist"
FLOAT, INT8 = FOLDER / "fashion_mnist_float.tflite", FOLDER / "fashion_mnist_int8.tflite"


@pytest.fixture(autouse=True)
def _short_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_SECONDS", 0.0)


@pytest.mark.parametrize("path", [FLOAT, INT8], ids=["float", "int8"])
def test_blocks_become_zero_and_nothing_else_changes(path: Path) -> None:
    model = path.read_bytes()
    found = prune.sparsify(model, 0.5)
    before, after = (Graph(tflite_file.read(m)) for m in (model, found.model))
    changed = 0
    for (_, old), (_, new) in zip(before.layers(), after.layers()):
        a, b = (g.constant(g.op_inputs(op)[1]) for g, op in ((before, old), (after, new)))
        assert a is not None
        assert b is not None
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a[b != 0], b[b != 0])
        if not np.array_equal(a, b):
            norms = block_norms(b.reshape(len(b), -1))
            assert (norms == 0).mean() == pytest.approx(0.5, abs=0.01)
            kept = block_norms(a.reshape(len(a), -1))
            if path == FLOAT:  # in each row of blocks the least
                for norm, had in zip(norms, kept):
                    assert had[norm == 0].max() <= had[norm > 0].min()
            changed += 1
    assert changed == len(found.layers) == 4
    assert len(found.left_alone) == 2
    assert SPARSE_BLOCK == (16, 8)


def test_int8_blocks_are_weighed_by_what_their_codes_are_worth() -> None:
    g = GraphBuilder()
    x = g.input((1, 32), "int8", scale=1.0)
    y = g.tensor((1, 16), "int8", scale=1.0)
    codes = np.zeros((16, 32), np.int8)
    codes[:8, :16], codes[8:, 16:] = 100, 1
    scales = np.repeat([0.001, 1.0], 8)
    g.op("FULLY_CONNECTED", [x, g.constant(codes, scale=scales), None], [y])
    graph = Graph(tflite_file.read(prune.sparsify(g.build([y]), 0.5).model))
    left = graph.constant(graph.op_inputs(graph.ops[0])[1])
    assert left is not None
    assert not left[:, :16].any()
    assert left[8:, 16:].all()


def assert_fitted(model: bytes, count: int) -> None:
    """Samples make what is lost with half of the blocks 20 times smaller."""
    samples = random_samples(edge_sdk.load(model).inputs, count)
    (wanted,) = results(edge_sdk.load(model), samples)
    fitted, plain = (prune.sparsify(model, 0.5, samples=s).model for s in (samples, None))
    far, near = (np.abs(results(edge_sdk.load(m), samples)[0] - wanted).max() for m in (plain, fitted))
    assert near < 0.05 * far


def test_weights_that_stay_take_over_what_the_zeros_said() -> None:
    """Columns behind the first half repeat it: half of the blocks say nothing that the rest cannot."""
    rng = np.random.default_rng(0)
    g = GraphBuilder()
    x, both, y = g.input((1, 32), "float32"), g.tensor((1, 64), "float32"), g.tensor((1, 16), "float32")
    g.op("CONCATENATION", [x, x], [both], axis=1)
    weights = rng.standard_normal((16, 64)).astype(np.float32)
    weights[:, 32:] /= 10
    g.op("FULLY_CONNECTED", [both, g.constant(weights), None], [y])
    assert_fitted(g.build([y]), 300)


def test_sparse_convolution_is_fitted_to_its_patches() -> None:
    """A channel that another one repeats: without fitting, its block is missed."""
    rng = np.random.default_rng(0)
    g = GraphBuilder()
    x, both, y = (g.input((1, 9, 9, 8), "float32"), g.tensor((1, 9, 9, 16), "float32"),
                  g.tensor((1, 3, 2, 16), "float32"))  # fmt: skip
    g.op("CONCATENATION", [x, x], [both], axis=3)
    weights = rng.standard_normal((16, 3, 2, 16)).astype(np.float32)
    weights[..., 8:] /= 10
    g.op("CONV_2D", [both, g.constant(weights), g.constant(np.zeros(16, np.float32))], [y], padding="VALID",
         strideH=2, strideW=3, dilationHFactor=2, dilationWFactor=4)  # fmt: skip
    assert_fitted(g.build([y]), 100)


def test_sparsity_that_gains_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="2:4"):
        prune.sparsify(FLOAT.read_bytes(), 0.5, "2:4")
    with pytest.raises(ModelError, match="too few"):
        prune.sparsify((folder("models") / "motion" / "motion_float.tflite").read_bytes(), 0.5)
