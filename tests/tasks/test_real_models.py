"""Tasks on real pictures and other projects' models: the answers that people know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edge_sdk
from edge_sdk import tasks
from edge_sdk.metadata import labels_from_file
from edge_sdk.sources.pictures import read_picture
from edge_sdk.tasks import for_model
from edge_sdk.types import Class, Detection, Frame, Result


def results(model: edge_sdk.Model, task: tasks.Task, picture: Path) -> tuple[Result, ...]:
    session = model.session()
    frame = Frame(read_picture(picture), picture.name, 0)
    _, geometry = task.prepare(frame, session.inputs[0], out=session.input(0))
    return task.decode(list(zip(session.run(), session.outputs)), geometry)


def load(stash: Path, name: str) -> edge_sdk.Model:
    return edge_sdk.load(stash / "real" / f"{name}.tflite", require="allow")


CLASSIFIERS = [
    "google-coral+test_data/mobilenet_v2_1.0_224_quant",  # uint8, labels inside
    "google-coral+test_data/tf2_mobilenet_v2_1.0_224_ptq",  # uint8 around an int8 graph
    "tensorflow+tflite-support/mobilenet_v2_1.0_224_quant",  # uint8, ends before its softmax
    "google-coral+edgetpu/mobilenet_edgetpu_0.75_224_post_training_quant",
    "mit-han-lab+mcunet/mcunet-320kb-1mb_imagenet",  # int8, no background class
    "tensorflow+tflite-micro/mobilenet_v2_quantized_1x3x224x224",  # planar, torchvision's normalization
]


@pytest.mark.parametrize(
    ("name", "fit"), [(CLASSIFIERS[0], "letterbox"), *((n, "stretch") for n in CLASSIFIERS)]
)
def test_a_parrot_is_a_macaw(stash: Path, stash_data: Path, name: str, fit: str) -> None:
    model = load(stash, name)
    labels = labels_from_file(stash_data / "coral" / "imagenet_labels.txt")
    best = results(model, for_model(model, labels=labels, fit=fit), stash_data / "coral" / "parrot.jpg")[0]
    assert best.label == "macaw"


def test_labels_inside_the_model_are_enough(stash: Path, stash_data: Path) -> None:
    model = load(stash, CLASSIFIERS[0])
    best = results(model, for_model(model), stash_data / "coral" / "parrot.jpg")[0]
    assert isinstance(best, Class)
    assert (best.label, best.id) == ("macaw", 89)
    assert best.score > 0.9


@pytest.mark.parametrize(
    ("picture", "expected"), [("cat_720p.jpg", ["cat"]), ("pets.jpg", ["dog", "dog"])], ids=["cat", "pets"]
)
@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
def test_coco_ssd_finds_the_pets(
    stash: Path, stash_data: Path, picture: str, expected: list[str], fit: str
) -> None:
    model = load(stash, "tensorflow+tflite-support/coco_ssd_mobilenet_v1_1.0_quant_2018_06_29_no_metadata")
    labels = labels_from_file(stash_data / "coral" / "coco_labels.txt")
    found = results(model, for_model(model, labels=labels, fit=fit), stash_data / "coral" / picture)
    assert [d.label for d in found] == expected
    assert all(d.score >= 0.5 for d in found)


def test_boxes_surround_the_dogs(stash: Path, stash_data: Path) -> None:
    """By eye: one dog runs in the left half of the picture, one stands in the lower right."""
    model = load(stash, "tensorflow+tflite-support/coco_ssd_mobilenet_v1_1.0_quant_2018_06_29_no_metadata")
    found = results(model, for_model(model), stash_data / "coral" / "pets.jpg")
    boxes = sorted((d.box for d in found if isinstance(d, Detection)), key=lambda b: b.xmin)
    by_eye = np.array([[115, 50, 255, 292], [340, 165, 495, 368]])
    ours = np.array([[b.xmin, b.ymin, b.xmax, b.ymax] for b in boxes])
    np.testing.assert_allclose(ours, by_eye, atol=20)


def test_a_tf2_detector_is_understood(stash: Path, stash_data: Path) -> None:
    model = load(stash, "tensorflow+flutter-tflite/custom_ssd_mobilenet_v2_fpn_lite_320x320")
    task = for_model(model, threshold=0.0)
    found = results(model, task, stash_data / "coral" / "pets.jpg")
    assert task.name == "detect"
    assert len(found) == 10
    assert all(0 <= d.score <= 1 and d.id == int(d.id) for d in found)
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)
