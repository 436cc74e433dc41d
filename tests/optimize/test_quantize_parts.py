"""Rounding of weights, ranges of activations, and evening out of channels, each by itself."""

from __future__ import annotations

import numpy as np
import pytest

import edge_sdk
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.data import Samples, results
from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.quantize.calibrate import ranges
from edge_sdk.optimize.quantize.equalize import channel_reach, equalize
from edge_sdk.optimize.quantize.layers import Inputs, float_layers, layer_inputs, on_grid, shift
from edge_sdk.optimize.quantize.normal_form import normalize

from . import float_models


def correlated(rows: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.standard_normal((rows, 6)) @ rng.standard_normal((6, width)) + 0.1 * rng.standard_normal(
        (rows, width)
    )


def test_four_bits_that_make_errors_good_err_less_on_the_layers_inputs() -> None:
    x = correlated(2000, 72)
    weights = np.random.default_rng(4).standard_normal((16, 72))
    known = Inputs(x.mean(axis=0), x.T @ x / len(x))

    def error(rounded: np.ndarray) -> float:
        return float(np.mean((x @ (weights - rounded).T) ** 2))

    step = np.abs(weights).max(axis=1, keepdims=True) / 7
    plain = error(step * np.round(weights / step))
    assert error(on_grid(weights, 4, known)) < plain / 5
    assert error(on_grid(weights, 4, None)) < plain


@pytest.mark.parametrize("bits", [4, 8])
def test_rounded_weights_are_multiples_of_what_litert_quantizer_takes_for_the_scale(bits: int) -> None:
    x = correlated(500, 40)
    weights = np.random.default_rng(5).standard_normal((8, 40))
    weights[3] = 0
    moved = on_grid(weights, bits, Inputs(x.mean(axis=0), x.T @ x / len(x)))
    top = 2 ** (bits - 1) - 1
    scales = np.abs(moved).max(axis=1, keepdims=True) / top
    codes = moved[scales[:, 0] > 0] / scales[scales[:, 0] > 0]
    np.testing.assert_allclose(codes, np.round(codes), atol=1e-4)
    assert not moved[3].any()


def test_the_mean_error_of_a_layer_goes_into_its_bias() -> None:
    model = float_models.network()
    form = normalize(model)
    given = float_models.samples(model, 90, labelled=False)
    known = layer_inputs(form.graph, form.content(), given)
    layer = next(each for each in float_layers(form.graph) if each.kind == "DEPTHWISE_CONV_2D")
    values = form.graph.constant(layer.weights)
    assert values is not None
    before = layer.matrix(values)
    np.testing.assert_array_equal(layer.back(before, values.shape), values)
    lost = shift(layer, before, before - 0.01, known[layer.position])
    expected = 0.01 * known[layer.position].mean.sum(axis=1)
    np.testing.assert_allclose(lost, expected, rtol=1e-6)


def test_inputs_of_layers_are_those_that_their_dot_products_see() -> None:
    model = float_models.network()
    form = normalize(model)
    given = Samples((np.ones((2, 12, 12, 3), np.float32),))
    (first, *_) = float_layers(form.graph)
    product = layer_inputs(form.graph, form.content(), given)[first.position].product
    assert product is not None
    centre = 4 * 3  # the middle of 3 x 3 cells is never outside, corners are at the edges
    np.testing.assert_allclose(product[centre, centre], 1)
    assert 0.7 < product[0, 0] < 1


def test_an_outlier_does_not_stretch_every_range() -> None:
    model = float_models.network(softmax=False)
    rng = np.random.default_rng(0)
    pictures = rng.standard_normal((80, 12, 12, 3)).astype(np.float32)
    pictures[7, 0, 0, 0] = 500
    found = ranges(normalize(model).content(), Samples((pictures,)), ["minmax", "percentile", "mse"])
    widest = {method: pairs["g0t0"][1] - pairs["g0t0"][0] for method, pairs in found.items()}
    assert widest["minmax"] > 500
    assert widest["percentile"] < 50
    assert widest["mse"] < widest["minmax"]


def spread(peaks: np.ndarray) -> float:
    used = peaks[peaks > 1e-4 * peaks.max()]
    return float(used.max() / used.min())


@pytest.mark.parametrize("activation", [1, 3], ids=["relu", "relu6"])
def test_evened_out_channels_compute_the_same(activation: int) -> None:
    model = float_models.network()
    given = float_models.samples(model, 20)
    graph = Graph(tflite_file.read(model))
    weights = [graph.op_inputs(op)[1] for _, op in graph.layers()][:3]
    graph.ops[0].builtinOptions.fusedActivationFunction = activation

    def reach() -> dict[str, np.ndarray]:
        return channel_reach(graph, tflite_file.write(graph.tree), given)

    first = graph.constant(weights[0])
    assert first is not None
    first *= 0.02  # far below 6
    first[2] *= 40
    graph.set_constant(weights[0], first)
    beyond = Samples((1.2 * given.inputs[0],))  # further than a ReLU6 that is reached just so lets through
    parts = given, beyond
    before = [results(edge_sdk.load(tflite_file.write(graph.tree)), part)[0] for part in parts]
    uneven = reach()
    assert equalize(graph, uneven) == 3
    for part, wanted in zip(parts, before):
        made = results(edge_sdk.load(tflite_file.write(graph.tree)), part)[0]
        np.testing.assert_allclose(made, wanted, atol=1e-4)
    for name, peaks in reach().items():
        assert spread(peaks) <= 1.001 * spread(uneven[name])
    depthwise = graph.name(graph.op_outputs(graph.ops[0])[0])
    assert spread(uneven[depthwise]) > 20
    assert spread(reach()[depthwise]) < 1.26  # 1.25: the room before a ReLU6 clips
