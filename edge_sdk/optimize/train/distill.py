"""Distillation: a student learns what a teacher says, beside a control that learns from the labels alone.

Both get the same number of tuning trials, steps and seeds; test samples are seen by neither.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Callable

import numpy as np
import torch

from edge_sdk import model as models
from edge_sdk.errors import InputError
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.data import Samples, results
from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.judge import DIFFERENCE, Judge
from edge_sdk.optimize.metrics import is_probabilities
from edge_sdk.optimize.quantize import quantize
from edge_sdk.optimize.train.fit import Settings, fit, outputs_of, quality
from edge_sdk.optimize.train.lessons import NO_LABEL, Lesson, class_numbers, lesson
from edge_sdk.optimize.train.students import Student, open_student
from edge_sdk.types import Array

TUNING_SHARE = 0.2  # of the samples: trials are compared by them
TRIAL_SHARE = 0.25  # of the steps: how long a trial is

Say = Callable[[str, int, int], None]  # what is done, steps done, steps in all


@dataclass(frozen=True)
class Arm:
    """What one way of training came to."""

    settings: Settings  # the best of the trials
    trials: int
    scores: tuple[float, ...]  # on the test samples, one a seed

    @property
    def mean(self) -> float:
        return float(np.mean(self.scores))

    @property
    def spread(self) -> float:
        """The standard deviation over the seeds."""
        return float(np.std(self.scores, ddof=1)) if len(self.scores) > 1 else 0.0


@dataclass(frozen=True)
class Distilled:
    """The student, and what teaching it was worth."""

    model: bytes  # of the first seed; the student as it came, where that was better
    quantized: bytes | None  # the same in int8, where that was asked for
    metric: str  # as `judge.Quality.measure`: "top-1", "agreement" with the teacher, "difference", ...
    teacher_score: float  # on the test samples
    taught: Arm
    control: Arm | None  # None where there are no labels to learn from
    file_score: float  # of `model`, run by this project's runtime
    first_seed_score: float  # of what the first seed came to, run likewise
    before_score: float | None  # of the student as it came; None for one that was made anew
    quantized_score: float | None  # of `quantized`
    samples: int
    labelled: int
    test_samples: int
    steps: int  # of one training
    bytes: tuple[int, int]  # of teacher and student
    macs: tuple[int, int]

    @property
    def gap_closed(self) -> float | None:
        """Share of the way from the control to the teacher; None where there is no such way."""
        if self.control is None:
            return None
        gap = self._gain(self.teacher_score)
        return self._gain(self.taught.mean) / gap if gap > 0 else None

    @property
    def spoilt(self) -> bool:
        """Whether the student was better before, so that `model` is what it was."""
        return self.before_score is not None and self._better(self.before_score, self.first_seed_score) > 0

    @property
    def helped(self) -> bool:
        """Whether the student does better than its control, if there is one, and than it did before."""
        return not self.spoilt and (self.control is None or self._gain(self.taught.mean) > 0)

    def _gain(self, score: float) -> float:
        """By how much a score is better than the control's."""
        assert self.control is not None
        return self._better(score, self.control.mean)

    def _better(self, score: float, than: float) -> float:
        return than - score if self.metric == DIFFERENCE else score - than

    def to_dict(self) -> dict[str, Any]:
        found = {k: v for k, v in asdict(self).items() if k not in ("model", "quantized")}
        found["quantized_bytes"] = None if self.quantized is None else len(self.quantized)
        for name in ("taught", "control"):
            arm = getattr(self, name)
            if arm is not None:
                found[name] |= {"mean": arm.mean, "spread": arm.spread, "from_teacher": name == "taught"}
        return {**found, "gap_closed": self.gap_closed, "helped": self.helped, "spoilt": self.spoilt}


