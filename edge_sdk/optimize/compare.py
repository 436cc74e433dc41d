"""Versions of one model side by side: how right, how fast, how large, what a run costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import edge_sdk
from edge_sdk.backends import native
from edge_sdk.energy import Energy, not_measured
from edge_sdk.errors import EdgeError, InputError
from edge_sdk.optimize import timing
from edge_sdk.optimize.data import Samples, random_samples_of, results
from edge_sdk.optimize.metrics import agreement, quality

_SAMPLES = 100  # random ones, where there are no others
_NOBODY = not_measured("nobody asked for it")
_SAME = 0.02  # times that are closer than this share are not told apart

MeasureEnergy = Callable[[Callable[[], object]], Energy]  # what runs of a callable cost
Tell = Callable[[str, int, int], None]  # what is going on, how much of it is done, of how much


@dataclass(frozen=True)
class Row:
    """One model."""

    name: str
    numbers: str  # what its inputs and weights are: "int8", "float32", ...
    bytes: int  # of the file
    arena_bytes: int | None  # of one session; None where the native backend does not run it
    p50_ms: float
    p95_ms: float
    accuracy: Mapping[str, float]  # measure -> share; {} without labels
    agreement: float  # with the first model: `metrics.agreement`
    energy: Energy = _NOBODY  # of one run, and how that was measured
    beaten_by: str | None = None  # a model that is at least as good in everything, and better in something

    @property
    def joules(self) -> float | None:
        """Of one run above idle; None where they were not measured."""
        return self.energy.joules

    @property
    def score(self) -> float:
        """The accuracy, or without labels the agreement."""
        return next(iter(self.accuracy.values()), self.agreement)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "joules": self.joules}


@dataclass(frozen=True)
class Comparison:
    """What `compare` found."""

    rows: tuple[Row, ...]
    threads: int
    samples: int
    origin: str  # of the samples
    notes: tuple[str, ...] = ()  # what cannot be told, and what looks odd

    @property
    def measure(self) -> str:
        """What `Row.score` is."""
        return next(iter(self.rows[0].accuracy), "agreement")

    def drop(self, row: Row) -> float:
        """Percentage points of the score that are lost beside the first model."""
        return 100 * (self.rows[0].score - row.score)

    def energy(self) -> list[str]:
        """How joules were measured, or why they were not: a line a model, one where all have the same."""
        lines = dict.fromkeys(row.energy.text for row in self.rows)
        if len(lines) == 1:
            return [f"energy: {line}" for line in lines]
        return [f"energy of {row.name}: {row.energy.text}" for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        rows = [{**row.to_dict(), "drop": self.drop(row)} for row in self.rows]
        return {**asdict(self), "rows": rows, "measure": self.measure}


def compare(
    paths: Sequence[str | os.PathLike[str]],
    samples: Samples | None = None,
    threads: int | None = 1,
    energy: MeasureEnergy | None = None,
    tell: Tell = lambda what, done, total: None,
) -> Comparison:
    """Measures models that take the same inputs; the first is the one that the others are held against.

    `samples`: as `open_samples` makes them for the first model; None takes random ones and says so.
    `energy` measures what runs of a callable cost, as `edge_sdk.energy.measure` does with a meter. Times are
    those of runs in turn, so that what else the machine does strikes all alike. Raises what `edge_sdk.load`
    raises, and `InputError` where the models' inputs differ, or their results are of another kind.
    """
    models = [edge_sdk.load(path, threads) for path in paths]
    names = _names(paths)
    for name, model in zip(names, models):
        if [s.shape for s in model.inputs] != [s.shape for s in models[0].inputs]:
            raise InputError(f"{name} takes other inputs than {names[0]}: they cannot be compared")
    notes = []
    if samples is None:
        samples = random_samples_of(models[0], _SAMPLES)
        notes.append("no --data: agreement is on random values and says little about real ones")
    times = timing.in_turn(models, samples, lambda done, total: tell("timing", done, total))
    reference: tuple[Any, ...] | None = None
    qualities, alike = [], []
    for name, model in zip(names, models):  # one after another: results of many models may not fit
        outputs = results(model, samples, lambda done, n=name: tell(n, done, len(samples)))  # type: ignore[misc]
        reference = outputs if reference is None else reference
        qualities.append(quality(outputs, samples))
        alike.append(agreement(outputs, reference, samples))
    if samples.labels is None:
        notes.append("no labels: how right the models are cannot be told, only how alike")
    for name, each in zip(names, qualities):
        if list(each) != list(qualities[0]):
            raise InputError(f"{name} gives other results than {names[0]}: they cannot be compared")
    notes += _uncertain(qualities[0], samples)
    rows = []
    for i, (name, path, model) in enumerate(zip(names, paths, models)):
        p50, p95 = (float(p) for p in np.percentile(times[i], (50, 95)))
        rows.append(
            Row(
                name,
                _numbers(model, path),
                Path(path).stat().st_size,
                _arena(path),
                p50,
                p95,
                qualities[i],
                alike[i],
                energy(_runs(model, samples)) if energy else _NOBODY,
            )
        )
    notes += _slower(rows)
    marked = tuple(replace(row, beaten_by=_beaten_by(row, rows)) for row in rows)
    return Comparison(marked, threads or 0, len(samples), samples.origin, tuple(notes))


def _names(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """The files' stems, or as much of their paths as tells them apart."""
    stems = [Path(p).stem for p in paths]
    return stems if len(set(stems)) == len(stems) else [os.fspath(p) for p in paths]


