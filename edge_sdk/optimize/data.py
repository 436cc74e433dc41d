"""Samples to calibrate, measure and train with: from arrays, folders of pictures, or any source.

Inputs are kept as real values, in the unit of a float model's input, so that every version of a model
(float, int8, ...) can be given the same ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from edge_sdk.errors import EdgeError, InputError
from edge_sdk.metadata import ModelMetadata
from edge_sdk.sources import open_source
from edge_sdk.tasks import inputs as task_inputs
from edge_sdk.tasks.outputs import dequantize
from edge_sdk.types import Array, Frame, TensorSpec

LABELS = "y"  # the array of an .npz file that holds the labels

_TRIED = 4  # random samples, before more are drawn alike

Progress = Callable[[int], None]  # called with the number of samples that are done


class ModelLike(Protocol):
    """The part of `edge_sdk.Model` that says what its inputs look like."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]: ...
    @property
    def metadata(self) -> ModelMetadata: ...


class Runnable(ModelLike, Protocol):
    """The part of `edge_sdk.Model` that runs it."""

    @property
    def outputs(self) -> tuple[TensorSpec, ...]: ...
    def run(self, inputs: Any) -> list[Array]: ...


@dataclass(frozen=True)
class Samples:
    """Inputs of a model, and what is known of the truth."""

    inputs: tuple[Array, ...]  # one a model's input: [n, ...]; real values, or integers such as tokens
    labels: Array | None = None  # [n, ...]: int64 [n] classes, or what else `y` holds
    classes: tuple[str, ...] = ()  # what the classes are called, where that is known
    origin: str = "random values"  # where they come from, for reports

    def __len__(self) -> int:
        return len(self.inputs[0]) if self.inputs else 0

    def take(self, which: Any) -> Samples:
        """Those that a slice or an array of indices picks."""
        labels = None if self.labels is None else self.labels[which]
        return replace(self, inputs=tuple(x[which] for x in self.inputs), labels=labels)

    def split(self, share: float, seed: int = 0) -> tuple[Samples, Samples]:
        """Two parts, picked at random; the first has `share` of them. Each has at least one."""
        order = np.random.default_rng(seed).permutation(len(self))
        first = min(max(round(share * len(self)), 1), len(self) - 1)
        return self.take(np.sort(order[:first])), self.take(np.sort(order[first:]))

    def arrays(self, i: int, specs: Sequence[TensorSpec]) -> list[Array]:
        """Sample `i` as a model with these inputs takes it: its shape, its type, quantized if it is."""
        return [_as_input(x[i], spec) for x, spec in zip(self.inputs, specs)]


def open_samples(
    where: str | os.PathLike[str], model: ModelLike, limit: int | None = None, **options: Any
) -> Samples:
    """The samples that `where` names, made for the inputs of `model`; at most `limit`, evenly picked.

    - `FILE.npz`: one array an input, by the input's name or else in order; axis 0 counts samples; `y` has
      the labels. uint8 for a float or 8-bit input are pixels and normalized as `edge-sdk run` does; all
      else is taken as the model's own real values.
    - a folder: one sub-folder of pictures a label, or just pictures. Labels are numbered as in the model's
      own list where that has all of them, else in the order of their names.
    - anything `edge_sdk.sources.open_source` knows, with `options` for it (csv: `label`, `window`, ...).

    `InputError` or `SourceError` says what does not fit.
    """
    text = os.fspath(where)
    if text.lower().endswith(".npz"):
        samples = _from_npz(text, model, limit)
    elif os.path.isdir(text) and (folders := sorted(p for p in Path(text).iterdir() if p.is_dir())):
        samples = _from_folders(text, folders, model, limit)
    else:
        samples = _from_source(text, model, limit, options)
    if not len(samples):
        raise InputError(f"{text} holds no samples")
    if limit is not None and len(samples) > limit:
        samples = samples.take(_evenly(len(samples), limit))
    return samples


def _evenly(count: int, limit: int) -> Array:
    return np.linspace(0, count - 1, limit).astype(int)


