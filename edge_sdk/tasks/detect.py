"""Object detection with SSD models that end in TFLite_Detection_PostProcess.

That op gives four float outputs: boxes (1, N, 4) as ymin, xmin, ymax, xmax in parts of the input
picture, classes (1, N), scores (1, N) and how many of the N are filled (1,).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_sdk.errors import InputError
from edge_sdk.metadata import ModelMetadata, Normalization
from edge_sdk.tasks import inputs
from edge_sdk.tasks.options import BACKGROUND, check_fit, normalization_from
from edge_sdk.tasks.outputs import dequantize
from edge_sdk.types import Array, Box, Detection, Frame, Geometry, TensorSpec


@dataclass(frozen=True)
class Order:
    """Which output holds what."""

    boxes: int
    classes: int
    scores: int
    count: int


@dataclass(frozen=True)
class Detect:
    """Objects above a score, with boxes in the source picture's own pixels."""

    order: Order
    labels: tuple[str, ...] = ()
    label_offset: int = 0  # label of class c = labels[c + label_offset]
    normalization: Normalization | None = None  # None: the usual one for the input's type
    trusted: bool = False  # the normalization is the user's own, not the file's claim
    fit: str = "stretch"  # stretch or letterbox
    threshold: float = 0.5  # lower scores are left out

    name = "detect"

    @classmethod
    def for_outputs(
        cls,
        outputs: tuple[TensorSpec, ...],
        labels: tuple[str, ...],
        metadata: ModelMetadata,
        *,
        threshold: float = 0.5,
        fit: str = "stretch",
        label_offset: int | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
    ) -> Detect:
        """See `edge_sdk.tasks.create`.

        `label_offset` None is 1 if the labels begin with a background class, which the op does not
        count, else 0. `mean` and `std` override the file's normalization.
        """
        labels = labels or metadata.labels
        if label_offset is None:
            label_offset = int(bool(labels) and labels[0] in BACKGROUND)
        given = normalization_from(mean, std)
        return cls(
            order=find_order(outputs, metadata),
            labels=labels,
            label_offset=label_offset,
            normalization=given or metadata.normalization,
            trusted=given is not None,
            fit=check_fit(fit),
            threshold=threshold,
        )

    def prepare(self, frame: Frame, spec: TensorSpec, out: Array | None = None) -> tuple[Array, Geometry]:
        if frame.data.ndim != 3:
            raise InputError(f"frame {frame.id} has shape {frame.data.shape}; detect needs a picture")
        return inputs.prepare(frame, spec, self.normalization, self.trusted, self.fit, out)

    def decode(
        self, outputs: Sequence[tuple[Array, TensorSpec]], geometry: Geometry
    ) -> tuple[Detection, ...]:
        order = self.order
        boxes = dequantize(*outputs[order.boxes]).reshape(-1, 4)
        classes = dequantize(*outputs[order.classes]).reshape(-1)
        scores = dequantize(*outputs[order.scores]).reshape(-1)
        count = dequantize(*outputs[order.count]).reshape(-1)[0]
        filled = np.arange(len(scores)) < count
        sound = np.isfinite(boxes).all(axis=1) & np.isfinite(classes)  # nan scores fail the threshold
        kept = np.flatnonzero(filled & sound & (scores >= self.threshold))
        found = []
        for i in kept[np.argsort(-scores[kept], kind="stable")]:
            box = _to_source(boxes[i], geometry)
            if box.xmin < box.xmax and box.ymin < box.ymax:
                number = int(classes[i])
                found.append(Detection(number, float(scores[i]), self._label(number), box))
        return tuple(found)

    def _label(self, number: int) -> str:
        index = number + self.label_offset
        return self.labels[index] if 0 <= index < len(self.labels) else str(number)


def _to_source(box: Array, g: Geometry) -> Box:
    """A box in parts of the input -> pixels of the source picture, clamped to it."""
    ymin, xmin, ymax, xmax = (float(v) for v in box)

    def x(part: float) -> float:
        return min(max((part * g.input_width - g.offset_x) / g.scale_x, 0.0), float(g.width))

    def y(part: float) -> float:
        return min(max((part * g.input_height - g.offset_y) / g.scale_y, 0.0), float(g.height))

    return Box(x(xmin), y(ymin), x(xmax), y(ymax))


def find_order(outputs: Sequence[TensorSpec], metadata: ModelMetadata) -> Order:
    """Finds the post-processing outputs by shape, and scores and classes by name or known orders.

    TF1's exporter names them TFLite_Detection_PostProcess (boxes), :1 (classes), :2 (scores), :3;
    TF2's StatefulPartitionedCall:3 (boxes), :2 (classes), :1 (scores), :0, in any order in the file.
    """
    described = "; ".join(f"{spec.name} {spec.shape}" for spec in outputs)
    boxes = [i for i, s in enumerate(outputs) if len(s.shape) == 3 and s.shape[0] == 1 and s.shape[2] == 4]
    lists = [i for i, s in enumerate(outputs) if boxes and s.shape == outputs[boxes[0]].shape[:2]]
    counts = [i for i, s in enumerate(outputs) if int(np.prod(s.shape)) == 1 and i not in lists[:2]]
    if len(boxes) != 1 or len(lists) < 2 or not counts:
        raise InputError(
            "detect needs the outputs of TFLite_Detection_PostProcess, boxes (1, N, 4), classes (1, N), "
            f"scores (1, N) and a count; the model has: {described}"
        )
    a, b = lists[:2]

    def names(i: int) -> str:
        said = metadata.outputs[i].name if len(metadata.outputs) == len(outputs) else ""
        return f"{outputs[i].name} {said}".lower()

    def position(i: int) -> str:
        return outputs[i].name.rpartition(":")[2]

    if "score" in names(a) + names(b):
        scores = a if "score" in names(a) else b
    elif "statefulpartitionedcall" in names(a):
        scores = a if position(a) == "1" else b
    elif "postprocess" in names(a):
        scores = a if position(a) == "2" else b
    else:  # as the exporters order them: TF1 boxes, classes, scores; TF2 scores, boxes, count, classes
        scores = b if boxes[0] < a else a
    return Order(boxes[0], b if scores == a else a, scores, counts[0])
