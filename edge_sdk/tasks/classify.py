"""Classification: one score a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_sdk.errors import InputError
from edge_sdk.metadata import ModelMetadata, Normalization
from edge_sdk.tasks import inputs
from edge_sdk.tasks.options import BACKGROUND, check_fit, normalization_from
from edge_sdk.tasks.outputs import dequantize
from edge_sdk.types import Array, Class, Frame, Geometry, TensorSpec


@dataclass(frozen=True)
class Classify:
    """Scores of classes from a model's first output, of `len(labels)` elements if there are labels."""

    labels: tuple[str, ...] = ()  # one per output element, or none
    normalization: Normalization | None = None  # None: the usual one for the input's type
    trusted: bool = False  # the normalization is the user's own, not the file's claim
    fit: str = "stretch"  # of pictures: stretch or letterbox
    top_k: int = 5  # results per frame
    threshold: float = float("-inf")  # lower scores are left out

    name = "classify"

    @classmethod
    def for_outputs(
        cls,
        outputs: tuple[TensorSpec, ...],
        labels: tuple[str, ...],
        metadata: ModelMetadata,
        *,
        top_k: int = 5,
        threshold: float = float("-inf"),
        fit: str = "stretch",
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
    ) -> Classify:
        """See `edge_sdk.tasks.create`; `mean` and `std` override the file's normalization."""
        if not outputs:
            raise InputError("classify needs a model with an output")
        if top_k < 1:
            raise InputError(f"top_k is {top_k}, it must be at least 1")
        given = normalization_from(mean, std)
        return cls(
            labels=_align(labels or metadata.labels, int(np.prod(outputs[0].shape))),
            normalization=given or metadata.normalization,
            trusted=given is not None,
            fit=check_fit(fit),
            top_k=top_k,
            threshold=threshold,
        )

    def prepare(self, frame: Frame, spec: TensorSpec, out: Array | None = None) -> tuple[Array, Geometry]:
        return inputs.prepare(frame, spec, self.normalization, self.trusted, self.fit, out)

    def decode(self, outputs: Sequence[tuple[Array, TensorSpec]], geometry: Geometry) -> tuple[Class, ...]:
        scores = dequantize(*outputs[0]).reshape(-1)
        best = np.argsort(-scores, kind="stable")[: self.top_k]  # equal scores: the lower class first
        return tuple(
            Class(int(i), float(scores[i]), self.labels[i] if self.labels else str(i))
            for i in best
            if scores[i] >= self.threshold
        )


def _align(labels: tuple[str, ...], classes: int) -> tuple[str, ...]:
    """One label per class. ImageNet's background class may stand in the labels or the model alone."""
    if len(labels) in (0, classes):
        return labels
    if len(labels) == classes - 1:
        return ("background", *labels)
    if len(labels) == classes + 1 and labels[0] in BACKGROUND:
        return labels[1:]
    raise InputError(f"there are {len(labels)} labels, but the model has {classes} classes")
