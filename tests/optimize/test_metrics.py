"""Measures of quality, against answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edge_sdk.optimize import metrics
from edge_sdk.optimize.data import Samples


def test_top_k_takes_the_first_of_equal_scores() -> None:
    scores = np.array([[0.1, 0.7, 0.2], [0.4, 0.4, 0.2], [0.3, 0.3, 0.4]])
    labels = np.array([1, 1, 0])
    assert metrics.top_k(scores, labels) == pytest.approx(1 / 3)
    assert metrics.top_k(scores, labels, 2) == 1


def test_auc_is_the_share_of_pairs_in_order() -> None:
    scores, labels = np.array([0.1, 0.4, 0.4, 0.8, 0.9]), np.array([0, 1, 0, 0, 1])
    pairs = [(0.4, 0.1, 1), (0.4, 0.4, 0.5), (0.4, 0.8, 0), (0.9, 0.1, 1), (0.9, 0.4, 1), (0.9, 0.8, 1)]
    assert metrics.auc(scores, labels) == pytest.approx(sum(p[2] for p in pairs) / 6)


def test_iou_is_by_class_and_leaves_out_what_nobody_marked() -> None:
    truth, found = np.array([[0, 0, 1, 1, 255]]), np.array([[0, 1, 1, 1, 2]])
    assert metrics.mean_iou(found, truth) == pytest.approx((1 / 2 + 2 / 3) / 2)


def average(truth: list[list[float]], boxes: list[list[float]], scores: list[float]) -> float:
    b = np.array(boxes, float).reshape(-1, 4)
    return metrics.mean_average_precision(
        [b], [np.zeros(len(b))], [np.array(scores)], [np.array(truth, float)]
    )


def test_average_precision() -> None:
    one = [0, 0.0, 0.0, 1.0, 1.0]
    assert average([one], [[0, 0, 1, 1]], [0.9]) == 1
    assert average([one], [], []) == 0
    # Covers 0.72 of it: a hit at 0.5, 0.55, 0.6, 0.65 and 0.7.
    assert average([one], [[0, 0, 0.72, 1]], [0.9]) == pytest.approx(0.5)
    # A miss that is surer than the hit: half of the answers are right at each recall.
    assert average([one], [[5, 5, 6, 6], [0, 0, 1, 1]], [0.9, 0.8]) == pytest.approx(0.5)
    # One box found twice: the second is a miss, behind full recall.
    assert average([one], [[0, 0, 1, 1], [0, 0, 1, 1]], [0.9, 0.8]) == 1
    # One of two found: precision 1 at the 51 recalls up to 0.5.
    assert average([one, [0, 3, 3, 4, 4]], [[0, 0, 1, 1]], [0.9]) == pytest.approx(51 / 101)


def test_the_labels_choose_the_measure() -> None:
    def measures(labels: np.ndarray, *outputs: np.ndarray, inputs: int = 4) -> list[str]:
        return list(metrics.quality(outputs, Samples((np.zeros((len(labels), inputs)),), labels)))

    two = np.array([0, 1])
    assert measures(two, np.zeros((2, 3))) == ["top-1"]
    assert measures(two, np.zeros((2, 1, 1, 20))) == ["top-1", "top-5"]
    assert measures(two, np.zeros((2, 1))) == ["AUC"]
    assert measures(two, np.zeros((2, 3, 4)), inputs=12) == ["AUC"]  # an autoencoder
    assert measures(np.zeros((2, 5, 6), int), np.zeros((2, 5, 6, 3))) == ["mean IoU"]
    found = np.zeros((2, 7, 4)), np.zeros((2, 7)), np.zeros((2, 7)), np.zeros((2, 1))
    assert measures(np.zeros((2, 3, 5)), *found) == ["mAP50-95"]
    assert measures(np.zeros((2, 9)), np.zeros((2, 3))) == []
    assert measures(two, np.array([[0.9, 0.1], [0.2, 0.8]])) == ["top-1", "AUC"]
    assert measures(np.zeros((2, 5, 6), int), np.zeros((2, 4, 4, 3))) == []


def test_a_class_map_comes_as_scores_as_classes_or_as_one_score() -> None:
    truth = np.array([[[0, 1], [1, 1]]])
    right = 1 - truth[..., None], truth[..., None]
    scores = np.concatenate(right, axis=3).astype(float)
    chance = np.where(truth == 1, 0.7, 0.2)[..., None]
    for output in (scores, truth.astype(np.float32), truth[..., None], chance, chance[..., 0] - 0.4):
        assert metrics.quality([output], Samples((np.zeros((1, 4)),), truth)) == {"mean IoU": 1.0}
    assert metrics.quality([1.0 - chance], Samples((np.zeros((1, 4)),), truth)) == {"mean IoU": 0.0}


def test_agreement_is_of_classes_or_of_values() -> None:
    a, b = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.6, 0.4], [0.7, 0.3]])
    anything = Samples((np.zeros((2, 4)),))
    named = Samples((np.zeros((2, 4)),), classes=("cat", "dog"))
    assert metrics.agreement([a], [b], anything) == 0.5
    assert metrics.agreement([8 * a], [8 * b], named) == 0.5
    assert metrics.agreement([8 * a], [8 * b], anything) < 0  # may be coordinates: they are far apart
    field = np.arange(8.0).reshape(2, 2, 2)
    assert metrics.agreement([field + 0.7], [field], anything) == pytest.approx(0.9)
