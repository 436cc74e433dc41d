"""Results from outputs: classes, and boxes in the picture's own pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from edge_sdk import lazy, tasks
from edge_sdk.errors import InputError
from edge_sdk.metadata import ModelMetadata, TensorMetadata
from edge_sdk.types import Array, Box, Class, Frame, Geometry, Quantization, TensorSpec

WHOLE = Geometry(width=200, height=100, scale_x=1.5, scale_y=3.0, input_width=300, input_height=300)


def spec(
    name: str, shape: tuple[int, ...], dtype: str = "float32", scale: float = 0, zero: int = 0
) -> TensorSpec:
    quantization = Quantization((scale,), (zero,)) if scale else Quantization()
    return TensorSpec(name, 0, shape, shape, np.dtype(dtype), quantization)


# Classes


def classified(values: Any, output: TensorSpec, labels: Sequence[str] = (), **options: Any) -> Any:
    task = tasks.create("classify", [output], labels, **options)
    return task.decode([(np.array(values, output.dtype).reshape(output.shape), output)], WHOLE)


def test_scores_are_real_numbers_and_the_best_comes_first() -> None:
    found = classified([0, 200, 56], spec("s", (1, 3), "uint8", 1 / 256), ["cat", "dog", "bird"])
    assert found == (
        Class(1, 200 / 256, "dog"),
        Class(2, 56 / 256, "bird"),
        Class(0, 0.0, "cat"),
    )
    found = classified([-128, 127], spec("s", (1, 1, 1, 2), "int8", 1 / 256, -128))
    assert found == (Class(1, 255 / 256, "1"), Class(0, 0.0, "0"))


def test_equal_scores_keep_the_order_of_the_classes() -> None:
    found = classified([0.5, 0.25, 0.5, 0.5], spec("s", (1, 4)))
    assert [c.id for c in found] == [0, 2, 3, 1]


def test_top_k_and_threshold() -> None:
    scores = np.arange(10) / 10
    assert [c.id for c in classified(scores, spec("s", (1, 10)), top_k=2)] == [9, 8]
    assert [c.id for c in classified(scores, spec("s", (1, 10)), threshold=0.7)] == [9, 8, 7]
    assert len(classified(scores, spec("s", (1, 10)))) == 5


def test_results_are_json_ready() -> None:
    (best,) = classified([1, 3], spec("s", (1, 2), "uint8", 0.25), top_k=1)
    assert type(best.score) is float
    assert type(best.id) is int


@pytest.mark.parametrize(
    ("classes", "labels", "of_class_1"),
    [
        (3, ["background", "cat", "dog"], "cat"),  # both count the background
        (2, ["background", "cat", "dog"], "dog"),  # the labels alone do
        (3, ["cat", "dog"], "cat"),  # the model alone does
        (2, ["0", "cat", "dog"], "dog"),  # a label file that is numbered from 1
    ],
)
def test_a_background_class_does_not_shift_the_labels(
    classes: int, labels: list[str], of_class_1: str
) -> None:
    (best,) = classified(np.eye(classes)[1], spec("s", (1, classes)), labels, top_k=1)
    assert (best.id, best.label) == (1, of_class_1)


@pytest.mark.parametrize(("classes", "labels"), [(5, ["a", "b"]), (2, ["a", "b", "c"])])
def test_labels_that_do_not_fit_are_refused(classes: int, labels: list[str]) -> None:
    with pytest.raises(InputError, match=f"{len(labels)} labels.*{classes} classes"):
        tasks.create("classify", [spec("s", (1, classes))], labels)


def test_labels_come_from_the_file_unless_given() -> None:
    metadata = ModelMetadata(labels=("file a", "file b"))
    output = spec("s", (1, 2))
    for given, expected in ([(), "file a"], [("a", "b"), "a"]):
        task = tasks.create("classify", [output], given, metadata, top_k=1)
        assert task.decode([(np.array([[1.0, 0.0]]), output)], WHOLE)[0].label == expected


# Objects

Outputs = list[tuple[Array, TensorSpec]]

BOXES = [[0.1, 0.2, 0.5, 0.6], [0.0, 0.0, 1.0, 1.0], [0.2, 0.2, 0.4, 0.4], [0, 0, 0, 0]]
CLASSES = [16, 0, 17, 3]
SCORES = [0.6, 0.9, 0.4, 0.0]

TF1 = ["TFLite_Detection_PostProcess", *(f"TFLite_Detection_PostProcess:{i}" for i in (1, 2, 3))]
TF2 = [f"StatefulPartitionedCall:{i}" for i in (3, 2, 1, 0)]
PLAIN = ["detection_boxes", "detection_classes", "detection_scores", "num_detections"]
ORDERS = {
    "TF1": ("bcsn", TF1),
    "TF2 as the flutter model": ("sbnc", TF2),
    "TF2 sorted": ("nscb", TF2),
    "named": ("ncsb", PLAIN),
    "named, scores first": ("scbn", PLAIN),
    "nameless, TF1's order": ("bcsn", ["a", "b", "c", "d"]),
    "nameless, TF2's order": ("sbnc", ["a", "b", "c", "d"]),
}


def detections(
    count: int = 4, order: str = "bcsn", names: Sequence[str] = TF1
) -> list[tuple[Array, TensorSpec]]:
    values = {
        "b": np.array([BOXES], np.float32),
        "c": np.array([CLASSES], np.float32),
        "s": np.array([SCORES], np.float32),
        "n": np.array([count], np.float32),
    }
    name = dict(zip("bcsn", names))
    return [(values[kind], spec(name[kind], values[kind].shape)) for kind in order]


def detected(outputs: Outputs, geometry: Geometry = WHOLE, **options: Any) -> Any:
    return tasks.create("detect", [s for _, s in outputs], **options).decode(outputs, geometry)


@pytest.mark.parametrize(("order", "names"), ORDERS.values(), ids=ORDERS)
def test_outputs_are_found_in_every_order(order: str, names: list[str]) -> None:
    found = detected(detections(order=order, names=names))
    assert [(d.id, round(d.score, 6)) for d in found] == [(0, 0.9), (16, 0.6)]


def test_outputs_are_found_by_what_the_metadata_calls_them() -> None:
    outputs = detections(order="bscn", names=["a", "b", "c", "d"])
    names = ("location", "score", "category", "number of detections")
    metadata = ModelMetadata(outputs=tuple(TensorMetadata(name=n) for n in names))
    task = tasks.create(None, [s for _, s in outputs], metadata=metadata)
    assert [d.id for d in task.decode(outputs, WHOLE)] == [0, 16]


def test_boxes_are_in_the_pictures_own_pixels() -> None:
    whole, part = detected(detections())
    assert whole.box == Box(0, 0, 200, 100)
    assert [part.box.xmin, part.box.ymin, part.box.xmax, part.box.ymax] == pytest.approx([40, 10, 120, 50])


@pytest.mark.parametrize("shape", [(40, 80), (80, 40), (33, 77)])
@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
def test_a_box_around_a_mark_comes_back_around_it(shape: tuple[int, int], fit: str) -> None:
    """Finds the mark in what prepare made, gives its place as the model would, and asks decode."""
    picture = np.zeros((*shape, 3), np.uint8)
    picture[10:20, 20:30] = 255
    outputs = detections(count=1)
    task = tasks.create("detect", [s for _, s in outputs], fit=fit, threshold=0)
    pixels, geometry = task.prepare(Frame(picture, "frame", 0), spec("in", (1, 160, 160, 3), "uint8"))
    ys, xs = np.nonzero(pixels[0, :, :, 0] > 127)
    box = np.array([ys.min(), xs.min(), ys.max() + 1, xs.max() + 1], np.float32) / 160
    outputs[0][0][0, 0] = box
    found = task.decode(outputs, geometry)[0].box
    assert [found.xmin, found.ymin, found.xmax, found.ymax] == pytest.approx([20, 10, 30, 20], abs=0.6)


def test_boxes_are_clamped_and_empty_ones_left_out() -> None:
    outputs = detections()
    outputs[0][0][0, :3] = [[-0.5, -0.1, 1.5, 2.0], [0.5, 1.1, 0.6, 1.2], [0.5, 0.4, 0.6, 0.4]]
    found = detected(outputs, threshold=0.1)
    assert [d.box for d in found] == [Box(0, 0, 200, 100)]


def test_count_threshold_and_labels() -> None:
    assert [d.id for d in detected(detections(), threshold=0.3)] == [0, 16, 17]
    assert [d.id for d in detected(detections(count=1))] == [16]
    assert detected(detections(count=0)) == ()
    names = [f"label {i}" for i in range(17)]
    assert [d.label for d in detected(detections(), labels=names, threshold=0.3)] == [
        "label 0",
        "label 16",
        "17",
    ]
    assert detected(detections(), labels=["???", *names])[0].label == "label 0"
    assert detected(detections(), labels=names, label_offset=1)[0].label == "label 1"


def test_numbers_that_are_none_give_no_objects() -> None:
    outputs = detections()
    outputs[2][0][0, 1] = np.nan
    outputs[0][0][0, 0, 2] = np.inf
    assert [d.id for d in detected(outputs, threshold=0.1)] == [17]
    outputs[3][0][0] = np.nan
    assert detected(outputs, threshold=0.1) == ()


@pytest.mark.parametrize(
    "shapes", [[(1, 10, 4)], [(1, 10, 4), (1, 10), (1, 9), (1,)], [(1, 10), (1, 10), (1,)], [(1, 10, 4)] * 4]
)
def test_models_without_those_outputs_are_refused(shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(InputError, match="TFLite_Detection_PostProcess"):
        tasks.create("detect", [spec(f"o{i}", shape) for i, shape in enumerate(shapes)])


def test_detect_needs_pictures() -> None:
    task = tasks.create("detect", [s for _, s in detections()])
    with pytest.raises(InputError, match="picture"):
        task.prepare(Frame(np.zeros((4, 3), np.float32), "window", 0), spec("in", (1, 4, 3)))


# Which task


def test_the_task_is_seen_from_the_outputs() -> None:
    assert tasks.create(None, [s for _, s in detections()]).name == "detect"
    assert tasks.create(None, [spec("s", (1, 1, 1, 12))]).name == "classify"
    for shapes in ([(1, 46, 81, 17)], [(1, 10), (1, 4)], [(1, 1)], []):
        with pytest.raises(InputError, match="name it: classify, detect"):
            tasks.create(None, [spec("o", shape) for shape in shapes])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"topk": 3}, "'topk'; its options are: top_k, threshold"),
        ({"fit": "crop"}, "stretch, letterbox"),
        ({"mean": 1}, "both mean and std"),
        ({"mean": 1, "std": 0}, "std"),
        ({"top_k": 0}, "top_k is 0"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as raised:
        tasks.create("classify", [spec("s", (1, 2))], **options)
    assert words in str(raised.value)


def test_an_unknown_task_is_named() -> None:
    with pytest.raises(InputError, match="'segment'; there are: classify, detect"):
        tasks.create("segment", [spec("s", (1, 2))])


@pytest.mark.parametrize("name", tasks.TASKS)
def test_every_task_keeps_the_contract(name: str) -> None:
    cls = lazy.load(tasks.TASKS[name])
    assert cls.name == name
    assert cls.__dataclass_params__.frozen
    outputs = detections() if name == "detect" else [(np.zeros((1, 3), np.float32), spec("s", (1, 3)))]
    task = tasks.create(name, [s for _, s in outputs])
    target = spec("in", (1, 8, 8, 3), "uint8")
    out, geometry = task.prepare(Frame(np.zeros((5, 7, 3), np.uint8), "frame", 0), target)
    assert (out.shape, out.dtype) == (target.shape, target.dtype)
    assert (geometry.width, geometry.height) == (7, 5)
    results = task.decode(outputs, geometry)
    assert isinstance(results, tuple)
    assert [r.score for r in results] == sorted((r.score for r in results), reverse=True)
