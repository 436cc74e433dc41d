"""Distillation: what is reported is what was done, and the control is treated as the student is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="not run for want of PyTorch (pip install '.[train]')")

from builders import GraphBuilder  # noqa: E402

import edge_sdk  # noqa: E402
from edge_sdk.cli import main  # noqa: E402
from edge_sdk.errors import InputError, ModelError  # noqa: E402
from edge_sdk.optimize.data import Samples, results  # noqa: E402
from edge_sdk.optimize.train import distill, presets, students  # noqa: E402
from edge_sdk.optimize.train.export import export  # noqa: E402
from edge_sdk.resources import folder  # noqa: E402

NO_CONVERTER = "not run for want of litert-torch (pip install '.[train]')"
MOTION = folder("models") / "motion" / "motion_float.tflite"
MOTION_INT8 = folder("models") / "motion" / "motion_int8.tflite"
RNG = np.random.default_rng(0)
POINTS = RNG.uniform(-1, 1, (800, 2)).astype(np.float32)
CLASSES = (POINTS[:, 0] * POINTS[:, 1] > 0).astype(np.int64)


def layers(*widths: int, ending: str = "SOFTMAX", weights: list[Any] | None = None) -> bytes:
    """Fully connected layers with a ReLU between; random weights unless they are given."""
    rng = np.random.default_rng(1)
    g = GraphBuilder()
    x = g.input((1, widths[0]), "float32")
    for i, (given, made) in enumerate(zip(widths, widths[1:])):
        w = rng.standard_normal((made, given)) / np.sqrt(given) if weights is None else weights[i]
        y = g.tensor((1, made), "float32")
        last = i == len(widths) - 2
        parts = [g.constant(np.float32(w)), g.constant(np.zeros(made, np.float32))]
        g.op("FULLY_CONNECTED", [x, *parts], [y], fusedActivationFunction="NONE" if last else "RELU")
        x = y
    if ending:
        y = g.tensor((1, widths[-1]), "float32")
        g.op(ending, [x], [y], beta=1.0)
        x = y
    return g.build(outputs=[x])


# |a + b| - |a - b| has the sign of a * b: a teacher that is always right.
DIAGONALS = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]])
TEACHER = layers(2, 4, 2, weights=[DIAGONALS, 8 * np.array([[-1, -1, 1, 1], [1, 1, -1, -1]])])
TEST = Samples((POINTS[600:],), CLASSES[600:])


@pytest.fixture
def student(tmp_path: Path) -> str:
    path = tmp_path / "student.tflite"
    path.write_bytes(layers(2, 8, 2))
    return str(path)


def partly(count: int) -> Samples:
    """600 points of which `count` have labels."""
    return Samples((POINTS[:600],), np.where(np.arange(600) < count, CLASSES[:600], -1))


def test_a_teacher_is_worth_something_where_labels_are_few(student: str) -> None:
    found = distill.distill(TEACHER, student, partly(12), TEST, epochs=60, trials=3, seeds=2)
    assert found.metric == "top-1"
    assert found.teacher_score == 1
    assert found.control is not None
    assert found.taught.mean > 0.95
    assert found.control.mean < 0.9
    assert found.helped
    gap = (found.taught.mean - found.control.mean) / (1 - found.control.mean)
    assert found.gap_closed == pytest.approx(gap)
    assert (found.samples, found.labelled, found.test_samples) == (600, 12, 200)
    assert found.bytes == (len(TEACHER), len(found.model))
    assert found.macs == (2 * 4 + 4 * 2, 2 * 8 + 8 * 2)
    right = results(edge_sdk.load(found.model), TEST)[0].argmax(1) == CLASSES[600:]
    assert found.file_score == right.mean() == found.taught.scores[0] == found.first_seed_score
    assert found.before_score is not None
    assert found.before_score < 0.9
    assert not found.spoilt


def test_student_and_control_are_trained_alike_and_never_see_the_test(
    student: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings: list[tuple[bool, int, int, int]] = []
    fit = distill.fit

    def spy(net: Any, want: Any, settings: Any, steps: int, seed: int, progress: Any) -> None:
        trainings.append((want.scores is not None, steps, settings.batch, seed))
        given = {tuple(x) for x in want.inputs[0].numpy()}
        assert not given & {tuple(x) for x in TEST.inputs[0]}
        fit(net, want, settings, steps, seed, progress)

    monkeypatch.setattr(distill, "fit", spy)
    found = distill.distill(TEACHER, student, partly(50), TEST, epochs=2, trials=4, seeds=3)
    taught = [t[1:] for t in trainings if t[0]]
    control = [t[1:] for t in trainings if not t[0]]
    assert taught == control
    assert len(taught) == 4 + 3
    assert {t[0] for t in taught[4:]} == {found.steps}
    assert found.control is not None
    assert found.taught.trials == found.control.trials == 4
    assert len(found.taught.scores) == len(found.control.scores) == 3


def test_a_student_that_was_better_before_is_handed_over_as_it_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is right, and a teacher that says the opposite of the truth."""
    monkeypatch.chdir(tmp_path)
    right, wrong = (
        TEACHER,
        layers(2, 4, 2, weights=[DIAGONALS, 8 * np.array([[1, 1, -1, -1], [-1, -1, 1, 1]])]),
    )
    Path("student.tflite").write_bytes(right)
    Path("teacher.tflite").write_bytes(wrong)
    np.savez("data.npz", x=POINTS[:600])
    np.savez("test.npz", x=POINTS[600:], y=CLASSES[600:])
    words = [
        "--teacher",
        "teacher.tflite",
        "--student",
        "student.tflite",
        "--data",
        "data.npz",
        "--test",
        "test.npz",
    ]
    short = ["--epochs", "20", "--trials", "1", "--seeds", "1"]
    assert main(["distill", *words, "-o", "out.tflite", *short]) == 1
    told = capsys.readouterr().out
    assert "student, before" in told
    assert "NOT TAUGHT: top-1 was 1.0000 before and 0." in told
    assert "top-1 of the file: 1.0000" in told
    assert Path("out.tflite").read_bytes() == right
    assert main(["distill", *words, "-o", "out.tflite", *short, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["spoilt"]
    assert not report["helped"]
    assert report["before_score"] == report["file_score"] == 1 > report["first_seed_score"]


def test_without_any_labels_there_is_no_control(student: str) -> None:
    found = distill.distill(
        TEACHER, student, Samples((POINTS[:600],)), Samples((POINTS[600:],)), epochs=100, trials=2, seeds=1
    )
    assert found.control is None
    assert found.gap_closed is None
    assert found.metric == "agreement"
    assert found.teacher_score == 1
    assert found.taught.mean > 0.9


def test_values_are_taught_as_well(tmp_path: Path) -> None:
    master = layers(2, 4, 1, ending="", weights=[DIAGONALS, 10 * np.array([[1, 1, -1, -1]])])
    (path := tmp_path / "s.tflite").write_bytes(layers(2, 8, 1, ending=""))
    truth = results(edge_sdk.load(master), Samples((POINTS,)))[0]
    noisy = truth + RNG.normal(0, 8, truth.shape)
    found = distill.distill(
        master, str(path), Samples((POINTS[:100],), noisy[:100]), Samples((POINTS[600:],), truth[600:]),
        epochs=100, trials=1, seeds=1,
    )  # fmt: skip
    assert found.metric == "difference"
    assert found.teacher_score == 0
    assert found.control is not None
    assert found.taught.mean < found.control.mean
    assert found.helped
    with pytest.raises(InputError, match="the teacher gives 1 values a sample"):
        distill.distill(master, str(path), Samples((POINTS,), np.zeros((800, 3))), TEST)


SHAPES = [("tiny_cnn", (1, 28, 28, 1)), ("ds_cnn", (1, 32, 30, 3)), ("resnet8", (1, 16, 16, 3)),
          ("tiny_cnn", (1, 100, 6)), ("ds_cnn", (1, 100, 6)), ("resnet8", (1, 1, 64, 2)),
          ("tiny_cnn", (1, 128, 3, 1)),
          ("mlp", (1, 40))]  # fmt: skip


@pytest.mark.parametrize(("name", "shape"), SHAPES)
def test_presets_take_pictures_and_windows_and_get_larger_with_their_width(
    name: str, shape: tuple[int, ...]
) -> None:
    small, large = (presets.PRESETS[name](shape, 5, width) for width in (4, 8))
    assert small(torch.zeros(3, *shape[1:])).shape == (3, 5)
    sizes = [sum(p.numel() for p in net.parameters()) for net in (small, large)]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(("name", "shape"), SHAPES[2:5] + SHAPES[-2:])
def test_presets_are_written_as_they_were_trained(name: str, shape: tuple[int, ...]) -> None:
    pytest.importorskip("litert_torch", reason=NO_CONVERTER)
    torch.manual_seed(0)
    net = presets.PRESETS[name](shape, 5)
    x = torch.rand(8, *shape[1:])
    net.train()(x)  # batch norms get means and variances of their own
    model = edge_sdk.load(export(net, np.zeros(shape, np.float32)))
    assert (model.inputs[0].shape, model.outputs[0].shape) == (shape, (1, 5))
    with torch.no_grad():
        want = net.eval()(x).numpy()
    found = results(model, Samples((x.numpy(),)))[0]
    np.testing.assert_allclose(found, want, atol=1e-5 * float(np.abs(want).max()), rtol=0)


def test_a_module_of_the_users_own_taught_by_an_int8_teacher(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole command: partly labelled .npz, more without labels, a student.py, a file with metadata."""
    pytest.importorskip("litert_torch", reason=NO_CONVERTER)
    pytest.importorskip("litert_quantizer", reason="not run for want of litert-quantizer ('.[optimize]')")
    teacher = edge_sdk.load(MOTION_INT8)
    (spec,) = teacher.inputs
    x = RNG.normal(0, 3, (60, *spec.shape[1:])).astype(np.float32)
    said = results(teacher, Samples((x,)))[0].argmax(1)
    np.savez(tmp_path / "data.npz", x=x[:30], y=said[:30])
    np.savez(tmp_path / "more.npz", x=x[30:])
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n"
        "def student(shape, outputs):\n"
        "    n = shape[1] * shape[2]\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(n, 8), nn.ReLU(), nn.Linear(8, outputs))\n"
    )
    assert len(spec.shape) == 3
    out = tmp_path / "out.tflite"
    status = main([
        *("distill", "--teacher", str(MOTION_INT8), "--student", str(tmp_path / "mine.py")),
        *("--data", str(tmp_path / "data.npz"), "--unlabelled", str(tmp_path / "more.npz")),
        *("-o", str(out), "--quantize", str(tmp_path / "int8.tflite"), "--epochs", "3"),
        *("--trials", "2", "--seeds", "1", "--json"),
    ])  # fmt: skip
    report = json.loads(capsys.readouterr().out)  # and nothing else, whatever the converter prints
    assert status == (0 if report["helped"] else 1)
    assert (report["samples"], report["labelled"], report["test_samples"]) == (54, 24, 6)
    assert report["bytes"] == [MOTION_INT8.stat().st_size, out.stat().st_size]
    made, small = edge_sdk.load(out), edge_sdk.load(tmp_path / "int8.tflite")
    assert small.inputs[0].dtype == np.int8
    assert report["quantized_bytes"] == (tmp_path / "int8.tflite").stat().st_size < out.stat().st_size
    assert small.labels == teacher.labels
    assert made.labels == teacher.labels
    assert made.metadata.normalization == teacher.metadata.normalization
    assert [s.name for s in (*made.inputs, *made.outputs)] == ["input", "output"]
    assert made.run(x[:1])[0].sum() == pytest.approx(1, abs=1e-5)


def test_students_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    teacher = edge_sdk.load(MOTION)

    def opened(where: str) -> students.Student:
        return students.open_student(where, teacher, 4, True)

    for name in ("tiny_rnn", "mlp:0", "mlp:wide"):
        with pytest.raises(InputError, match=f"no student '{name}': give .* tiny_cnn, ds_cnn"):
            opened(name)
    (file := tmp_path / "s.py").write_text("def pupil(): ...")
    with pytest.raises(InputError, match=r"s.py has no function student\(input_shape, outputs\)"):
        opened(str(file))
    file.write_text("import nothing_of_that_name")
    with pytest.raises(InputError, match=r"s.py: ModuleNotFoundError"):
        opened(str(file))
    file.write_text("import torch\ndef student(shape, outputs): return torch.nn.Flatten()")
    with pytest.raises(InputError, match=r"the network gives \[2, \d+\], not \[2, 4\]"):
        opened(str(file)).make(0)
    file.write_text("import torch\ndef student(shape, outputs): return torch.nn.Linear(999, 4)")
    with pytest.raises(InputError, match=r"s: the network fails on \[2, .*RuntimeError: mat1 and mat2"):
        opened(str(file)).make(0)
    file.write_text("def student(shape, outputs): return open('none.pth')")
    with pytest.raises(InputError, match=r"s: FileNotFoundError"):
        opened(str(file)).make(0)
    (other := tmp_path / "s.tflite").write_bytes(layers(2, 8, 2))
    with pytest.raises(InputError, match=r"takes .*, the teacher"):
        opened(str(other))
    g = GraphBuilder()
    x, y = g.input((5, 2), "float32"), g.tensor((5, 2), "float32")
    g.op("RELU", [x], [y])
    with pytest.raises(InputError, match=r"the teacher takes \[5, 2\], not one sample"):
        students.open_student("mlp", edge_sdk.load(g.build(outputs=[y])), 2, False)
    with pytest.raises(ModelError, match="only float models can be trained"):
        opened(str(MOTION_INT8))
