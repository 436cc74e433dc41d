"""Pruning to a target: what is written, what it still computes, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import GraphBuilder

import edge_sdk
from edge_sdk.cli import main
from edge_sdk.errors import BackendError, ModelError
from edge_sdk.optimize import prune, tflite_file, timing, train
from edge_sdk.optimize.data import random_samples, results
from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.prune import choose
from edge_sdk.optimize.prune.channels import find
from edge_sdk.optimize.prune.importance import ByActivation
from edge_sdk.optimize.prune.statistics import Moments
from edge_sdk.resources import folder

from .prunable import random_model

FOLDER = folder("models") / "fashion_mnist"
FLOAT, INT8 = FOLDER / "fashion_mnist_float.tflite", FOLDER / "fashion_mnist_int8.tflite"


@pytest.fixture(autouse=True)
def _short_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_SECONDS", 0.0)


def macs(model: bytes) -> int:
    graph = Graph(tflite_file.read(model))
    return sum(graph.macs(op) for op in graph.ops)


def redundant_model(bias: bool = True) -> bytes:
    """16 channels of which the last 8 are sums of two of the first 8 and a constant, seen by a 3x3 layer."""
    rng = np.random.default_rng(0)
    base = rng.standard_normal((8, 1, 1, 3)).astype(np.float32)
    weights = np.concatenate([base, base + np.roll(base, 1, 0)])
    offsets = np.append(np.zeros(8), rng.standard_normal(8)).astype(np.float32)
    g = GraphBuilder()
    x = g.input((1, 6, 6, 3), "float32")
    hidden, y = g.tensor((1, 6, 6, 16), "float32"), g.tensor((1, 4, 4, 4), "float32")
    options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    g.op("CONV_2D", [x, g.constant(weights), g.constant(offsets)], [hidden], padding="SAME", **options)
    last = g.constant(rng.standard_normal((4, 3, 3, 16)).astype(np.float32))
    g.op("CONV_2D", [hidden, last, g.constant(np.ones(4, np.float32)) if bias else None], [y],
         padding="VALID", **options)  # fmt: skip
    return g.build([y])


@pytest.mark.parametrize("bias", [True, False])
def test_channels_that_others_tell_cost_nothing(bias: bool) -> None:
    model = redundant_model(bias)
    samples = random_samples(edge_sdk.load(model).inputs, 64)
    found = prune.prune(model, prune.Target("macs", 0.5), samples)
    assert found.reached
    assert found.layers[0].channels == (16, 8)
    wanted, got = (results(edge_sdk.load(m), samples)[0] for m in (model, found.model))
    assert np.abs(got - wanted).max() < 0.05 * np.abs(wanted).max()
    blind = prune.prune(model, prune.Target("macs", 0.5))
    (lost,) = results(edge_sdk.load(blind.model), samples)
    assert np.abs(lost - wanted).max() > 0.2 * np.abs(wanted).max()


def test_the_last_of_equal_channels_counts_for_all_of_them() -> None:
    graph = Graph(tflite_file.read(redundant_model()))
    channels = find(graph)
    same = Moments(np.zeros(16), np.ones(16), np.kron(np.eye(8), np.ones((2, 2))))
    scores = ByActivation(graph, channels, {1: same})
    before = scores.values.copy()
    scores.remove(1)
    assert scores.values[1] < 1e-6
    assert scores.values[2] > 100 * before[2]
    np.testing.assert_allclose(scores.values[3:], before[3:])
    whole = sum(graph.macs(op) for op in graph.ops)
    cost, scores = choose.costs(channels, whole), ByActivation(graph, channels, {1: same})
    first = np.concatenate(choose.order(channels, scores, cost, 1)[:8])
    assert sorted((first - 1) // 2) == list(range(8))  # one of each pair


def test_shared_constant_of_what_stays_and_what_may_go_stays() -> None:
    g = GraphBuilder()
    x, hidden, moved, y, out = (g.input((1, 8), "float32"), *(g.tensor((1, 8), "float32") for _ in range(4)))
    weights = [g.constant(np.eye(8, dtype=np.float32) * n) for n in (1, 2)]
    offset = g.constant(np.arange(8, dtype=np.float32))
    g.op("FULLY_CONNECTED", [x, weights[0], None], [hidden])
    g.op("ADD", [hidden, offset], [moved])
    g.op("FULLY_CONNECTED", [moved, weights[1], None], [y])
    g.op("ADD", [x, offset], [out])
    assert find(Graph(tflite_file.read(g.build([y, out])))).count == 0


def test_depth_multiplier_says_what_is_left() -> None:
    found = prune.prune(FLOAT.read_bytes(), prune.Target("macs", 0.1))
    first = Graph(tflite_file.read(found.model)).ops[0]
    assert first.builtinOptions.depthMultiplier == found.layers[0].channels[1] < 16


@pytest.mark.parametrize("what", ["macs", "bytes"])
@pytest.mark.parametrize("share", [0.7, 0.4])
def test_target_is_met_and_not_by_far(what: str, share: float) -> None:
    model = FLOAT.read_bytes()
    samples = random_samples(edge_sdk.load(model).inputs, 8)
    found = prune.prune(model, prune.Target(what, share), samples, samples)
    before, after = getattr(found, what)
    assert found.reached
    assert 0.7 * share <= after / before <= share
    assert found.macs == (macs(model), macs(found.model))
    assert found.bytes == (len(model), len(found.model))
    assert found.quality is not None
    assert found.quality.measure == "agreement"
    (x,) = edge_sdk.load(found.model).inputs
    assert x.shape == (1, 28, 28, 1)
    assert all(layer.channels[1] % 8 == 0 for layer in found.layers[:-1])
    assert found.layers[-1].channels == (10, 10)


def test_latency_is_bisected_by_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "best", lambda models, threads: [float(macs(m)) for m in models])
    model = FLOAT.read_bytes()
    found = prune.prune(model, prune.Target("latency", 0.6))
    assert 0.5 < macs(found.model) / macs(model) <= 0.6
    found = prune.prune(model, prune.Target("latency", 0.6 * macs(model), share=False))
    assert 0.5 < macs(found.model) / macs(model) <= 0.6


def test_labels_and_appended_files_are_kept() -> None:
    model = tflite_file.append_files(FLOAT.read_bytes(), {"notes.txt": b"kept"})
    found = prune.prune(model, prune.Target("macs", 0.5))
    assert tflite_file.appended_files(found.model) == tflite_file.appended_files(model)
    assert edge_sdk.load(found.model).metadata == edge_sdk.load(model).metadata


def test_float16_weights_stay_float16() -> None:
    model = next(m for m in map(random_model, range(40)) if halves(m) and find_count(m) > 8)
    found = prune.prune(model, prune.Target("macs", 0.8), multiple=1)
    assert halves(found.model) == halves(model)
    assert len(found.model) < len(model)


def halves(model: bytes) -> int:
    graph = Graph(tflite_file.read(model))
    return sum(graph.kind(op) == "DEQUANTIZE" for op in graph.ops)


def find_count(model: bytes) -> int:
    return find(Graph(tflite_file.read(model))).count


def test_bias_that_layers_share_is_not_changed_for_all() -> None:
    """Pruned with samples, a network computes nearly the same where the channels that go are dead."""
    rng = np.random.default_rng(3)
    g = GraphBuilder()
    x = g.input((1, 8), "float32")
    shared = g.constant(np.linspace(-1, 1, 8).astype(np.float32))
    for _ in range(3):
        y = g.tensor((1, 8), "float32")
        weights = rng.standard_normal((8, 8)).astype(np.float32)
        weights[4:] = 0  # constant results: what the bias says
        g.op("FULLY_CONNECTED", [x, g.constant(weights), shared], [y])
        x = y
    model = g.build([x])
    samples = random_samples(edge_sdk.load(model).inputs, 64)
    found = prune.prune(model, prune.Target("macs", 0.6), samples, multiple=1)
    wanted, got = (results(edge_sdk.load(m), samples)[0] for m in (model, found.model))
    np.testing.assert_allclose(got, wanted, atol=0.02 * float(np.abs(wanted).max()))


def test_fine_tuning_is_called_each_round_with_the_original_as_teacher(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[bytes, int]] = []

    def fine_tune(model, samples, teacher, epochs, seed, augment):  # type: ignore[no-untyped-def]
        assert (teacher, epochs, seed, len(samples), augment) == (original, 0.5, 7, 8, ("shift",))
        calls.append((model, macs(model)))
        return model

    original = FLOAT.read_bytes()
    monkeypatch.setattr(train, "fine_tune", fine_tune)
    monkeypatch.setattr(train, "need_torch", lambda: None)
    samples = random_samples(edge_sdk.load(original).inputs, 8)
    target = prune.Target("macs", 0.5)
    found = prune.prune(original, target, samples, rounds=2, fine_tune=prune.FineTune(0.5, 7, ("shift",)))
    assert macs(original) > calls[0][1] > calls[1][1] == found.macs[1]
    assert found.reached


def test_fine_tuning_without_torch_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # type: ignore[arg-type]
    samples = random_samples(edge_sdk.load(FLOAT).inputs, 2)
    with pytest.raises(BackendError, match=r"\[train\]"):
        prune.prune(FLOAT.read_bytes(), prune.Target("macs", 0.5), samples, fine_tune=prune.FineTune())


def test_what_cannot_be_pruned_is_refused() -> None:
    with pytest.raises(ModelError, match="then quantize"):
        prune.prune(INT8.read_bytes(), prune.Target("macs", 0.5))
    g = GraphBuilder()
    x, y = g.input((1, 4), "float32"), g.tensor((1, 4), "float32")
    g.op("FULLY_CONNECTED", [x, g.constant(np.eye(4, dtype=np.float32)), None], [y])
    with pytest.raises(ModelError, match="no channel can be removed"):
        prune.prune(g.build([y]), prune.Target("macs", 0.5))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    file = tmp_path / "data.npz"
    np.savez(file, x=rng.integers(0, 256, (20, 28, 28), np.uint8), y=rng.integers(0, 10, 20))
    return file


def test_command_writes_reports_and_leaves_the_input(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = tmp_path / "in.tflite", tmp_path / "out.tflite"
    model.write_bytes(FLOAT.read_bytes())
    arguments = ["prune", str(model), "-o", str(out), "--data", str(data), "--json"]
    assert main([*arguments, "--macs", "0.5"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["reached"]
    assert report["macs"] == [macs(FLOAT.read_bytes()), macs(out.read_bytes())]
    assert report["quality"]["measure"] == "top-1"
    assert report["quality"]["samples"] == 4  # a fifth, which took no part
    assert model.read_bytes() == FLOAT.read_bytes()
    assert main([*arguments, "--bytes", "1k"]) == 3
    assert not json.loads(capsys.readouterr().out)["reached"]
    assert edge_sdk.load(out).run(np.zeros((1, 28, 28, 1), np.float32))[0].shape == (1, 10)


def test_command_says_what_it_missed_and_what_gains_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out.tflite")
    assert main(["prune", str(FLOAT), "-o", out, "--macs", "1"]) == 0
    assert "ratio 1.000" in capsys.readouterr().out
    assert main(["prune", str(FLOAT), "-o", out, "--macs", "0.001"]) == 3
    assert "MISSED" in capsys.readouterr().out
    assert main(["prune", str(FLOAT), "-o", out, "--sparsity", "block"]) == 0
    assert "left alone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--macs", "0.5", "-o", "IN"], "the output is the input"),
        (["--macs", "0.5", "-o", "nowhere/out.tflite"], "cannot write"),
        (["--macs", "half", "-o", "OUT"], "neither a share"),
        (["-o", "OUT"], "required"),
        (["--macs", "0.5", "--importance", "activation", "-o", "OUT"], "need samples"),
        (["--macs", "0.5", "--importance", "taylor", "-o", "OUT"], "need samples"),
        (["--sparsity", "block", "--share", "2", "-o", "OUT"], "between 0 and 1"),
        (["--sparsity", "block", "--fine-tune", "-o", "OUT"], "tune first"),
    ],
)
def test_command_refuses(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "in.tflite"
    model.write_bytes(FLOAT.read_bytes())
    places = {"IN": str(model), "OUT": str(tmp_path / "out.tflite")}
    try:
        status = main(["prune", str(model), *(places.get(a, a) for a in arguments)])
    except SystemExit as end:
        status = int(end.code or 0)
    assert status == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.tflite").exists()
