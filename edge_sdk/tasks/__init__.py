"""Tasks: what happens between a frame and a model, and between a model and a result.

A task is two pure functions, `prepare` and `decode`. Each lives in its own module, loaded on first
use; a new one needs its line in `TASKS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from edge_sdk import lazy
from edge_sdk.errors import InputError
from edge_sdk.metadata import ModelMetadata
from edge_sdk.types import Array, Frame, Geometry, Result, TensorSpec

TASKS = {
    "classify": "edge_sdk.tasks.classify:Classify",
    "detect": "edge_sdk.tasks.detect:Detect",
}


class Task(Protocol):
    """What the pipeline calls; implementations are frozen dataclasses."""

    @property
    def name(self) -> str: ...

    def prepare(self, frame: Frame, spec: TensorSpec, out: Array | None = None) -> tuple[Array, Geometry]:
        """The model's input (shape and dtype of `spec`) made from `frame`, and how it was fitted.

        With `out`, a writable array of that shape and dtype such as `session.input(0)`, the values are
        written there. `InputError` if the frame cannot be such an input.
        """
        ...

    def decode(self, outputs: Sequence[tuple[Array, TensorSpec]], geometry: Geometry) -> tuple[Result, ...]:
        """Results, best first, from the model's outputs in their order."""
        ...


class ModelLike(Protocol):
    """The part of `edge_sdk.Model` that `for_model` reads."""

    @property
    def outputs(self) -> tuple[TensorSpec, ...]: ...
    @property
    def metadata(self) -> ModelMetadata: ...


def create(
    name: str | None,
    outputs: Sequence[TensorSpec],
    labels: Sequence[str] = (),
    metadata: ModelMetadata | None = None,
    **options: Any,
) -> Task:
    """The task `name` for a model with these outputs; None looks at the outputs and decides.

    `labels` override those in `metadata`. `options` are the fields of the task's class, such as
    `top_k` or `threshold`. `InputError` for an unknown name or option, or labels that do not fit.
    """
    name = name or guess(outputs)
    if name not in TASKS:
        raise InputError(f"unknown task {name!r}; there are: {', '.join(TASKS)}")
    build = lazy.load(TASKS[name]).for_outputs
    metadata = metadata or ModelMetadata()
    task: Task = lazy.call(
        build, f"task {name}", InputError, tuple(outputs), tuple(labels), metadata, **options
    )
    return task


def for_model(model: ModelLike, name: str | None = None, labels: Sequence[str] = (), **options: Any) -> Task:
    """`create` with the outputs and the metadata of a loaded model."""
    return create(name, model.outputs, labels, model.metadata, **options)


def guess(outputs: Sequence[TensorSpec]) -> str:
    """The task that a model's outputs speak for; `InputError` if they do not say."""
    shapes = [spec.shape for spec in outputs]
    if len(shapes) == 4 and any(len(shape) == 3 and shape[2] == 4 for shape in shapes):
        return "detect"
    if len(shapes) == 1 and shapes[0] and np.prod(shapes[0]) == shapes[0][-1] > 1:
        return "classify"
    raise InputError(
        f"outputs of shape {', '.join(map(str, shapes))} do not show the task; name it: {', '.join(TASKS)}"
    )