def random_samples(specs: Sequence[TensorSpec], count: int, seed: int = 0, whole: bool = False) -> Samples:
    """Where there is no data: normally distributed values, small integers for integer inputs.

    With `whole` floats are small integers too.
    """
    rng = np.random.default_rng(seed)

    def draw(spec: TensorSpec) -> Array:
        shape = (count, *_sample_shape(spec))
        if whole and spec.dtype.kind == "f":
            return rng.integers(0, 10, shape).astype(np.float32)
        if spec.quantization:
            limits = np.iinfo(spec.dtype)
            codes: Array = rng.integers(limits.min, limits.max, shape, endpoint=True)
            return dequantize(codes, spec)
        if spec.dtype.kind in "iub":
            return rng.integers(0, 2 if spec.dtype.kind == "b" else 10, shape).astype(spec.dtype)
        return rng.standard_normal(shape).astype(np.float32)

    return Samples(tuple(draw(spec) for spec in specs))


def random_samples_of(model: Runnable, count: int) -> Samples:
    """Random samples that `model` runs with: some have float inputs that are indices, as of words."""
    samples = random_samples(model.inputs, count)
    try:
        results(model, samples.take(slice(_TRIED)))
    except EdgeError:
        return random_samples(model.inputs, count, whole=True)
    return samples


def results(model: Runnable, samples: Samples, progress: Progress = lambda done: None) -> tuple[Array, ...]:
    """What `model` gives for all samples: one array an output, [n, ...] float32, dequantized."""
    found: list[Array] = []
    for i in range(len(samples)):
        outputs = model.run(samples.arrays(i, model.inputs))
        for place, (value, spec) in enumerate(zip(outputs, model.outputs)):
            real = dequantize(value, spec)
            real = real[0] if real.ndim and real.shape[0] == 1 else real
            if i == 0:
                found.append(np.empty((len(samples), *real.shape), real.dtype))
            elif real.shape != found[place].shape[1:]:
                raise InputError(
                    f"output '{spec.name}' has the shape {list(found[place].shape[1:])} for one sample and "
                    f"{list(real.shape)} for another: such models cannot be measured on samples"
                )
            found[place][i] = real
        progress(i + 1)
    return tuple(found)


def _as_input(value: Array, spec: TensorSpec) -> Array:
    shape = value.shape if len(value.shape) == len(spec.shape) else (1, *value.shape)
    if -1 not in spec.shape_signature:
        shape = spec.shape
    if spec.quantization and value.dtype.kind == "f":
        return task_inputs.quantize(value, spec.dtype, spec.quantization).reshape(shape)
    return value.astype(spec.dtype).reshape(shape)


def _sample_shape(spec: TensorSpec) -> tuple[int, ...]:
    return spec.shape[1:] if len(spec.shape) > 1 and spec.shape[0] == 1 else spec.shape


def _from_npz(path: str, model: ModelLike, limit: int | None) -> Samples:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, EOFError) as problem:
        raise InputError(f"{path}: cannot be read as .npz: {problem}") from problem
    labels = arrays.pop(LABELS, None)
    specs = model.inputs
    if all(spec.name in arrays for spec in specs):
        chosen = [arrays[spec.name] for spec in specs]
    elif len(arrays) == len(specs):
        chosen = list(arrays.values())
    else:
        raise InputError(
            f"{path} has the arrays {', '.join(arrays) or 'none'} beside '{LABELS}'; "
            f"the model's inputs are {', '.join(s.name for s in specs)}"
        )
    counts = [x.shape[0] if x.ndim else 0 for x in (*chosen, *([] if labels is None else [labels]))]
    if len(set(counts)) > 1:
        raise InputError(f"{path}: the arrays have {', '.join(map(str, counts))} samples; all need the same")
    if limit is not None and counts and counts[0] > limit:  # before they are floats, which take more memory
        which = _evenly(counts[0], limit)
        chosen, labels = [x[which] for x in chosen], None if labels is None else labels[which]
    inputs = tuple(_fitted(path, x, spec, model) for x, spec in zip(chosen, specs))
    if labels is not None and labels.dtype.kind in "iu":
        labels = labels.astype(np.int64)
    return Samples(inputs, labels, model.metadata.labels, path)


