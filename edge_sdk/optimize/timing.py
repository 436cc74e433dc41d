"""How long models take, one beside the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import edge_sdk
from edge_sdk.optimize.data import Samples, random_samples_of

_FEWEST, _MOST = 30, 1000  # runs of each model
_SECONDS = 1.0  # of runs a model, within these numbers
_INPUTS = 4  # different ones, in turn


def in_turn(
    models: Sequence[edge_sdk.Model],
    samples: Samples | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[list[float]]:
    """Milliseconds of each run of each model. They run in turn, so that other work strikes all alike.

    `samples` are those of models that take the same inputs; random ones without. `progress` is told how many
    runs of each are done, of how many that must be.
    """
    sessions = [model.session() for model in models]
    inputs = []
    for model in models:
        some = random_samples_of(model, _INPUTS) if samples is None else samples
        inputs.append([some.arrays(i, model.inputs) for i in range(min(_INPUTS, len(some)))])
    times: list[list[float]] = [[] for _ in models]
    begin, done = time.perf_counter(), 0
    while done <= _FEWEST or (done < _MOST and time.perf_counter() - begin < _SECONDS * len(models)):
        for session, arrays, found in zip(sessions, inputs, times):
            for i, value in enumerate(arrays[done % len(arrays)]):
                session.input(i)[...] = value
            start = time.perf_counter_ns()
            session.invoke()
            if done:  # the first run meets cold caches
                found.append((time.perf_counter_ns() - start) / 1e6)
        done += 1
        progress(min(done, _FEWEST), _FEWEST)
    return times


def best(models: Sequence[bytes], threads: int | None = None) -> list[float]:
    """Milliseconds of the best run of each model."""
    return [min(times) for times in in_turn([edge_sdk.load(model, threads) for model in models])]
