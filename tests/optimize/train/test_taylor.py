"""Taylor importance: what channels do to the loss, whatever their weights and activations look like."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="not run for want of PyTorch (pip install '.[train]')")

from builders import GraphBuilder  # noqa: E402

import edge_sdk  # noqa: E402
from edge_sdk.optimize import prune, tflite_file  # noqa: E402
from edge_sdk.optimize.data import Samples, random_samples, results  # noqa: E402
from edge_sdk.optimize.graph import Graph  # noqa: E402
from edge_sdk.optimize.prune.channels import Channels, find  # noqa: E402
from edge_sdk.optimize.prune.compensate import own_biases  # noqa: E402
from edge_sdk.optimize.prune.statistics import (  # noqa: E402
    Moments,
    consumers,
    inflow,
    put_weights,
    weights_of,
)
from edge_sdk.optimize.train.fit import Settings, loss_of  # noqa: E402
from edge_sdk.optimize.train.lessons import Lesson  # noqa: E402
from edge_sdk.optimize.train.taylor import ByTaylor, answers  # noqa: E402
from edge_sdk.optimize.train.torch_graph import TorchGraph  # noqa: E402

from ..prunable import random_model  # noqa: E402

LOUD = [1, 2, 5, 7]  # channels of `deaf_model` that nothing comes of


def deaf_model(ending: str) -> bytes:
    """Eight channels of which the four loudest change all scores alike, or cancel in what follows."""
    rng = np.random.default_rng(0)
    g = GraphBuilder()
    x, hidden = g.input((1, 6), "float32"), g.tensor((1, 8), "float32")
    middle, y = g.tensor((1, 4), "float32"), g.tensor((1, 4), "float32")
    first = rng.standard_normal((8, 6)).astype(np.float32)
    second = rng.standard_normal((4, 8)).astype(np.float32)
    first[LOUD] *= 5
    second[:, LOUD] = 3
    g.op("FULLY_CONNECTED", [x, g.constant(first), None], [hidden], fusedActivationFunction="RELU")
    g.op("FULLY_CONNECTED", [hidden, g.constant(second), None], [middle])
    if ending == "SOFTMAX":
        g.op("SOFTMAX", [middle], [y], beta=1.0)
    else:
        g.op("FULLY_CONNECTED", [middle, g.constant(np.float32([[1, -1, 0, 0], [0, 0, 1, -1]])), None],
             [y := g.tensor((1, 2), "float32")])  # fmt: skip
    return g.build([y])


@pytest.mark.parametrize(
    ("ending", "labels"), [("SOFTMAX", "all"), ("SOFTMAX", "some"), ("SOFTMAX", "none"), ("", "none")]
)
def test_what_the_loss_does_not_see_goes_first(ending: str, labels: str) -> None:
    model = deaf_model(ending)
    samples = random_samples(edge_sdk.load(model).inputs, 64)
    (wanted,) = results(edge_sdk.load(model), samples)
    if labels != "none":
        truth = wanted.argmax(1)
        truth[: 32 if labels == "some" else 0] = -1
        samples = Samples(samples.inputs, truth)
    target = prune.Target("macs", 0.55)
    taylor, activation = (
        results(edge_sdk.load(found.model), samples)[0]
        for found in (
            prune.prune(model, target, samples, method=m, multiple=1) for m in ("taylor", "activation")
        )
    )
    assert np.abs(taylor - wanted).max() < 1e-3 * np.abs(wanted).max()
    assert np.abs(activation - wanted).max() > 0.05 * np.abs(wanted).max()


def test_scores_are_squared_slopes_of_the_loss() -> None:
    """Held against finite differences: each unit a little nearer to its mean, and a little farther."""
    compared = 0
    for seed in range(24):
        graph = Graph(tflite_file.read(random_model(seed)))
        own_biases(graph)
        channels = find(graph)
        model = tflite_file.write(graph.tree)
        kinds = {graph.kind(op) for op in graph.ops}
        if not channels.count or kinds & {"DEQUANTIZE", "SPACE_TO_BATCH_ND"}:  # coarse steps; not trainable
            continue
        samples = random_samples(edge_sdk.load(model).inputs, 3)
        moments = inflow(model, channels, samples)
        scores = ByTaylor(graph, channels, moments, samples).values
        wanted = answers(TorchGraph(model), samples)
        expected = np.zeros_like(scores)
        for unit in range(1, channels.count + 1):
            near, far = (losses(blended(model, channels, moments, unit, s), wanted) for s in (0.01, -0.01))
            expected[unit] = np.square((far - near) / 0.02).mean()
        np.testing.assert_allclose(scores[1:], expected[1:], rtol=0.05, atol=0.02 * expected.max())
        compared += channels.count
    assert compared > 40


def losses(model: bytes, wanted: Lesson) -> np.ndarray:
    """One a sample."""
    net = TorchGraph(model)
    parts = [wanted.take(slice(i, i + 1)) for i in range(len(wanted))]
    with torch.no_grad():
        return np.array([float(loss_of(net.scores(*part.inputs), part, Settings())) for part in parts])


def blended(model: bytes, channels: Channels, moments: dict[int, Moments], unit: int, share: float) -> bytes:
    """What reads a unit sees `share` of its mean instead of as much of what it is."""
    graph = Graph(tflite_file.read(model))
    for layer in consumers(channels):
        assert layer.inputs is not None
        mine = layer.inputs == unit
        weights = weights_of(graph, layer.weights)
        moved = share * weights[..., mine]
        weights[..., mine] -= moved
        put_weights(graph, layer.weights, weights)
        if layer.kind != "TRANSPOSE_CONV":
            taps = tuple(range(1, weights.ndim - 1))
            bias = weights_of(graph, layer.bias) + moved.sum(taps) @ moments[layer.op].mean[mine]
            put_weights(graph, layer.bias, bias.astype(np.float32))
    return tflite_file.write(graph.tree)
