"""Quantizing any float model: the file that comes out, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import GraphBuilder

import edge_sdk
from edge_sdk.bench.check import check
from edge_sdk.errors import InputError, ModelError
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.data import Samples, results
from edge_sdk.optimize.graph import Graph

from . import float_models

pytest.importorskip("litert_quantizer", reason="not run for want of litert-quantizer")

from edge_sdk.optimize.quantize import Settings, quantize


def equal_bits(path: Path, model: bytes) -> bool:
    """Whether our runtime and LiteRT's reference kernels agree in every bit of every integer tensor."""
    path.write_bytes(model)
    found = check(path, runs=2)
    return found.agrees and found.tensors > 0


def types(model: bytes) -> list[str]:
    """Of the weights of each layer."""
    graph = Graph(tflite_file.read(model))
    return [graph.type(graph.op_inputs(op)[1]) for _, op in graph.layers()]


def test_a_model_without_signature_whose_tensors_have_one_name(tmp_path: Path) -> None:
    model = float_models.network(name="x")
    made = quantize(model, float_models.samples(model))
    tree = tflite_file.read(made.model)
    assert not tree.signatureDefs
    assert {tflite_file.text(t.name) for t in tree.subgraphs[0].tensors} == {"x"}
    small = edge_sdk.load(made.model)
    assert [str(s.dtype) for s in (*small.inputs, *small.outputs)] == ["int8", "int8"]
    assert set(types(made.model)) == {"INT8"}
    assert equal_bits(tmp_path / "m.tflite", made.model)
    assert made.report.quality is not None
    assert made.report.quality.measure == "top-1"
    assert made.report.quality.samples == 80  # the other half was learnt from
    assert made.report.quality.drop <= 10
    assert all(layer.sqnr_db > 15 for layer in made.report.layers)


def test_a_signature_stays() -> None:
    model = float_models.network(signature=True)
    tree = tflite_file.read(quantize(model, float_models.samples(model)).model)
    assert [tflite_file.text(s.signatureKey) for s in tree.signatureDefs] == ["classify"]
    assert tflite_file.text(tree.signatureDefs[0].inputs[0].name) == "pixels"


def test_float16_weights_are_quantized_too(tmp_path: Path) -> None:
    model = float_models.network(half=True)
    made = quantize(model, float_models.samples(model))
    assert "DEQUANTIZE" not in {
        Graph(t).kind(o) for t in [tflite_file.read(made.model)] for o in Graph(t).ops
    }
    assert set(types(made.model)) == {"INT8"}
    assert len(made.model) < len(model)
    assert equal_bits(tmp_path / "m.tflite", made.model)


def test_what_is_quantized_stays_and_is_told(tmp_path: Path) -> None:
    model = float_models.network(coded_head=True)
    made = quantize(model, float_models.samples(model))
    assert any(note.startswith("1 of 5 layers") for note in made.report.notes)
    before, after = (Graph(tflite_file.read(m)) for m in (model, made.model))
    heads = [g.constant(g.op_inputs(list(g.layers())[-1][1])[1]) for g in (before, after)]
    np.testing.assert_array_equal(*heads)
    assert set(types(made.model)) == {"INT8"}
    assert equal_bits(tmp_path / "m.tflite", made.model)
    with pytest.raises(ModelError, match="quantized already"):
        quantize(made.model, float_models.samples(model))


def test_labels_and_other_files_stay() -> None:
    model = tflite_file.add_metadata(float_models.network(), ["a", "b", "c", "d"], "net", mean=0.0, std=1.0)
    made = edge_sdk.load(quantize(model, float_models.samples(model)).model)
    assert made.labels == ("a", "b", "c", "d")
    assert made.metadata.name == "net"


@pytest.mark.parametrize(
    ("mode", "weights", "least"),
    [("dynamic", "INT8", 2.3), ("float16", "FLOAT16", 1.4), ("int4", "INT4", 2.9)],
)
def test_modes_that_need_no_samples(tmp_path: Path, mode: str, weights: str, least: float) -> None:
    made = quantize(float_models.network(), None, Settings(mode=mode))
    graph = Graph(tflite_file.read(made.model))
    assert weights in {graph.type(t) for t in range(len(graph.main.tensors))}
    assert made.report.smaller > least
    assert made.report.quality is None
    assert any("no samples" in note for note in made.report.notes)
    assert equal_bits(tmp_path / "m.tflite", made.model)
    assert edge_sdk.load(made.model).inputs[0].dtype == np.float32