def _fitted(path: str, values: Array, spec: TensorSpec, model: ModelLike) -> Array:
    """An array of a file as real values [n, ...]."""
    want = tuple(n for n in _sample_shape(spec) if n != 1)
    open_axes = -1 in spec.shape_signature[1:]
    if not open_axes and tuple(n for n in values.shape[1:] if n != 1) != want:
        order = sorted(values.shape[1:]) == sorted(_sample_shape(spec))
        hint = ", the same sizes in this order of axes: transpose the array" if order else ""
        raise InputError(
            f"{path}: an array has shape {list(values.shape)}; input '{spec.name}' needs "
            f"[samples, {', '.join(map(str, _sample_shape(spec)))}]{hint}"
        )
    if values.dtype == np.uint8 and _takes_pixels(spec):
        return _normalized(values.reshape(len(values), *_sample_shape(spec)), spec, model)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError(f"{path}: the array for input '{spec.name}' has values that are not finite")
    real = values if spec.dtype.kind in "iub" and not spec.quantization else np.asarray(values, np.float32)
    return real if open_axes else real.reshape(len(real), *_sample_shape(spec))


def _takes_pixels(spec: TensorSpec) -> bool:
    return len(spec.shape) == 4 and (spec.dtype.kind == "f" or spec.dtype.itemsize == 1)


def _normalized(pixels: Array, spec: TensorSpec, model: ModelLike) -> Array:
    planar = spec.shape[1] in (1, 3) and spec.shape[3] not in (1, 3)
    axis = 1 if planar else 3
    tables = task_inputs.pixel_tables(
        spec.dtype, spec.quantization, model.metadata.normalization, False, spec.shape[axis]
    )
    real = np.empty(pixels.shape, np.float32)
    for channel, table in enumerate(tables):
        at = (slice(None),) * axis + (channel,)
        real[at] = dequantize(table, spec)[pixels[at]]
    return real


def _from_folders(text: str, folders: Sequence[Path], model: ModelLike, limit: int | None) -> Samples:
    names = [folder.name for folder in folders]
    known = model.metadata.labels
    order = known if set(names) <= set(known) else tuple(names)
    each = None if limit is None else -(-limit // len(folders))
    parts = [_prepared(f"pictures:{folder}", model, each, {}) for folder in folders]
    inputs = np.concatenate([part for part, _ in parts])
    labels = np.concatenate([np.full(len(part), order.index(n)) for n, (part, _) in zip(names, parts)])
    return Samples((inputs,), labels.astype(np.int64), tuple(order), text)


def _from_source(text: str, model: ModelLike, limit: int | None, options: dict[str, Any]) -> Samples:
    inputs, truth = _prepared(text, model, limit, options)
    if any(label is None for label in truth):
        return Samples((inputs,), None, model.metadata.labels, text)
    known = model.metadata.labels
    names = known if set(truth) <= set(known) else tuple(sorted(set(map(str, truth))))
    labels = np.array([names.index(str(label)) for label in truth], np.int64)
    return Samples((inputs,), labels, tuple(names), text)


def _prepared(
    where: str, model: ModelLike, limit: int | None, options: dict[str, Any]
) -> tuple[Array, list[str | None]]:
    """The frames of a source as real values [n, ...], and their labels."""
    if len(model.inputs) != 1:
        raise InputError(f"the model has {len(model.inputs)} inputs: give the samples as an .npz file")
    (spec,) = model.inputs
    if where.lower().endswith(".csv"):  # one window an input
        options = {"window": next((n for n in _sample_shape(spec) if n != 1), None), **options}
    found: list[Array] = []
    truth: list[str | None] = []
    with open_source(where, **options) as source:
        for frame in _first(source, limit):
            prepared, _ = task_inputs.prepare(
                frame, spec, model.metadata.normalization, False, "stretch", None
            )
            found.append(dequantize(prepared, spec).reshape(_sample_shape(spec)))
            truth.append(frame.label)
    if not found:
        raise InputError(f"{where} gives no samples")
    return np.stack(found), truth


def _first(frames: Iterable[Frame], limit: int | None) -> Iterator[Frame]:
    for count, frame in enumerate(frames, start=1):
        yield frame
        frame.release()
        if count == limit:
            return
