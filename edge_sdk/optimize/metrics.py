"""How good a model's results are: pure functions of outputs and truth, and which of them suits the two.

All take real values (dequantized) and give shares from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edge_sdk.optimize.data import Samples
from edge_sdk.types import Array

THRESHOLDS = np.arange(0.5, 1.0, 0.05)  # COCO's, of intersection over union
_RECALLS = np.linspace(0, 1, 101)  # COCO's


def top_k(scores: Array, labels: Array, k: int = 1) -> float:
    """Share of samples whose label is among the k best of scores [n, classes]; of equal ones the first."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float((best == labels[:, None]).any(axis=1).mean())


def auc(scores: Array, labels: Array) -> float:
    """Area under the ROC curve of scores [n] for labels [n] of 0 and 1, by ranks (Mann and Whitney 1947).

    The chance that a sample of class 1 has a higher score than one of class 0; half for equal ones.
    """
    values, place = np.unique(scores, return_inverse=True)
    positive = np.bincount(place[labels == 1], minlength=len(values)).astype(float)
    negative = np.bincount(place[labels == 0], minlength=len(values)).astype(float)
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / (positive.sum() * negative.sum()))


def mean_iou(found: Array, truth: Array) -> float:
    """Intersection over union of each class that occurs in class maps of equal shape, their mean.

    Elements whose truth is negative or 255 count for nothing, as in Pascal VOC.
    """
    known = (truth >= 0) & (truth != 255)
    found, truth = found[known], truth[known]
    shares = []
    for each in np.union1d(found, truth):
        a, b = found == each, truth == each
        shares.append((a & b).sum() / (a | b).sum())
    return float(np.mean(shares)) if shares else 0.0


def mean_average_precision(
    boxes: Sequence[Array], classes: Sequence[Array], scores: Sequence[Array], truth: Sequence[Array]
) -> float:
    """COCO's mAP50-95: over classes and ten thresholds, precision at 101 recalls, interpolated.

    A picture's `boxes` [m, 4] are (ymin, xmin, ymax, xmax) with `classes` [m] and `scores` [m]; its `truth`
    [k, 5] is (class, ymin, xmin, ymax, xmax). Classes without truth do not count. Nothing is left out for
    size, crowds or number of detections.
    """
    known = np.unique(np.concatenate([t[:, 0] for t in truth])) if len(truth) else np.empty(0)
    each = [
        _average_precision(
            [b[c == name] for b, c in zip(boxes, classes)],
            [s[c == name] for s, c in zip(scores, classes)],
            [t[t[:, 0] == name, 1:] for t in truth],
        )
        for name in known
    ]
    return float(np.mean(each)) if each else 0.0


def _average_precision(boxes: Sequence[Array], scores: Sequence[Array], truth: Sequence[Array]) -> float:
    """Of one class, the mean over the thresholds."""
    wanted = sum(map(len, truth))
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hits = []
    for b, s, t in zip(boxes, scores, truth):
        overlaps = _overlaps(b, t)
        hit = np.zeros((len(THRESHOLDS), len(b)), bool)
        for row, threshold in enumerate(THRESHOLDS):
            free = np.ones(len(t), bool)
            for i in np.argsort(-s, kind="stable"):
                candidates = np.where(free, overlaps[i], -1.0)
                if len(t) and candidates.max() >= threshold - 1e-9:
                    free[candidates.argmax()] = False
                    hit[row, i] = True
        hits.append(hit)
    right = np.cumsum(np.concatenate(hits, axis=1)[:, order], axis=1)
    precision = right / np.arange(1, right.shape[1] + 1)
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    total = 0.0
    for row in range(len(THRESHOLDS)):
        at = np.searchsorted(right[row] / wanted, _RECALLS - 1e-12)
        total += float(np.append(precision[row], 0.0)[at].mean())
    return total / len(THRESHOLDS)


def _overlaps(a: Array, b: Array) -> Array:
    """Intersection over union of boxes [m, 4] and [k, 4]: [m, k]."""
    corner = np.maximum(a[:, None, :2], b[None, :, :2])
    sides = np.maximum(np.minimum(a[:, None, 2:], b[None, :, 2:]) - corner, 0)
    both = sides.prod(2)
    areas = [np.prod(np.maximum(x[:, 2:] - x[:, :2], 0), axis=1) for x in (a, b)]
    union = areas[0][:, None] + areas[1][None] - both
    return np.asarray(np.where(union > 0, both / np.maximum(union, 1e-30), 0.0))


