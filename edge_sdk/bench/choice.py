"""Measures the kernels that each step of a model could use, and chooses the fastest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_sdk import tuning
from edge_sdk.backends import native
from edge_sdk.bench.inputs import random_inputs
from edge_sdk.bench.rounds import Progress
from edge_sdk.model import thread_count

_GAIN = 0.97  # a kernel is chosen only where it takes less than this of the usual one's time


@dataclass(frozen=True)
class Choice:
    """One step for which another kernel than the usual one is the fastest; milliseconds, medians."""

    op: str
    node: int  # the first that the step stands for
    usual: str
    usual_ms: float
    chosen: str
    chosen_ms: float

    def to_dict(self) -> dict[str, Any]:
        return {k: round(v, 5) if isinstance(v, float) else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class Tuned:
    """What `tune` found."""

    choices: tuple[Choice, ...]  # empty if nothing beats the usual kernels
    usual_ms: float  # median run of the whole model with the usual kernels
    tuned_ms: float  # with those chosen
    measured: int  # steps that had a choice
    tuning: tuning.Tuning  # to be written by `edge_sdk.tuning.write`

    def to_dict(self) -> dict[str, Any]:
        return {
            "choices": [c.to_dict() for c in self.choices],
            "usual_ms": round(self.usual_ms, 4),
            "tuned_ms": round(self.tuned_ms, 4),
            "measured": self.measured,
        }


def tune(
    path: str | os.PathLike[str],
    threads: int | None = None,
    runs: int = 30,
    progress: Progress = lambda done: None,
) -> Tuned:
    """Measures the candidates of all steps in turn, then the whole model with the best of each.

    Where the whole is not faster than with the usual kernels, the tuning is empty. `progress` is called
    with the number of rounds done, of 2 * `runs`. Raises what `edge_sdk.load` raises.
    """
    count = thread_count(threads)
    parsed = native.parse(os.fspath(path))
    usual = native.NativeProgram(parsed, count)
    planned = list(enumerate(usual.plan.steps()))
    stands_for = Counter(s["nodes"][0] for _, s in planned if s["nodes"])  # a node may become two steps
    steps = [
        (i, s)
        for i, s in planned
        if len(s["candidates"]) > 1 and s["nodes"] and stands_for[s["nodes"][0]] == 1
    ]
    others = {i: [k for k in s["candidates"] if k != s["kernel"] and not _slow(k, s)] for i, s in steps}
    # A plan for the usual kernels, then one for each name, used by every step that can.
    names = list(dict.fromkeys(k for kernels in others.values() for k in kernels))
    plans: list[Mapping[int, str]] = [{}]
    plans += [{s["nodes"][0]: k for i, s in steps if k in others[i]} for k in names]
    times = np.median(_profiled(parsed, count, plans, runs, progress, 0), axis=1) / 1e6
    choices = []
    for i, step in steps:
        rows = [0, *(names.index(k) + 1 for k in others[i])]
        best = min(rows, key=lambda row: times[row, i])
        if times[best, i] < _GAIN * times[0, i]:
            node, kernel = step["nodes"][0], names[best - 1]
            ms = float(times[0, i]), float(times[best, i])
            choices.append(Choice(step["op"], node, step["kernel"], ms[0], kernel, ms[1]))
    chosen = {c.node: c.chosen for c in choices}
    whole = np.median(_profiled(parsed, count, [{}, chosen], runs, progress, runs).sum(axis=2), axis=1) / 1e6
    usual_ms, tuned_ms = (float(ms) for ms in whole)
    if not choices or tuned_ms >= usual_ms:
        choices, chosen, tuned_ms = [], {}, usual_ms
    found = tuning.here(path, native.isa(), count, chosen)
    return Tuned(tuple(choices), usual_ms, tuned_ms, len(steps), found)


def _slow(kernel: str, step: Mapping[str, Any]) -> bool:
    """The plain definition of an op is not worth its time where the step has others."""
    return kernel.endswith("_scalar") and not step["kernel"].endswith("_scalar")


def _profiled(
    parsed: Any, threads: int, plans: list[Mapping[int, str]], runs: int, progress: Progress, done: int
) -> Any:
    """Nanoseconds [plan, run, step] of all plans in turn."""
    runners = []
    for kernels in plans:
        program = native.NativeProgram(parsed, threads, kernels)
        runner = program.runner({})
        specs = [runner.spec(i) for i in program.inputs()]
        for spec, array in zip(specs, random_inputs(specs)):
            runner.view(spec.index)[...] = array
        runner.profile()
        runners.append(runner)
    rounds = []
    for i in range(runs):
        rounds.append([runner.profile() for runner in runners])
        progress(done + i + 1)
    return np.array(rounds).swapaxes(0, 1)
