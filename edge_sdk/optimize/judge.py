"""How good a model is beside the one it was made from: one judge for every command that shrinks models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_sdk.optimize import metrics
from edge_sdk.optimize.data import Progress, Runnable, Samples, results
from edge_sdk.types import Array

AGREEMENT, DIFFERENCE = "agreement", "difference"
_OUTPUT_BYTES = 2**28  # of a model's results that are kept to compare with


@dataclass(frozen=True)
class Quality:
    """A model's results over samples, beside those of the model that it was made from."""

    measure: str  # of `metrics.quality`, else "agreement" of the top answers, else "difference" of outputs
    before: float  # share, of the original: 1 for agreement; for difference 0, or its own from true values
    after: float  # share; of difference the root of the mean square, of the output's range
    samples: int
    origin: str  # of the samples
    worst: float | None = None  # of difference: the greatest, as a share of the output's range

    @property
    def drop(self) -> float:
        """Percentage points that were lost."""
        lost = self.after - self.before if self.measure == DIFFERENCE else self.before - self.after
        return 100 * lost

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "drop": self.drop}

    def __str__(self) -> str:
        before, after = 100 * self.before, 100 * self.after
        if self.measure == AGREEMENT:
            text = f"agreement of the top answer with the original: {after:.2f} %"
        elif self.measure == DIFFERENCE and not before:
            text = (
                f"outputs differ by {after:.2f} % of their range (root mean square), "
                f"{100 * (self.worst or 0):.2f} % at most,"
            )
        else:
            name = "root mean square error, of the range" if self.measure == DIFFERENCE else self.measure
            text = f"{name}: {before:.2f} % -> {after:.2f} %"
        return f"{text} over {self.samples} samples"


class Judge:
    """Measures versions of a model on the same samples: how much of the original's quality is left.

    By the first measure of `metrics.quality` where the labels suit one; else by how often the top answer
    stays the same, where the output is one score a class; else by how far outputs are from the original's,
    or from the labels where those are values of the output's size.
    """

    def __init__(self, original: Runnable, samples: Samples) -> None:
        each = sum(output.nbytes for output in results(original, samples.take(slice(1))))
        self.samples = samples.take(slice(max(_OUTPUT_BYTES // max(each, 1), 1)))
        self.expected = results(original, self.samples)
        right = metrics.quality(self.expected, self.samples)
        self._truth = self.expected
        labels = self.samples.labels
        self._before = 1.0
        if right:
            self.measure, self._before = next(iter(right.items()))
        elif metrics.tells_classes(self.expected, self.samples):
            self.measure = AGREEMENT
        else:
            self.measure = DIFFERENCE
            if labels is not None and len(self.expected) == 1 and labels.size == self.expected[0].size:
                self._truth = (labels.reshape(self.expected[0].shape),)
            self._before, _ = metrics.apart(self.expected, self._truth)

    def __call__(self, model: Runnable, progress: Progress = lambda done: None) -> Quality:
        return self.of(results(model, self.samples, progress))

    def of(self, outputs: Sequence[Array]) -> Quality:
        """Of what a model gave for the samples."""
        worst = None
        if self.measure == DIFFERENCE:
            after, worst = metrics.apart(outputs, self._truth)
        elif self.measure == AGREEMENT:
            after = metrics.same_top(outputs[0], self.expected[0])
        else:
            after = metrics.quality(outputs, self.samples)[self.measure]
        return Quality(self.measure, self._before, after, len(self.samples), self.samples.origin, worst)

    def error(self, model: Runnable, count: int) -> float:
        """Mean square difference from the original's outputs for `count` samples, of their variance."""
        found = results(model, self.samples.take(slice(count)))
        pairs = ((a[:count], b) for a, b in zip(self.expected, found))
        return float(np.mean([np.mean((a - b) ** 2) / (np.var(a) + 1e-12) for a, b in pairs]))
