"""As test_beyond_reference.py, for recurrent layers and tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="models are built with ai-edge-litert: pip install -e '.[test]'")

from builders import GraphBuilder

from edge_sdk import _native

from .replay import ours

F32 = np.float32
Array = Any


def coded(w: Array, rng: np.random.Generator) -> tuple[Array, float]:
    """Weights that are codes times a scale, exactly."""
    return rng.integers(-127, 128, w).astype(np.int8), 2.0**-9


def one_way(x: Array, a: Array, w: Array, v: Array, r: Array, b: Array, backward: bool) -> Array:
    """[time, batch, units] of inputs [time, batch, n], computed in float64."""
    state, out = np.zeros((x.shape[1], b.size)), np.zeros((*x.shape[:2], b.size))
    for t in range(x.shape[0])[:: -1 if backward else 1]:
        state = out[t] = np.maximum(x[t] @ w.T + a[t] @ v.T + state @ r.T + b, 0)
    return out


@pytest.mark.parametrize("time_major", [False, True])
def test_an_auxiliary_input_of_another_width(time_major: bool) -> None:
    """The reference looks for its rows where they were if it had the width of the other input."""
    rng = np.random.default_rng(1)
    g, units, inputs, others = GraphBuilder(), (4, 3), 5, 7
    x, a = (rng.normal(0, 1, (6, 2, n)).astype(F32) for n in (inputs, others))
    layers = []
    for n in units:
        layers.append([rng.normal(0, 0.3, s).astype(F32) for s in ((n, inputs), (n, others), (n, n), (n,))])
    values = [v if time_major else v.swapaxes(0, 1) for v in (x, a)]
    tensors: list[int | None] = [g.input(values[0].shape, "float32")]
    for n, (w, _, r, b) in zip(units, layers):
        tensors += [*map(g.constant, (w, r, b)), g.tensor((2, n), "float32", variable=True)]
    tensors += [g.input(values[1].shape, "float32"), *(g.constant(v) for _, v, _, _ in layers)]
    outputs = [g.tensor((*values[0].shape[:2], n), "float32") for n in units]
    g.op(
        "BIDIRECTIONAL_SEQUENCE_RNN", tensors, outputs,
        timeMajor=time_major, mergeOutputs=False, fusedActivationFunction="RELU",
    )  # fmt: skip
    for k, got in enumerate(ours(g.build(outputs), values)):
        wanted = one_way(x, a, *layers[k], backward=bool(k))
        np.testing.assert_allclose(got if time_major else got.swapaxes(0, 1), wanted, atol=1e-5)


def test_one_output_of_several_batches_of_codes() -> None:
    """The reference reads from address 4. Apart, the same layers have outputs that can be joined."""
    rng = np.random.default_rng(2)
    x = rng.normal(0, 1, (1, 3, 5)).astype(F32)
    layers = []
    for n in (4, 3):
        layers.append([coded((n, 5), rng), coded((n, n), rng), rng.normal(0, 0.3, n).astype(F32)])
    results = []
    for merged in (True, False):
        g = GraphBuilder()
        tensors: list[int | None] = [g.input(x.shape, "float32")]
        for (w, w_scale), (r, r_scale), b in layers:
            tensors += [g.constant(w, scale=w_scale), g.constant(r, scale=r_scale), g.constant(b)]
            tensors.append(g.tensor((3, b.size), "float32", variable=True))
        outputs = [g.tensor((1, 3, n), "float32") for n in ((7,) if merged else (4, 3))]
        g.op(
            "BIDIRECTIONAL_SEQUENCE_RNN", [*tensors, None, None, None], outputs,
            timeMajor=True, mergeOutputs=merged, fusedActivationFunction="RELU",
        )  # fmt: skip
        results.append(np.concatenate(ours(g.build(outputs), [x]), -1))
    assert results[0].any()
    np.testing.assert_array_equal(*results)


def test_ordinary_tensors_are_not_written_by_the_basic_kernel() -> None:
    """The reference puts the new state into the inputs of the graph; here their caller owns them."""
    rng = np.random.default_rng(3)
    g = GraphBuilder()
    shapes = ((2, 3), (2, 4), (2, 4))
    x, h, c = (g.input(shape, "float32") for shape in shapes)
    w, b = (g.constant(rng.normal(0, 1, shape).astype(F32)) for shape in ((16, 7), (16,)))
    outputs = [g.tensor(shape, "float32") for shape in ((2, 4), (2, 4), (2, 7), (2, 16))]
    g.op("LSTM", [x, h, w, b, c], outputs, kernelType="BASIC", fusedActivationFunction="TANH")
    session = _native.Session(_native.Plan(_native.ParsedModel.from_bytes(g.build(outputs))), 1)
    values = [rng.normal(0, 1, shape).astype(F32) for shape in shapes]
    for index, value in zip((x, h, c), values):
        session.view(index)[...] = value
    session.run()
    first = np.array(session.view(outputs[1]))
    session.run()
    assert first.any()
    np.testing.assert_array_equal(session.view(outputs[1]), first)
    np.testing.assert_array_equal(session.view(c), values[2])


def found(keys: Array, wanted: Array, rows: Array) -> list[Array]:
    g = GraphBuilder()
    tensors = [g.input(v.shape, v.dtype.name) for v in (wanted, keys, rows)]
    outputs = [g.tensor((wanted.size, *rows.shape[1:]), "float32"), g.tensor(wanted.shape, "uint8")]
    g.op("HASHTABLE_LOOKUP", tensors, outputs)
    return ours(g.build(outputs), [wanted, keys, rows])


def test_keys_that_are_far_apart() -> None:
    """The reference compares keys by a difference of 32 bits, which overflows."""
    keys = np.array([-(2**31), -5, 7, 2**31 - 1], np.int32)
    rows, hits = found(keys, np.append(keys, np.int32(8)), np.arange(1, 5, dtype=F32))
    np.testing.assert_array_equal(rows, [1, 2, 3, 4, 0])
    np.testing.assert_array_equal(hits, [1, 1, 1, 1, 0])
