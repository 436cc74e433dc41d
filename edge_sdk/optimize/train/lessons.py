"""What a network should give for samples: classes, a teacher's scores, or values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from edge_sdk.errors import InputError
from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.metrics import is_probabilities
from edge_sdk.types import Array

NO_LABEL = -1


@dataclass(frozen=True)
class Lesson:
    """Inputs and what is to be given for them, as tensors; axis 0 counts samples."""

    inputs: tuple[Any, ...]
    labels: Any = None  # int64 [n], NO_LABEL where there is none; or None
    scores: Any = None  # float32 [n, classes]: logarithms of the teacher's probabilities; or None
    values: tuple[Any, ...] = ()  # float32 [n, ...] an output: what is to be met where classes are not asked
    spread: tuple[float, ...] = ()  # the variance of each of `values`

    def __len__(self) -> int:
        return len(self.inputs[0])

    def take(self, which: Any) -> Lesson:
        def some(x: Any) -> Any:
            return None if x is None else x[which]

        return replace(
            self,
            inputs=tuple(map(some, self.inputs)),
            labels=some(self.labels),
            scores=some(self.scores),
            values=tuple(map(some, self.values)),
        )

    def truth(self) -> Any:
        """The class of each sample: its label, or else what the teacher says."""
        if self.scores is None:
            return self.labels
        said = self.scores.argmax(-1)
        return said if self.labels is None else torch.where(self.labels == NO_LABEL, said, self.labels)


def lesson(samples: Samples, taught: tuple[Array, ...] | None, classes: int) -> Lesson:
    """What samples and the outputs of a teacher for them ask for; InputError if that is nothing.

    `classes`: how many there are to tell apart, or 0 where values are to be met.
    """
    inputs = tuple(torch.from_numpy(np.ascontiguousarray(x)) for x in samples.inputs)
    labels = samples.labels
    if taught is None and (labels is None or (labels.dtype.kind in "iu" and (labels == NO_LABEL).any())):
        raise InputError("samples without labels need a teacher")
    if classes:
        known = None if labels is None else torch.from_numpy(class_numbers(labels, classes))
        scores = None if taught is None else torch.from_numpy(logarithms(taught[0]))
        return Lesson(inputs, known, scores)
    values = (labels,) if taught is None else taught
    wanted = tuple(torch.from_numpy(np.asarray(y, np.float32)) for y in values)
    return Lesson(inputs, values=wanted, spread=tuple(max(float(v.var()), 1e-12) for v in wanted))


def class_numbers(labels: Array, classes: int) -> Array:
    """Labels as int64 [n]; InputError for those that are no class."""
    if labels.dtype.kind not in "iu" or labels.size != len(labels):
        raise InputError(f"labels are {labels.dtype} {list(labels.shape)}; class numbers [n] are needed")
    wrong = labels[(labels >= classes) | (labels < NO_LABEL)]
    if wrong.size:
        raise InputError(f"there is the label {wrong.flat[0]}; the model's classes are 0 to {classes - 1}")
    return labels.reshape(-1).astype(np.int64)


def logarithms(outputs: Array) -> Array:
    """Scores [n, classes] whose softmax is what a model gives, be that probabilities or scores."""
    if not is_probabilities(outputs):
        return outputs.astype(np.float32)
    least = max(float(outputs[outputs > 0].min()) / 2, 1e-7)  # 8-bit outputs have zeros
    found: Array = np.log(np.maximum(outputs, least)).astype(np.float32)
    return found