def quality(outputs: Sequence[Array], samples: Samples) -> Mapping[str, float]:
    """The measures that suit the labels, the first of which is *the* accuracy; {} where none does.

    | labels | outputs | measures |
    |---|---|---|
    | int [n] | scores [n, classes] | top-1, and top-5 from 10 classes on, AUC of two |
    | 0 or 1 [n] | one score [n, 1], or as many values as the input has (distance = score) | AUC |
    | int [n, height, width] | scores [n, height, width, classes], or the classes themselves | mean IoU |
    | float [n, k, 5]: class (-1: none), ymin, xmin, ymax, xmax | boxes, classes, scores, count | mAP50-95 |
    """
    labels = samples.labels
    if labels is None or not outputs:
        return {}
    if labels.ndim == 3 and labels.shape[2] == 5 and len(outputs) == 4:
        return {"mAP50-95": _detections(outputs, labels)}
    first, n = outputs[0], len(labels)
    if labels.ndim >= 3 and labels.dtype.kind in "iu":
        found = _class_map(first, labels.shape)
        return {} if found is None else {"mean IoU": mean_iou(found, labels)}
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        return {}
    two = set(np.unique(labels)) == {0, 1}
    if first.size == n:
        return {"AUC": auc(first.reshape(n), labels)} if two else {}
    if is_scores(first):
        scores = first.reshape(n, -1)
        measures = {"top-1": top_k(scores, labels)}
        if scores.shape[1] >= 10:
            measures["top-5"] = top_k(scores, labels, 5)
        if scores.shape[1] == 2 and two:
            measures["AUC"] = auc(scores[:, 1] - scores[:, 0], labels)
        return measures
    if two and first.size == samples.inputs[0].size:  # an autoencoder: what it cannot rebuild is strange
        apart = (first.reshape(n, -1) - samples.inputs[0].reshape(n, -1)) ** 2
        return {"AUC": auc(apart.mean(1), labels)}
    return {}


def _class_map(output: Array, shape: tuple[int, ...]) -> Array | None:
    """The class of each element of a labelled picture; None where output and labels differ in size.

    One value an element is a class, or if there are others than whole numbers the score of class 1: a
    probability, or where some are negative its logit.
    """
    if output.shape[:-1] == shape and output.shape[-1] > 1:
        return np.asarray(output.argmax(-1))
    if output.size != np.prod(shape) or output.shape[: len(shape)] != shape:
        return None
    values = output.reshape(shape)
    if (values == np.round(values)).all():
        return values.astype(np.int64)
    return np.asarray(values > (0.0 if values.min() < 0 else 0.5), np.int64)


def is_scores(output: Array) -> bool:
    """Whether an output [n, ...] has one value for each of several things."""
    return output.size > len(output) and sum(size > 1 for size in output.shape[1:]) == 1


def is_probabilities(output: Array) -> bool:
    """Whether an output [n, ...] is a probability for each of several classes."""
    if not is_scores(output):
        return False
    sums = output.reshape(len(output), -1).sum(1)
    return bool(output.min() >= 0 and np.allclose(sums, 1, atol=0.05))  # 8-bit outputs round each entry


def tells_classes(outputs: Sequence[Array], samples: Samples) -> bool:
    """Whether a model's outputs are one score a class.

    Values that do not sum up to 1 may be anything, such as coordinates, unless the samples have classes.
    """
    labels = samples.labels
    known = bool(samples.classes) or (labels is not None and labels.ndim == 1 and labels.dtype.kind in "iu")
    return len(outputs) == 1 and (is_probabilities(outputs[0]) or (known and is_scores(outputs[0])))


def same_top(scores: Array, reference: Array) -> float:
    """Share of samples for which two models' scores [n, ...] are greatest in the same place."""
    tops = [x.reshape(len(x), -1).argmax(1) for x in (scores, reference)]
    return float((tops[0] == tops[1]).mean())


def apart(outputs: Sequence[Array], reference: Sequence[Array]) -> tuple[float, float]:
    """Root mean square and greatest difference of the output that differs most, as shares of its range."""
    usual, worst = 0.0, 0.0
    for found, expected in zip(outputs, reference):
        if expected.size:
            difference = np.abs(expected.astype(np.float64) - found) / (float(np.ptp(expected)) or 1.0)
            usual = max(usual, float(np.sqrt(np.mean(difference**2))))
            worst = max(worst, float(difference.max()))
    return usual, worst


def agreement(outputs: Sequence[Array], reference: Sequence[Array], samples: Samples) -> float:
    """How alike two models' outputs are: share of equal top answers where those are classes.

    Else 1 less the greatest difference as a share of the range of the output.
    """
    if [x.shape for x in outputs] != [x.shape for x in reference]:
        return 0.0
    if tells_classes(reference, samples):
        return same_top(outputs[0], reference[0])
    return 1.0 - apart(outputs, reference)[1]


def _detections(outputs: Sequence[Array], labels: Array) -> float:
    """mAP50-95 of TFLite_Detection_PostProcess's four outputs."""
    boxes, classes, scores, counts = outputs
    kept = [int(c) for c in counts.reshape(-1)]
    return mean_average_precision(
        [b[:k] for b, k in zip(boxes, kept)],
        [c[:k] for c, k in zip(classes, kept)],
        [s[:k] for s, k in zip(scores, kept)],
        [t[t[:, 0] >= 0] for t in labels],
    )
