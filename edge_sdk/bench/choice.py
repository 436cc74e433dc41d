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
    planned = [(step, part) for step in usual.plan.steps() for part in native.parts_of([step])]
    stands_for = Counter(p["nodes"][0] for _, p in planned if p["nodes"])  # a node may become two steps
    # What has a choice, and how many of its step come before: each in a chain is measured alone.
    parts = [
        (step, p, native.parts_of([step]).index(p))
        for step, p in planned
        if len(p["candidates"]) > 1 and p["nodes"] and stands_for[p["nodes"][0]] == 1
    ]
    others = {
        p["nodes"][0]: [k for k in p["candidates"] if k != p["kernel"] and not _slow(k, p)]
        for _, p, _ in parts
    }
    # A plan for the usual kernels, then one for each name, used by every step that can.
    names = list(dict.fromkeys((k, place) for _, p, place in parts for k in others[p["nodes"][0]]))
    plans: list[Mapping[int, str]] = [{}]
    for kernel, place in names:
        plans.append(
            {p["nodes"][0]: kernel for _, p, at in parts if at == place and kernel in others[p["nodes"][0]]}
        )
    times = _profiled(parsed, count, plans, runs, progress, 0)
    choices = []
    for step, part, place in parts:
        node = part["nodes"][0]
        # With another kernel a chain may be no chain: that is not comparable.
        measured = {k: times[names.index((k, place)) + 1].get(tuple(step["nodes"])) for k in others[node]}
        ms = {k: float(np.median(t)) / 1e6 for k, t in measured.items() if t is not None}
        usual_ms = float(np.median(times[0][tuple(step["nodes"])])) / 1e6
        best = min(ms, key=lambda k: ms[k], default=None)
        if best is not None and ms[best] < _GAIN * usual_ms:
            choices.append(Choice(part["op"], node, part["kernel"], usual_ms, best, ms[best]))
    chosen = {c.node: c.chosen for c in choices}
    both = _profiled(parsed, count, [{}, chosen], runs, progress, runs)
    usual_ms, tuned_ms = (float(np.median(sum(steps.values()))) / 1e6 for steps in both)
    if not choices or tuned_ms >= usual_ms:
        choices, chosen, tuned_ms = [], {}, usual_ms
    found = tuning.here(path, native.isa(), count, chosen)
    return Tuned(tuple(choices), usual_ms, tuned_ms, len(parts), found)


def _slow(kernel: str, step: Mapping[str, Any]) -> bool:
    """The plain definition of an op is not worth its time where the step has others."""
    return kernel.endswith("_scalar") and not step["kernel"].endswith("_scalar")


def _profiled(
    parsed: Any, threads: int, plans: list[Mapping[int, str]], runs: int, progress: Progress, done: int
) -> list[dict[tuple[int, ...], Any]]:
    """For each plan, run in turn: the nanoseconds of each run by the nodes of each step."""
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
    return [_by_nodes(runner.steps(), np.array(times).T) for runner, times in zip(runners, zip(*rounds))]


def _by_nodes(steps: list[dict[str, Any]], times: Any) -> dict[tuple[int, ...], Any]:
    """Times [step, run] by the steps' nodes; those of steps that one node became are added."""
    found: dict[tuple[int, ...], Any] = {}
    for step, t in zip(steps, times):
        found[tuple(step["nodes"])] = found.get(tuple(step["nodes"]), 0) + t
    return found
