"""What is said of a smaller model's results, by what is known of the truth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from edge_sdk.metadata import ModelMetadata
from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.judge import Judge
from edge_sdk.types import Array, TensorSpec

X = np.arange(4, dtype=np.float32).reshape(4, 1)
CHANCES = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]], np.float32)


@dataclass(frozen=True)
class Table:
    """A model whose result for the number i is row i."""

    rows: Array
    metadata: ModelMetadata = field(default_factory=ModelMetadata)

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        return (TensorSpec("x", 0, (1, 1), (1, 1), np.dtype(np.float32)),)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        shape = (1, *self.rows.shape[1:])
        return (TensorSpec("y", 1, shape, shape, np.dtype(np.float32)),)

    def run(self, inputs: Any) -> list[Array]:
        (x,) = inputs if isinstance(inputs, (list, tuple)) else (inputs,)
        return [self.rows[int(np.asarray(x).flat[0])][None]]


def judged(before: Array, after: Array, labels: Array | None = None) -> Any:
    return Judge(Table(before), Samples((X,), labels))(Table(after))


def test_labels_that_are_classes_give_accuracy() -> None:
    found = judged(CHANCES, CHANCES[:, ::-1], np.array([0, 1, 1, 1]))
    assert (found.measure, found.before, found.after, found.drop) == ("top-1", 0.75, 0.25, 50)
    assert str(found) == "top-1: 75.00 % -> 25.00 % over 4 samples"


def test_probabilities_without_labels_give_agreement() -> None:
    after = CHANCES.copy()
    after[2] = 0.4, 0.6
    found = judged(CHANCES, after)
    assert (found.measure, found.before, found.after, found.drop) == ("agreement", 1, 0.75, 25)
    assert "agreement of the top answer with the original: 75.00 %" in str(found)


def test_other_values_give_how_far_they_are_apart() -> None:
    before = np.linspace(0, 10, 12, dtype=np.float32).reshape(4, 3)
    after = before.copy()
    after[1, 1] += 2
    found = judged(before, after)
    assert (found.measure, found.before) == ("difference", 0)
    assert found.worst == pytest.approx(0.2)
    assert found.after == pytest.approx(0.2 / 12**0.5)
    assert found.drop == pytest.approx(100 * found.after)


def test_values_that_are_known_to_be_true_count_more_than_the_original() -> None:
    truth = np.linspace(0, 10, 12).reshape(4, 3)
    found = judged((truth + 2).astype(np.float32), (truth + 1).astype(np.float32), truth)
    assert (found.before, found.after) == pytest.approx((0.2, 0.1))
    assert found.drop == pytest.approx(-10)  # it is better than its original


def test_one_score_for_two_classes_gives_the_area_under_the_curve() -> None:
    labels = np.array([0, 1, 0, 1])
    scores = np.array([[0.1], [0.9], [0.2], [0.8]], np.float32)
    found = judged(scores, 1 - scores, labels)
    assert (found.measure, found.before, found.after) == ("AUC", 1, 0)


def test_error_is_a_share_of_the_variance() -> None:
    before = np.array([[0.0], [2.0], [0.0], [2.0]], np.float32)
    judge = Judge(Table(before), Samples((X,)))
    assert judge.error(Table(before + 1), 4) == pytest.approx(1)
    assert judge.error(replace(Table(before)), 2) == 0