def distill(
    teacher: bytes,
    student: str,
    samples: Samples,
    test: Samples,
    epochs: float = 10,
    trials: int = 6,
    seeds: int = 3,
    augment: tuple[str, ...] = (),
    int8: bool = False,
    say: Say = lambda what, done, total: None,
) -> Distilled:
    """Teaches `student` (see `students.open_student`) by what `teacher` gives for `samples`.

    Labels of `samples` are used where they are there; `NO_LABEL` marks a sample that has none. `epochs`
    counts passes over all samples; the control trains for as many steps, on those with labels. `int8`
    quantizes the student as well, calibrated with `samples`.
    """
    master = models.load(teacher)
    say("asking the teacher", 0, len(samples))
    taught = results(master, samples, lambda done: say("asking the teacher", done, len(samples)))
    classes = _classes(taught, samples.labels)
    pupil = open_student(student, master, int(taught[0][0].size), is_probabilities(taught[0]))
    say("writing the student once, untrained", 0, 1)
    pupil.save(pupil.make(0))  # what cannot be written is told now, not after the training
    everything = lesson(samples, taught, classes)
    labels = _labelled(samples, classes, int(taught[0][0].size))
    known = lesson(labels, None, classes) if labels is not None else None
    test = _labelled(test, classes, int(taught[0][0].size)) or replace(test, labels=None)
    if classes:  # that is known of the teacher even where its scores are no probabilities
        test = replace(test, classes=test.classes or tuple(map(str, range(classes))))
    judge = Judge(master, test)

    batch = min(64, max(len(samples) // 8, 2))
    steps = max(round(epochs * len(samples) / batch), 1)
    base = Settings(rate=pupil.rate, batch=batch)
    arms: dict[str, Arm] = {}
    model = b""
    for name, want, choices in (
        ("student", everything, _taught_choices(base, augment, known is not None and bool(classes))),
        ("control", known, _control_choices(base, augment)),
    ):
        if want is None:
            continue
        settings = replace(best_of(pupil, want, choices[:trials], steps, name, say), batch=batch)
        scores = []
        for seed in range(seeds):
            network = _trained(pupil, want, settings, steps, seed, f"{name}, seed {seed}", say)
            scores.append(judge.of([np.asarray(y) for y in outputs_of(network, _tensors(test))]).after)
            if name == "student" and seed == 0:
                model = pupil.save(network)
        arms[name] = Arm(settings, min(trials, len(choices)), tuple(scores))
    before = None if pupil.given is None else judge(models.load(pupil.given)).after
    score = judge(models.load(model)).after
    found = Distilled(
        model=model,
        quantized=None,
        metric=judge.measure,
        teacher_score=judge.of(judge.expected).after,
        taught=arms["student"],
        control=arms.get("control"),
        file_score=score,
        first_seed_score=score,
        before_score=before,
        quantized_score=None,
        samples=len(samples),
        labelled=0 if labels is None else len(labels),
        test_samples=len(test),
        steps=steps,
        bytes=(len(teacher), len(model)),
        macs=(_macs(teacher), _macs(model)),
    )
    if found.spoilt and pupil.given is not None and before is not None:
        found = replace(found, model=pupil.given, file_score=before, bytes=(len(teacher), len(pupil.given)))
    if int8:
        small = quantize(found.model, replace(samples, labels=None)).model
        found = replace(found, quantized=small, quantized_score=judge(models.load(small)).after)
    return found


def best_of(
    student: Student, want: Lesson, choices: Sequence[Settings], steps: int, name: str, say: Say
) -> Settings:
    """The settings whose short training does best on a held-out part."""
    if len(choices) == 1:
        return choices[0]
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(want)))
    held = max(round(TUNING_SHARE * len(want)), 1)
    kept, studied = want.take(order[:held]), want.take(order[held:])
    short = max(round(TRIAL_SHARE * steps), 1)
    found = []
    for i, settings in enumerate(choices):
        what = f"{name}, trial {i + 1} of {len(choices)}"
        network = _trained(student, studied, settings, short, 0, what, say)
        found.append(quality(network, kept))
    return choices[max(range(len(choices)), key=found.__getitem__)]


def _trained(
    student: Student, want: Lesson, settings: Settings, steps: int, seed: int, what: str, say: Say
) -> Any:
    network = student.make(seed)
    fit(network, want, settings, steps, seed, lambda done: say(what, done, steps))
    return network


def _taught_choices(base: Settings, augment: tuple[str, ...], labelled: bool) -> list[Settings]:
    """What to try for the student, the usual first, the others in an order that is always the same."""
    return _choices(
        base,
        rate=(base.rate, 3 * base.rate),
        temperature=(2.0, 1.0, 4.0, 8.0),
        alpha=(0.9, 0.5) if labelled else (1.0,),
        augment=tuple(dict.fromkeys((augment, ()))),
    )


def _control_choices(base: Settings, augment: tuple[str, ...]) -> list[Settings]:
    return _choices(
        base,
        rate=(base.rate, 3 * base.rate, base.rate / 3),
        decay=(base.decay, 0.1, 1.0),
        augment=tuple(dict.fromkeys((augment, ()))),
    )


def _choices(base: Settings, **values: tuple[Any, ...]) -> list[Settings]:
    found = [replace(base, **dict(zip(values, mix))) for mix in itertools.product(*values.values())]
    order = np.random.default_rng(0).permutation(len(found) - 1) + 1
    return [found[0], *(found[i] for i in order)]


def _classes(taught: tuple[Array, ...], labels: Array | None) -> int:
    """How many classes there are to tell apart, 0 where values are to be met."""
    if len(taught) > 1 or taught[0].ndim != 2 or taught[0].shape[1] < 2:
        return 0
    numbered = labels is not None and labels.dtype.kind in "iu" and labels.ndim == 1
    return taught[0].shape[1] if numbered or is_probabilities(taught[0]) else 0


def _labelled(samples: Samples, classes: int, outputs: int) -> Samples | None:
    if samples.labels is None:
        return None
    if not classes:
        if samples.labels.size != outputs * len(samples):
            raise InputError(
                f"labels are {list(samples.labels.shape)}; the teacher gives {outputs} values a sample"
            )
        return samples
    numbers = class_numbers(samples.labels, classes)
    which = np.flatnonzero(numbers != NO_LABEL)
    return replace(samples, labels=numbers).take(which) if len(which) > 1 else None


def _tensors(samples: Samples) -> tuple[Any, ...]:
    return tuple(torch.from_numpy(np.ascontiguousarray(x)) for x in samples.inputs)


def _macs(model: bytes) -> int:
    graph = Graph(tflite_file.read(model))
    return sum(graph.macs(op) for op in graph.ops)
