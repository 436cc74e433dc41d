"""Measure a model: load, first run, steady state, and the time of each op.

Times of different machines and moments cannot be compared: `compare` runs two backends in turn in
one process and gives ratios.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_sdk import boards
from edge_sdk.backends import native
from edge_sdk.model import Model, Session, load, thread_count
from edge_sdk.types import TensorSpec

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Timing:
    """One backend's times for one model; milliseconds."""

    backend: str
    threads: int
    load_ms: float  # from the file to a session
    first_ms: float  # the first run, with cold caches
    min_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    runs: int  # of the steady state

    def to_dict(self) -> dict[str, Any]:
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class StepTiming:
    """One step of the native plan."""

    op: str
    kernel: str
    nodes: tuple[int, ...]  # the file's node indices that the step stands for
    macs: int  # multiply-accumulates of one run
    ms: float  # median of the runs
    share: float  # of the sum of all steps, 0 to 1

    @property
    def gmac_per_s(self) -> float:
        return self.macs / self.ms / 1e6 if self.ms else 0.0

    def to_dict(self) -> dict[str, Any]:
        return {
            "op": self.op,
            "kernel": self.kernel,
            "nodes": list(self.nodes),
            "macs": self.macs,
            "ms": round(self.ms, 5),
            "share": round(self.share, 4),
            "gmac_per_s": round(self.gmac_per_s, 2),
        }


def random_inputs(specs: Sequence[TensorSpec], seed: int = 0) -> list[np.ndarray[Any, Any]]:
    """One array per input: integers over the whole range of their type, floats from a normal distribution."""
    rng = np.random.default_rng(seed)
    arrays = []
    for spec in specs:
        if spec.dtype.kind in "iu":
            limits = np.iinfo(spec.dtype)
            arrays.append(rng.integers(limits.min, limits.max, spec.shape, dtype=spec.dtype, endpoint=True))
        elif spec.dtype.kind == "b":
            arrays.append(rng.integers(0, 2, spec.shape).astype(bool))
        else:
            arrays.append(rng.standard_normal(spec.shape).astype(spec.dtype))
    return arrays


class _Runner:
    """A backend under measurement: loaded, run once, then run as often as asked for."""

    def __init__(self, path: str | os.PathLike[str], backend: str, threads: int) -> None:
        start = time.perf_counter_ns()
        self.model: Model = load(path, threads=threads, backend=backend)
        self.session: Session = self.model.session()
        self.load_ms = (time.perf_counter_ns() - start) / 1e6
        for i, array in enumerate(random_inputs(self.session.inputs)):
            self.session.input(i)[...] = array
        self.threads = threads
        self.first_ms = self.run()
        self.times: list[float] = []

    def run(self) -> float:
        start = time.perf_counter_ns()
        self.session.invoke()
        return (time.perf_counter_ns() - start) / 1e6

    def timing(self) -> Timing:
        p50, p95, p99 = np.percentile(self.times, [50, 95, 99])
        return Timing(
            self.model.backend,
            self.threads,
            self.load_ms,
            self.first_ms,
            min(self.times),
            float(p50),
            float(p95),
            float(p99),
            len(self.times),
        )


def measure(
    path: str | os.PathLike[str],
    against: Sequence[str] = (),
    threads: int | None = None,
    board: boards.BoardProfile | None = None,
    runs: int = 50,
    progress: Progress = lambda done: None,
) -> list[Timing]:
    """Times the native backend, and those in `against` in turn with it, on random inputs.

    Each round runs every backend once, so that what else the machine does strikes all alike.
    `progress` is called with the number of rounds done. Raises what `edge_sdk.load` raises.
    """
    count = thread_count(threads, board)
    runners = [_Runner(path, backend, count) for backend in ("native", *against)]
    for i in range(runs):
        for runner in runners:
            runner.times.append(runner.run())
        progress(i + 1)
    return [runner.timing() for runner in runners]


def profile(path: str | os.PathLike[str], threads: int | None = None, runs: int = 20) -> list[StepTiming]:
    """The median time of each step of the native plan, in the order in which they run."""
    program = native.load(os.fspath(path), thread_count(threads))
    runner = program.runner({})
    specs = [runner.spec(i) for i in program.inputs()]
    for spec, array in zip(specs, random_inputs(specs)):
        runner.view(spec.index)[...] = array
    runner.profile()
    medians = np.median([runner.profile() for _ in range(runs)], axis=0) / 1e6
    total = float(medians.sum()) or 1.0
    return [
        StepTiming(s["op"], s["kernel"], tuple(s["nodes"]), s["macs"], float(ms), float(ms) / total)
        for s, ms in zip(program.plan.steps(), medians)
    ]
