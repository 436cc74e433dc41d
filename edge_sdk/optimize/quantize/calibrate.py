"""What values the tensors of a float model take: from running it on samples with every tensor kept."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from edge_sdk.backends import native
from edge_sdk.backends.delegates import interpreter_module
from edge_sdk.errors import BackendError, EdgeError, InputError
from edge_sdk.optimize.data import Progress, Samples
from edge_sdk.types import Array, TensorSpec

METHODS = ("mse", "percentile", "minmax")
Ranges = dict[str, tuple[float, float]]

_NOTHING = 1e-6
_BINS = 2048
_COUNTED = 96  # samples for histograms
_VALUES = 20_000  # of one tensor and sample for histograms, at most
_TAIL = 1e-4  # share of the values that the percentile method leaves outside, both ends together
_SHRINKS = np.linspace(0.3, 1.0, 57)  # of the range, that the mse method tries


class Observed:
    """A model of which every computed tensor can be read after a run."""

    def __init__(self, model: bytes) -> None:
        program = native.load(model, 1)
        self._ours = None if program.missing() else program.runner({}, preserve_all=True)
        if self._ours is None:
            module = interpreter_module()
            with _litert():
                self._theirs = module.Interpreter(
                    model_content=model, num_threads=1, experimental_preserve_all_tensors=True
                )
                self._theirs.allocate_tensors()
        specs = program.tensors()
        self.inputs: Sequence[TensorSpec] = [specs[i] for i in program.inputs()]
        made = [t for node in program.parsed.nodes(0) for t in node["outputs"]]
        self._specs = {t: specs[t] for t in dict.fromkeys([*program.inputs(), *made])}

    def run(self, arrays: Sequence[Array]) -> Iterator[tuple[TensorSpec, Array]]:
        """Every tensor that can be read, computed from these inputs; valid until the next run."""
        for spec, array in zip(self.inputs, arrays):
            if self._ours is not None:
                self._ours.view(spec.index)[...] = array
            else:
                self._theirs.set_tensor(spec.index, array)
        if self._ours is not None:
            self._ours.run()
        else:
            with _litert():
                self._theirs.invoke()
        for tensor, spec in list(self._specs.items()):
            try:
                value = self._ours.view(tensor) if self._ours is not None else self._theirs.get_tensor(tensor)
            except (EdgeError, ValueError):
                del self._specs[tensor]  # folded away, or of a type without a view
                continue
            yield spec, value


@contextlib.contextmanager
def _litert() -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that tensors are kept, as they must be here
            yield
    except (RuntimeError, ValueError) as problem:
        raise BackendError(f"LiteRT failed while running the model: {problem}") from problem


def watch(model: bytes, samples: Samples, progress: Progress = lambda done: None) -> Iterator[dict[str, Any]]:
    """Tensor name -> value, for each sample."""
    observed = Observed(model)
    for i in range(len(samples)):
        yield {spec.name: value for spec, value in observed.run(samples.arrays(i, observed.inputs))}
        progress(i + 1)


def ranges(
    model: bytes, samples: Samples, methods: Sequence[str], progress: Progress = lambda done: None
) -> dict[str, Ranges]:
    """Method -> tensor name -> the range to quantize it for. Integer tensors have none."""
    found: dict[str, tuple[float, float]] = {}
    for values in watch(model, samples, progress):
        for name, value in values.items():
            if value.dtype != np.float32 or not value.size:
                continue
            low, high = float(value.min()), float(value.max())
            if not np.isfinite([low, high]).all():
                raise InputError(
                    f"tensor {name} is not finite for a sample of {samples.origin}: "
                    "give samples in the unit of the model's input"
                )
            known = found.get(name, (low, high))
            found[name] = min(low, known[0]), max(high, known[1])
    # A tensor that is always 0 would get a scale that kernels refuse.
    found = {n: pair if max(map(abs, pair)) > _NOTHING else (0.0, 1.0) for n, pair in found.items()}
    made: dict[str, Ranges] = {"minmax": found}
    if set(methods) - {"minmax"}:
        counts = _histograms(model, samples, found)
        for method, fit in (("percentile", _percentile), ("mse", _least_error)):
            made[method] = found | {name: fit(counted, *found[name]) for name, counted in counts.items()}
    return {method: made[method] for method in methods}


def _histograms(model: bytes, samples: Samples, extents: Ranges) -> dict[str, Array]:
    """How many of some of the values lie in each of `_BINS` equal parts of a tensor's range."""
    counts = {name: np.zeros(_BINS, np.int64) for name, (low, high) in extents.items() if high > low}
    picked = samples.take(np.linspace(0, len(samples) - 1, min(_COUNTED, len(samples))).astype(int))
    for values in watch(model, picked):
        for name, counted in counts.items():
            flat = values[name].reshape(-1)
            flat = flat[:: -(-flat.size // _VALUES)]
            low, high = extents[name]
            places = ((flat - low) * (_BINS / (high - low))).astype(np.int64)
            counted += np.bincount(np.minimum(places, _BINS - 1), minlength=_BINS)
    return counts


def _percentile(counts: Array, low: float, high: float) -> tuple[float, float]:
    edges = np.linspace(low, high, _BINS + 1)
    below = np.cumsum(counts) / counts.sum()
    first = int(np.searchsorted(below, _TAIL / 2, side="right"))
    last = int(np.searchsorted(below, 1 - _TAIL / 2))
    return float(edges[min(first, last)]), float(edges[max(first, last) + 1])


def _least_error(counts: Array, low: float, high: float) -> tuple[float, float]:
    """The range, shrunk, whose 256 codes are nearest to the values on average."""
    centres = (np.arange(_BINS) + 0.5) * (high - low) / _BINS + low

    def error(shrink: float) -> float:
        bottom, top = min(low * shrink, 0.0), max(high * shrink, 0.0)
        step = max(top - bottom, 1e-30) / 255
        codes = np.clip(np.round((centres - bottom) / step), 0, 255)
        apart = np.abs(codes * step + bottom - centres)
        # Within a bin the error of rounding is at least that of a uniform spread.
        return float((counts * np.maximum(apart**2, step**2 / 12)).sum())

    best = float(_SHRINKS[int(np.argmin([error(s) for s in _SHRINKS]))])
    return low * best, high * best
