"""The models of this project do what their cards promise."""

from __future__ import annotations

import csv
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import edge_sdk
from edge_sdk import tasks
from edge_sdk.types import Frame

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from models.fashion_mnist import data as clothing  # noqa: E402
from models.motion import data as motion  # noqa: E402

NAMES = ("fashion_mnist", "motion")
LABELS = {"fashion_mnist": clothing.LABELS, "motion": motion.LABELS}
FLOOR = {"fashion_mnist": (0.91, 150_000), "motion": (0.95, 150_000)}  # accuracy, bytes

needs_motion = pytest.mark.skipif(
    not motion.available(), reason="not run for want of the motion windows: pip install --no-deps aeon"
)
needs_clothing = pytest.mark.skipif(
    not clothing.available(), reason="not run for want of Fashion-MNIST: see models/fashion_mnist/README.md"
)


def file(name: str, kind: str = "int8") -> Path:
    return ROOT / "models" / name / f"{name}_{kind}.tflite"


def load(name: str, kind: str = "int8") -> edge_sdk.Model:
    return edge_sdk.load(file(name, kind), backend="native")


def classify(model: edge_sdk.Model, task: tasks.Task, data: np.ndarray) -> str:
    """The label of the best class, by the way that a pipeline takes."""
    array, geometry = task.prepare(Frame(data, id="test", t_ns=0), model.inputs[0])
    outputs = list(zip(model.run(array), model.outputs))
    return task.decode(outputs, geometry)[0].label


def test_every_model_of_the_folder_is_tested() -> None:
    assert {path.parent.name for path in ROOT.glob("models/*/*.tflite")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_numbers_reach_the_goal_and_stand_in_the_card(name: str) -> None:
    folder = file(name).parent
    metrics = json.loads((folder / "metrics.json").read_text())
    card = (folder / "README.md").read_text()
    accuracy, size = FLOOR[name]
    assert metrics["accuracy_int8"] >= accuracy
    assert metrics["bytes_int8"] == file(name).stat().st_size <= size
    assert metrics["bytes_float"] == file(name, "float").stat().st_size
    assert metrics["bytes_small"] == file(name, "small").stat().st_size < metrics["bytes_int8"]
    assert metrics["accuracy_small"] >= accuracy
    for value in (
        f"{metrics['accuracy_float']:.2%}",
        f"{metrics['accuracy_int8']:.2%}",
        f"{metrics['bytes_int8']:,}",
        f"{metrics['bytes_float']:,}",
        f"{metrics['macs']:,}",
        f"{metrics['accuracy_small']:.2%}",
        f"{metrics['bytes_small']:,}",
        f"{metrics['macs_small']:,}",
    ):
        assert value.replace("%", " %") in card
    for topic in ("## Data", "Licence", "## Limits", f"python models/{name}/recipe.py"):
        assert topic in card


@pytest.mark.parametrize("kind", ["int8", "float", "small"])
@pytest.mark.parametrize("name", NAMES)
def test_labels_stand_in_the_file(name: str, kind: str) -> None:
    assert load(name, kind).labels == LABELS[name]
    with zipfile.ZipFile(file(name, kind)) as appended:  # any tool can unpack them
        assert appended.read("labels.txt").decode().split("\n")[:-1] == list(LABELS[name])


@pytest.mark.parametrize("kind", ["int8", "float", "small"])
def test_shipped_pictures_get_their_classes(kind: str) -> None:
    from PIL import Image

    model = load("fashion_mnist", kind)
    task = tasks.for_model(model)
    with (ROOT / "examples/data/clothing.csv").open(newline="") as rows:
        truth = {row["file"]: row["label"] for row in csv.DictReader(rows)}
    pictures = sorted((ROOT / "examples/data/clothing").glob("*.png"))
    assert [path.name for path in pictures] == sorted(truth)
    right = 0
    for path in pictures:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        right += classify(model, task, pixels) == truth[path.name]
    assert right >= 38


def test_an_int8_picture_is_its_pixels_less_128() -> None:
    model = load("fashion_mnist")
    pixels = np.repeat(np.arange(784, dtype=np.uint32).astype(np.uint8).reshape(28, 28, 1), 3, axis=2)
    array, _ = tasks.for_model(model).prepare(Frame(pixels, id="ramp", t_ns=0), model.inputs[0])
    np.testing.assert_array_equal(array[0, ..., 0], pixels[..., 0].astype(np.int32) - 128)


@needs_motion
@pytest.mark.parametrize("kind", ["int8", "float", "small"])
def test_motion_windows_get_their_classes(kind: str) -> None:
    model = load("motion", kind)
    task = tasks.for_model(model)
    windows, truth = motion.windows("test")
    assert windows.shape == (40, 100, 6)
    assert np.bincount(truth).tolist() == [10, 10, 10, 10]
    found = [classify(model, task, window) for window in windows]
    assert np.mean([label == motion.LABELS[i] for label, i in zip(found, truth)]) >= 0.95


@needs_motion
def test_motion_windows_as_csv_files(tmp_path: Path) -> None:
    windows, truth = motion.windows("test")
    paths = motion.export(tmp_path)
    assert len(paths) == 40
    with paths[7].open(newline="") as rows:
        header, *lines = csv.reader(rows)
    assert header == ["time", "ax", "ay", "az", "gx", "gy", "gz", "label"]
    np.testing.assert_array_equal(np.array([line[1:7] for line in lines], np.float32), windows[7])
    assert {line[7] for line in lines} == {motion.LABELS[truth[7]]}
    assert [line[0] for line in lines[:2]] == ["0.0", "0.1"]


@pytest.mark.full
@pytest.mark.parametrize(
    "name", [pytest.param(NAMES[0], marks=needs_clothing), pytest.param(NAMES[1], marks=needs_motion)]
)
def test_full_test_set_gives_the_numbers_of_the_card(name: str) -> None:
    """Both runtimes on every test input; the int8 outputs of both are the same bytes."""
    pytest.importorskip("ai_edge_litert", reason="the reference to compare with: pip install ai-edge-litert")
    import importlib

    from models import common

    recipe = importlib.import_module(f"models.{name}.recipe").RECIPE
    assert common.measure(recipe) == json.loads(recipe.metrics.read_text())
