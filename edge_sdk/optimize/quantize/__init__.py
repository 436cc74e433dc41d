"""Quantize a float `.tflite`: litert-quantizer rewrites the file; what it lacks is here.

    quantized = quantize("model.tflite", open_samples("pictures/", edge_sdk.load("model.tflite")))
    Path("small.tflite").write_bytes(quantized.model)

Around the rewriting: any float file is brought into a form that it takes (`normal_form`), ranges come from
our own runtime (`calibrate`), weights are rounded with their errors made good (`layers`), channels evened
out where that helps (`equalize`), what it cost is measured (`report`), and a mix of numbers is searched
that keeps an accuracy target (`search`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from edge_sdk.errors import InputError
from edge_sdk.model import Model, load
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.data import Samples, random_samples_of
from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.judge import AGREEMENT, DIFFERENCE, Judge, Quality
from edge_sdk.optimize.quantize import calibrate
from edge_sdk.optimize.quantize.candidates import Candidates
from edge_sdk.optimize.quantize.equalize import channel_reach, equalize
from edge_sdk.optimize.quantize.normal_form import NormalForm, normalize
from edge_sdk.optimize.quantize.recipes import MODES, STATIC
from edge_sdk.optimize.quantize.report import Report, head_warnings, layer_reports
from edge_sdk.optimize.quantize.search import Mix, search

__all__ = ["BEST", "MODES", "Quantized", "Report", "Settings", "quantize"]

BEST = "best"
_ROOM = 2.0  # in ranges of 16 bits, for values that the samples do not show
CALIBRATION_SAMPLES = 300
_COMPARED = 96  # samples that ways to choose ranges are compared on
SEARCH_SAMPLES = 1500
HELD_OUT = 40  # samples from which on some are kept aside for measuring
_RANDOM = 16

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """How to quantize."""

    mode: str = "int8"  # one of MODES
    ranges: str = BEST  # one of calibrate.METHODS, or the one of them whose outputs err least
    float_io: bool = False  # inputs and outputs stay float in static modes
    bias_correction: bool = True
    equalization: bool | None = None  # None: where outputs err less with it
    max_drop: float | None = None  # percentage points; searches a mix, from int8


@dataclass(frozen=True)
class Quantized:
    model: bytes  # the file
    report: Report


def quantize(
    source: tflite_file.Source,
    samples: Samples | None = None,
    settings: Settings | None = None,
    tell: Tell = lambda text: None,
) -> Quantized:
    """The model at `source` with smaller numbers. `tell` hears what is being done.

    Raises `ModelError` for a file that is no model, is quantized already or cannot be; `InputError` where a
    mode needs samples and there are none; `BackendError` without litert-quantizer.
    """
    settings = settings or Settings()
    _check(settings, samples)
    content = tflite_file.raw(source)
    notes: list[str] = []
    seen, held_out = _parts(samples, notes)
    reference = load(content, threads=1)
    learnt = None if seen is None else seen.take(slice(CALIBRATION_SAMPLES))
    candidates = _prepared(content, settings, learnt, reference, tell)
    model = candidates.model
    notes = [*model.notes, *notes]
    tell("quantizing")
    mix: Mix | None = None
    quality: Quality | None = None
    judge = None if held_out is None else Judge(reference, held_out)
    if settings.max_drop is not None and seen is not None and judge is not None:
        mix = search(candidates, Judge(reference, seen.take(slice(SEARCH_SAMPLES))), settings.max_drop, tell)
        mix = _confirmed(candidates, mix, judge, settings.max_drop, tell)
        quantized, quality = mix.model, mix.quality
    else:
        quantized = candidates.make()
    file = model.finish(quantized)
    if judge is not None and quality is None:
        tell("measuring")
        quality = judge(load(file, threads=1))
    tell("comparing layers")
    compared = held_out if held_out is not None else random_samples_of(reference, _RANDOM)
    why = {} if mix is None else _why(model.graph, mix)
    layers = layer_reports(model.graph, model.content(), quantized, compared, model.names, why)
    warnings = head_warnings(model.graph, model.content(), compared, model.names) if candidates.ranges else []
    report = Report(
        mode="mixed" if mix and mix.choices else settings.mode,
        bytes_before=len(content),
        bytes_after=len(file),
        quality=quality,
        layers=tuple(layers),
        notes=(*notes, *_left_float(model), *_blind_spots(quality, samples)),
        warnings=tuple(warnings),
        max_drop=settings.max_drop,
        met=mix is None or mix.met,
        settings=asdict(settings),
    )
    return Quantized(file, report)


def _prepared(
    content: bytes, settings: Settings, samples: Samples | None, reference: Model, tell: Tell
) -> Candidates:
    """What models are made from: the one of the ways that errs least on the samples."""
    evened = [bool(settings.equalization)]
    if settings.equalization is None and settings.mode in STATIC:
        evened = [False, True]
    found: list[tuple[float, Candidates]] = []
    tell("calibrating")
    for even in evened:
        model = normalize(content)
        if even and samples is not None:
            some = samples.take(slice(_COMPARED))
            pairs = equalize(model.graph, channel_reach(model.graph, model.content(), some))
            if not pairs and found:
                break
            model.notes += (f"channels evened out between {pairs} pairs of layers",)
        candidates = Candidates(model, settings.mode, samples, settings.bias_correction, settings.float_io)
        error = 0.0
        if settings.mode in STATIC and samples is not None:
            error = _choose_ranges(candidates, settings.ranges, reference, samples)
        found.append((error, candidates))
    return min(found, key=lambda each: each[0])[1]


def _choose_ranges(candidates: Candidates, method: str, reference: Model, samples: Samples) -> float:
    """Gives the candidates their ranges; by how much of their variance outputs err with them."""
    if method == BEST:
        methods = ("minmax",) if candidates.mode == "int16" else calibrate.METHODS
    else:
        methods = (method,)
    ranges = calibrate.ranges(candidates.model.content(), samples, (*methods, "minmax"))
    candidates.widest = {n: (_ROOM * low, _ROOM * high) for n, (low, high) in ranges["minmax"].items()}
    if method == BEST and candidates.mode == "int16":  # 16 bits have room for values beyond the samples'
        ranges = {f"{_ROOM:g} times the samples' ends": candidates.widest}
    else:
        ranges = {each: ranges[each] for each in methods}
    compared = samples.take(slice(_COMPARED))
    judge, errors = Judge(reference, compared), {}
    for each in ranges:
        candidates.ranges = ranges[each]
        errors[each] = judge.error(load(candidates.make(), threads=1), len(compared))
    best = min(errors, key=lambda each: errors[each])
    candidates.ranges = ranges[best]
    told = ", ".join(f"{each} {error:.3%}" for each, error in errors.items())
    candidates.model.notes += (f"ranges by {best} (error of the outputs, of their variance: {told})",)
    return errors[best]


def _check(settings: Settings, samples: Samples | None) -> None:
    if settings.mode not in MODES:
        raise InputError(f"mode {settings.mode!r}: it is one of {', '.join(MODES)}")
    if settings.ranges not in (BEST, *calibrate.METHODS):
        raise InputError(f"ranges {settings.ranges!r}: it is one of {', '.join((BEST, *calibrate.METHODS))}")
    if settings.equalization and samples is None:
        raise InputError("evening out channels needs samples, to learn how far each reaches: give --data")
    if settings.max_drop is not None and settings.mode != "int8":
        raise InputError(f"a greatest drop is searched for from mode int8, not from {settings.mode}")
    if settings.mode in STATIC and samples is None:
        raise InputError(
            f"mode {settings.mode} needs samples, to learn what values there are: give --data, or take mode "
            "dynamic, float16 or int4, which do without"
        )


def _parts(samples: Samples | None, notes: list[str]) -> tuple[Samples | None, Samples | None]:
    """Samples to learn from, and samples to measure on."""
    if samples is None:
        notes.append("no samples: layers are compared on random values, the loss of accuracy is not known")
        return None, None
    if len(samples) < HELD_OUT:
        notes.append(
            f"only {len(samples)} samples: none are kept aside, it is measured on those it learnt from"
        )
        return samples, samples
    return samples.split(0.5)


def _confirmed(candidates: Candidates, mix: Mix, judge: Judge, target: float, tell: Tell) -> Mix:
    """The mix as it does on samples that the search has not seen; takes int4 back where that is too bad,
    and if that does not do, searches once more on all that there is to measure with.
    """
    choices, model = dict(mix.choices), mix.model
    nearest: Mix | None = None
    while True:
        tell("verifying")
        quality = judge(load(model, threads=1))
        found = Mix(choices, model, quality, mix.why, quality.drop <= target)
        if found.met:
            return found
        if nearest is None or quality.drop < nearest.quality.drop:
            nearest = found
        back = next((p for p in reversed(choices) if choices[p] == "int4"), None)  # the last to be chosen
        if back is None:
            break
        choices = {p: c for p, c in choices.items() if p != back}
        model = candidates.make(choices)
    exact = search(candidates, judge, target, tell)  # starts from int8, which is known not to do
    return exact if exact.quality.drop < nearest.quality.drop else nearest


def _why(graph: Graph, mix: Mix) -> dict[str, str]:
    """Name of a layer's result -> what made the search choose its numbers."""
    return {graph.name(graph.op_outputs(graph.ops[p])[0]): why for p, why in mix.why.items()}


def _left_float(model: NormalForm) -> list[str]:
    return [f"litert-quantizer fails on this model's {kind}, which stays float" for kind in model.left_float]


def _blind_spots(quality: Quality | None, samples: Samples | None) -> list[str]:
    if quality is None or samples is None or quality.measure not in (AGREEMENT, DIFFERENCE):
        return []
    if quality.measure == AGREEMENT:
        return ["no labels: agreement says how often the answer stays the same, not how often it is right"]
    return ["outputs are compared with the float model's; what that means for the task cannot be told"]
