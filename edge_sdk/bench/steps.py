"""The time of each step of a native plan, beside what the CPU reaches at most."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_sdk.backends import native
from edge_sdk.bench.inputs import random_inputs
from edge_sdk.model import thread_count


@dataclass(frozen=True)
class Peak:
    """What a loop over registers reaches on this machine: no kernel of the same ISA can be faster."""

    dtype: str  # "int8" or "float32", of the factors
    kernel: str
    threads: int
    gmac_per_s: float  # of all threads together

    def to_dict(self) -> dict[str, Any]:
        rate = round(self.gmac_per_s, 1)
        return {"dtype": self.dtype, "kernel": self.kernel, "threads": self.threads, "gmac_per_s": rate}


@dataclass(frozen=True)
class StepTiming:
    """One step of the native plan."""

    op: str
    kernel: str
    nodes: tuple[int, ...]  # the file's node indices that the step stands for
    macs: int  # multiply-accumulates of one run
    ms: float  # median of the runs
    share: float  # of the sum of all steps, 0 to 1
    peak: float | None  # 1e9 multiply-accumulates a second at most; None where no peak is known

    @property
    def gmac_per_s(self) -> float:
        return self.macs / self.ms / 1e6 if self.ms else 0.0

    @property
    def share_of_peak(self) -> float | None:
        return self.gmac_per_s / self.peak if self.peak and self.macs else None

    def to_dict(self) -> dict[str, Any]:
        of_peak = self.share_of_peak
        return {
            "op": self.op,
            "kernel": self.kernel,
            "nodes": list(self.nodes),
            "macs": self.macs,
            "ms": round(self.ms, 5),
            "share": round(self.share, 4),
            "gmac_per_s": round(self.gmac_per_s, 2),
            "share_of_peak": None if of_peak is None else round(of_peak, 4),
        }


def peaks(threads: int | None = None) -> dict[str, Peak]:
    """By type of the factors, "int8" and "float32": the measured peak. Takes about 0.3 s."""
    count = thread_count(threads)
    return {dtype: Peak(dtype, kernel, count, rate) for dtype, (kernel, rate) in native.peaks(count).items()}


def profile(
    path: str | os.PathLike[str],
    threads: int | None = None,
    runs: int = 20,
    measured: Mapping[str, Peak] | None = None,
) -> list[StepTiming]:
    """The median time of each step of the native plan, in the order in which they run.

    `measured`: the peaks to compare with, or None to measure them. Raises what `edge_sdk.load` raises.
    """
    count = thread_count(threads)
    program = native.load(os.fspath(path), count)
    runner = program.runner({})
    specs = [runner.spec(i) for i in program.inputs()]
    for spec, array in zip(specs, random_inputs(specs)):
        runner.view(spec.index)[...] = array
    known = peaks(count) if measured is None else measured
    runner.profile()
    medians = np.median([runner.profile() for _ in range(runs)], axis=0) / 1e6
    total = float(medians.sum()) or 1.0
    steps = []
    for s, ms in zip(program.plan.steps(), medians):
        peak = known.get(_dtype(s["kernel"]))
        steps.append(
            StepTiming(
                s["op"],
                s["kernel"],
                tuple(s["nodes"]),
                s["macs"],
                float(ms),
                float(ms) / total,
                peak.gmac_per_s if peak and s["kernel"] else None,
            )
        )
    return steps


def share_of_peak(steps: Sequence[StepTiming], ms: float, measured: Mapping[str, Peak]) -> float | None:
    """What a run of `ms` milliseconds makes of the peak of the type in which most of its MACs are.

    None where that peak is not known or there are no MACs.
    """
    macs = {"int8": 0, "float32": 0}
    for step in steps:
        macs[_dtype(step.kernel)] += step.macs
    peak = measured.get(max(macs, key=lambda dtype: macs[dtype]))
    total = sum(macs.values())
    return total / ms / 1e6 / peak.gmac_per_s if peak and total and ms else None


def _dtype(kernel: str) -> str:
    """The type of the factors, by the kernel's name."""
    return "float32" if "f32" in kernel else "int8"