def test_int16_is_nearer_than_int8_and_float_inputs_stay(tmp_path: Path) -> None:
    model = float_models.network()
    given = float_models.samples(model)
    eight = quantize(model, given)
    sixteen = quantize(model, given, Settings(mode="int16", float_io=True))
    assert equal_bits(tmp_path / "m.tflite", sixteen.model)
    assert edge_sdk.load(sixteen.model).inputs[0].dtype == np.float32
    worst = [min(layer.sqnr_db for layer in made.report.layers) for made in (eight, sixteen)]
    assert worst[1] > worst[0] + 3


def test_two_inputs() -> None:
    g = GraphBuilder()
    left, right = (g.input((1, 4), "float32", name=name) for name in ("left", "right"))
    y = g.tensor((1, 4), "float32", name="sum")
    g.op("ADD", [left, right], [y])
    model = g.build(outputs=[y])
    rng = np.random.default_rng(0)
    given = Samples(tuple(rng.uniform(-scale, scale, (60, 4)).astype(np.float32) for scale in (1, 8)))
    made = quantize(model, given)
    small = edge_sdk.load(made.model)
    left_scale, right_scale = (spec.quantization.scales[0] for spec in small.inputs)
    assert right_scale > 6 * left_scale
    np.testing.assert_allclose(results(small, given)[0], sum(given.inputs), atol=0.5)


def test_channels_whose_bias_does_not_fit_keep_their_constant() -> None:
    model = float_models.network(dead=True)
    given = float_models.samples(model, 60)
    made = quantize(model, given)
    assert min(layer.sqnr_db for layer in made.report.layers) > 15
    tree = tflite_file.read(made.model)
    graph = Graph(tree)
    steps = [
        graph.constant(graph.op_inputs(op)[2]) for _, op in graph.layers() if graph.op_inputs(op)[2] >= 0
    ]
    assert max(int(np.abs(s.astype(np.int64)).max()) for s in steps if s is not None) < 2**30


def test_a_drop_that_is_allowed_makes_layers_int4(tmp_path: Path) -> None:
    model = float_models.network()
    given = float_models.samples(model, 400)
    usual = quantize(model, given)
    mixed = quantize(model, given, Settings(max_drop=4))
    assert mixed.report.met
    assert mixed.report.mode == "mixed"
    assert mixed.report.quality is not None
    assert mixed.report.quality.drop <= 4
    assert len(mixed.model) < 0.9 * len(usual.model)
    assert {"int4", "int8"} <= {layer.weights for layer in mixed.report.layers}
    assert all(layer.why for layer in mixed.report.layers if layer.weights == "int4")
    assert equal_bits(tmp_path / "m.tflite", mixed.model)


def test_where_int8_loses_too_much_layers_get_more_exact_numbers() -> None:
    model = float_models.network(softmax=False)
    given = float_models.samples(model, labelled=False)
    usual = quantize(model, given)
    assert usual.report.quality is not None
    assert usual.report.quality.measure == "difference"
    target = usual.report.quality.drop / 2
    mixed = quantize(model, given, Settings(max_drop=target))
    assert mixed.report.met
    assert {"int16", "float32"} & {layer.numbers for layer in mixed.report.layers}
    assert len(mixed.model) < len(model) / 2


def test_agreement_stands_in_for_labels() -> None:
    model = float_models.network()
    report = quantize(model, float_models.samples(model, labelled=False)).report
    assert report.quality is not None
    assert (report.quality.measure, report.quality.before) == ("agreement", 1)
    assert any("no labels" in note for note in report.notes)


def test_boxes_and_scores_that_share_a_scale_are_warned_of() -> None:
    g = GraphBuilder()
    x = g.input((1, 6, 2), "float32", name="x")
    scores, boxes, y = (
        g.tensor((1, 6, n), "float32", name=name) for n, name in ((2, "s"), (2, "b"), (4, "y"))
    )
    g.op("MUL", [x, g.constant(np.float32(0.5))], [scores])
    g.op("MUL", [x, g.constant(np.float32(100))], [boxes])
    g.op("CONCATENATION", [scores, boxes], [y], axis=2)
    rng = np.random.default_rng(0)
    report = quantize(g.build(outputs=[y]), Samples((rng.random((50, 6, 2), np.float32),))).report
    assert len(report.warnings) == 1
    assert report.warnings[0].startswith("'y': one scale for channels whose ranges differ")


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(mode="int16"),
        Settings(mode="dynamic", max_drop=1),
        Settings(mode="int3"),
        Settings(ranges="all"),
    ],
)
def test_settings_that_cannot_be(settings: Settings) -> None:
    with pytest.raises(InputError):
        quantize(float_models.network(), None, settings)