def _runs(model: edge_sdk.Model, samples: Samples) -> Callable[[], object]:
    session = model.session()
    for i, value in enumerate(samples.arrays(0, model.inputs)):
        session.input(i)[...] = value
    return session.invoke


def _arena(path: str | os.PathLike[str]) -> int | None:
    try:
        return int(native.load(os.fspath(path), 1).plan.arena_bytes)
    except EdgeError:
        return None


def _numbers(model: edge_sdk.Model, path: str | os.PathLike[str]) -> str:
    """The types of the main graph's constants that weigh most, and of its activations."""
    program = native.load(os.fspath(path), 1)
    sizes: dict[str, int] = {}
    constants = program.constants()
    for tensor, details in enumerate(program.parsed.tensors()):
        if tensor in constants and details["bytes"] > 16:
            sizes[str(details["dtype"])] = sizes.get(str(details["dtype"]), 0) + int(details["bytes"])
    weights = max(sizes, key=sizes.__getitem__, default="none")
    activations = str(model.inputs[0].dtype)
    return weights if weights == activations else f"{activations}, weights {weights}"


def _uncertain(measures: Mapping[str, float], samples: Samples) -> list[str]:
    """What labels cannot tell: nothing where none of the measures suits them, little where they are few."""
    if not measures:
        reason = "the labels suit none of the measures that there are"
        return [] if samples.labels is None else [f"{reason}: how right the models are cannot be told"]
    if "top-1" not in measures:
        return []
    count = len(samples) + 4  # two right ones and two wrong ones more: Agresti and Coull 1998
    share = (measures["top-1"] * len(samples) + 2) / count
    spread = 196 * float(np.sqrt(share * (1 - share) / count))
    few = f"{len(samples)} samples tell top-1 to about {spread:.1f} points (95 % sure)"
    return [few] if spread >= 1 else []


def _slower(rows: Sequence[Row]) -> list[str]:
    """Integers that are slower than floats: the usual sign of ops that fall back to something slow."""
    floats = [row for row in rows if row.numbers.startswith("float") and "int" not in row.numbers]
    fastest = min(floats, key=lambda row: row.p50_ms, default=None)
    if fastest is None:
        return []
    return [
        f"{row.name} is quantized, but slower than {fastest.name}: {row.p50_ms:.3f}, {fastest.p50_ms:.3f} ms"
        for row in rows
        if "int" in row.numbers and row.p50_ms > fastest.p50_ms * (1 + _SAME)
    ]


def _beaten_by(row: Row, rows: Sequence[Row]) -> str | None:
    for other in rows:
        if other is row:
            continue
        pairs = [(-other.score, -row.score), (other.bytes, row.bytes)]
        pairs += [
            (theirs, own)  # only what is known of both
            for theirs, own in ((other.arena_bytes, row.arena_bytes), (other.joules, row.joules))
            if theirs is not None and own is not None
        ]
        as_fast = other.p50_ms <= row.p50_ms * (1 + _SAME)
        better = other.p50_ms < row.p50_ms * (1 - _SAME) or any(theirs < own for theirs, own in pairs)
        if better and as_fast and all(theirs <= own for theirs, own in pairs):
            return other.name
    return None
