"""Times the native runtime and others in turn, on the same changing inputs, and compares the results."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_sdk import boards
from edge_sdk.bench.inputs import difference, random_inputs
from edge_sdk.bench.peers import ModelFile, Peer, known, model_file, open_peer
from edge_sdk.errors import EdgeError
from edge_sdk.model import thread_count
from edge_sdk.types import Array

Progress = Callable[[int], None]

INPUTS = 3  # different ones, in turn
_BLOCK = 8  # rounds of all in turn, then as many of each runtime alone


@dataclass(frozen=True)
class Timing:
    """One runtime's times for one model; milliseconds."""

    backend: str
    threads: int
    load_ms: float  # from the file to a session
    first_ms: float  # the first run, with cold caches
    min_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    alone_p50_ms: float  # of runs after a pause, as long as the others' runs, in which no other runs
    runs: int  # of the steady state

    @property
    def disturbed(self) -> float:
        """What the other runtimes' threads, running in turn with this one, do to it: 1 is nothing at all.

        A runtime's threads may spin or fall asleep between two runs whoever fills the time, so runs by
        itself are those after a pause of the same length, in which the calling thread is busy.
        """
        return self.p50_ms / self.alone_p50_ms

    def to_dict(self) -> dict[str, Any]:
        values = {**asdict(self), "disturbed": self.disturbed}
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}


@dataclass(frozen=True)
class Agreement:
    """How far another runtime's outputs are from ours, over all inputs of a measurement."""

    backend: str  # "reference": LiteRT's plain kernels
    greatest: float  # difference of two elements: codes, or for floats a share of the greatest value
    integer: bool  # all outputs are integers
    inputs: int  # compared

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Refusal:
    """A runtime that cannot run the model here, and why."""

    backend: str
    reason: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """What `measure` found."""

    timings: tuple[Timing, ...]  # ours first, then those that run the model, in the order asked for
    refusals: tuple[Refusal, ...]
    agreements: tuple[Agreement, ...]

    @property
    def ratios(self) -> dict[str, float]:
        """For each other runtime: its best time / ours."""
        return {t.backend: t.min_ms / self.timings[0].min_ms for t in self.timings[1:]}

    @property
    def ratios_p50(self) -> dict[str, float]:
        """The same of the medians."""
        return {t.backend: t.p50_ms / self.timings[0].p50_ms for t in self.timings[1:]}


class _Runner:
    """A runtime under measurement: loaded, run once, then run as often as asked for."""

    def __init__(self, name: str, model: ModelFile, threads: int, inputs: Sequence[Sequence[Array]]) -> None:
        self.name, self.threads, self._inputs = name, threads, inputs
        start = time.perf_counter_ns()
        self.peer: Peer = open_peer(name, model, threads)
        self.load_ms = (time.perf_counter_ns() - start) / 1e6
        self.first_ms = self.run(0)
        self.times: list[float] = []
        self.alone: list[float] = []

    def run(self, i: int) -> float:
        """Milliseconds of one run on input `i`."""
        self.peer.write(self._inputs[i % len(self._inputs)])
        start = time.perf_counter_ns()
        self.peer.run()
        return (time.perf_counter_ns() - start) / 1e6

    def timing(self) -> Timing:
        p50, p95, p99 = (float(p) for p in np.percentile(self.times, [50, 95, 99]))
        return Timing(
            self.name,
            self.threads,
            self.load_ms,
            self.first_ms,
            min(self.times),
            p50,
            p95,
            p99,
            float(np.median(self.alone)),
            len(self.times),
        )


def measure(
    path: str | os.PathLike[str],
    against: Sequence[str] = (),
    threads: int | None = None,
    board: boards.BoardProfile | None = None,
    runs: int = 50,
    check: bool = True,
    progress: Progress = lambda done: None,
) -> Comparison:
    """Times the native runtime, and those in `against` (see `PEERS`) in turn with it, on random inputs.

    Each round runs every runtime once on the same input, so that what else the machine does strikes all
    alike; the input changes from round to round. In between each runs by itself, to see whether one
    disturbs another. A runtime that cannot run the model becomes a `Refusal`. `check` compares the
    outputs of all, and of LiteRT's reference kernels, with ours. `progress` is called with the number of
    rounds done. Raises what `edge_sdk.load` raises, and `InputError` for an unknown runtime.
    """
    for name in against:
        known(name)
    count = thread_count(threads, board)
    model = model_file(path)
    inputs = [random_inputs(model.inputs, seed) for seed in range(INPUTS)]
    runners = [_Runner("native", model, count, inputs)]
    refusals = []
    for name in dict.fromkeys(against):
        try:
            runners.append(_Runner(name, model, count, inputs))
        except Exception as problem:  # other people's code: whatever it raises, it does not run the model
            refusals.append(Refusal(name, " ".join(str(problem).split()) or type(problem).__name__))
    done = 0
    while done < runs:
        block = range(done, min(done + _BLOCK, runs))
        for i in block:
            for runner in runners:
                runner.times.append(runner.run(i))
        for runner in runners:
            pause = sum(r.times[-1] for r in runners if r is not runner)
            for i in (0, *block):
                _stay_busy(pause)
                runner.alone.append(runner.run(i))
            del runner.alone[-len(block) - 1]  # others ran before that one
        done = block.stop
        progress(done)
    agreements = _agreements(runners, model, inputs, refusals) if check else []
    return Comparison(tuple(r.timing() for r in runners), tuple(refusals), tuple(agreements))


def _stay_busy(ms: float) -> None:
    end = time.perf_counter_ns() + ms * 1e6
    while time.perf_counter_ns() < end:
        pass


def _agreements(
    runners: list[_Runner], model: ModelFile, inputs: Sequence[Sequence[Array]], refusals: list[Refusal]
) -> list[Agreement]:
    """Compares each runtime's outputs with ours; a reference that is not there is one more refusal."""
    ours, *others = ((r.name, r.peer) for r in runners)
    try:
        others.insert(0, ("reference", open_peer("reference", model, 1)))
    except EdgeError as problem:
        refusals.append(Refusal("reference", str(problem)))
    greatest = {name: 0.0 for name, _ in others}
    for arrays in inputs:
        wanted = _outputs(ours[1], arrays)
        for name, peer in others:
            greatest[name] = max(greatest[name], difference(wanted, _outputs(peer, arrays)))
    integer = all(spec.dtype.kind in "iub" for spec in model.outputs)
    return [Agreement(name, value, integer, len(inputs)) for name, value in greatest.items()]


def _outputs(peer: Peer, arrays: Sequence[Array]) -> list[Array]:
    peer.write(arrays)
    peer.run()
    return peer.outputs()
