"""What a smaller model gives up and gains beside its original: results on samples, time, size."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import edge_sdk
from edge_sdk.bench import random_inputs
from edge_sdk.optimize.data import Samples, results
from edge_sdk.types import Array

_SECONDS = 1.0  # of timing, within these numbers of runs of each model
_FEWEST, _MOST = 20, 500


@dataclass(frozen=True)
class Quality:
    """Results on samples."""

    measure: str  # "accuracy", "agreement" (of classes with the original's) or "difference" (rms, of rms)
    before: float  # the original's: 1 for an agreement, 0 for a difference
    after: float
    samples: int
    origin: str  # of the samples

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def latency(models: list[bytes], threads: int | None = None) -> list[float]:
    """Milliseconds of the best run of each model, run in turn so that all meet the same disturbances."""
    sessions = [edge_sdk.load(model, threads).session() for model in models]
    for session in sessions:
        for i, values in enumerate(random_inputs(session.inputs)):
            session.input(i)[...] = values
        session.invoke()
    best = [float("inf")] * len(models)
    begin = time.perf_counter()
    for done in range(_MOST):
        if done >= _FEWEST and time.perf_counter() - begin > _SECONDS:
            break
        for i, session in enumerate(sessions):
            start = time.perf_counter_ns()
            session.invoke()
            best[i] = min(best[i], (time.perf_counter_ns() - start) / 1e6)
    return best


def quality(before: bytes, after: bytes, samples: Samples) -> Quality:
    """Of the first output: accuracy where classes are known, else how far the two agree."""
    outputs = [results(edge_sdk.load(model), samples)[0] for model in (before, after)]
    return compare(outputs[0], outputs[1], samples)


def compare(before: Array, after: Array, samples: Samples) -> Quality:
    classes = [o.reshape(len(o), -1).argmax(1) for o in (before, after)]
    one_a_sample = before.size // len(before) == max(before.shape[1:], default=1) > 1
    labels = samples.labels
    if labels is not None and labels.ndim == 1 and labels.dtype.kind == "i" and one_a_sample:
        right = [float((c == labels).mean()) for c in classes]
        return Quality("accuracy", right[0], right[1], len(samples), samples.origin)
    if one_a_sample:
        same = float((classes[0] == classes[1]).mean())
        return Quality("agreement", 1.0, same, len(samples), samples.origin)
    rms = np.sqrt(np.square(before - after).mean()) / max(float(np.sqrt(np.square(before).mean())), 1e-30)
    return Quality("difference", 0.0, float(rms), len(samples), samples.origin)
