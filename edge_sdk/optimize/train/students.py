"""What can be taught: a preset, a torch module of the user's, or a float `.tflite`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Callable, Protocol

import numpy as np
import torch

from edge_sdk import model as models
from edge_sdk.errors import InputError
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.train.export import export
from edge_sdk.optimize.train.presets import PRESETS
from edge_sdk.optimize.train.torch_files import function_of, users_code
from edge_sdk.optimize.train.torch_graph import TorchGraph

Builder = Callable[[tuple[int, ...], int], Any]  # (input shape, outputs) -> torch module giving scores


class Student(Protocol):
    """A network that can be made anew, and written."""

    @property
    def rate(self) -> float:
        """A learning rate that suits it."""

    @property
    def given(self) -> bytes | None:
        """The file that it is from the start, if it is one."""

    def make(self, seed: int) -> Any: ...
    def save(self, network: Any) -> bytes: ...


@dataclass(frozen=True)
class TorchStudent:
    """A torch module, written by litert-torch with the teacher's labels and normalization."""

    build: Builder
    shape: tuple[int, ...]
    outputs: int
    softmax: bool  # whether the file gives probabilities
    name: str
    teacher: models.Model
    rate: float = 1e-2
    given: bytes | None = None

    def make(self, seed: int) -> Any:
        with torch.random.fork_rng(devices=[]), users_code(self.name):
            torch.manual_seed(seed)
            network = self.build(self.shape, self.outputs)
        if not isinstance(network, torch.nn.Module):
            raise InputError(f"{self.name}: student() gives {type(network).__name__}, not a torch.nn.Module")
        with torch.no_grad(), users_code(f"{self.name}: the network fails on {[2, *self.shape[1:]]}"):
            made = network.eval()(torch.zeros(2, *self.shape[1:]))
        if tuple(getattr(made, "shape", ())) != (2, self.outputs):
            raise InputError(
                f"{self.name}: for two inputs {list(self.shape)} the network gives "
                f"{list(getattr(made, 'shape', ()))}, not {[2, self.outputs]}"
            )
        return network

    def save(self, network: Any) -> bytes:
        whole = torch.nn.Sequential(network, torch.nn.Softmax(-1)) if self.softmax else network
        model = export(whole, np.zeros(self.shape, np.float32))
        about = self.teacher.metadata
        unit = about.normalization
        return tflite_file.add_metadata(
            model,
            about.labels or None,
            self.name,
            f"Taught by {about.name or self.teacher.name}.",
            None if unit is None else unit.mean,
            None if unit is None else unit.std,
        )


@dataclass(frozen=True)
class GraphStudent:
    """A float `.tflite`, trained in place: each seed starts from the weights that it has."""

    given: bytes
    rate: float = 3e-3

    def make(self, seed: int) -> Any:
        return TorchGraph(self.given)

    def save(self, network: Any) -> bytes:
        written: bytes = network.written()
        return written


def open_student(where: str, teacher: models.Model, outputs: int, softmax: bool) -> Student:
    """The student that `where` names: `NAME[:WIDTH]` of PRESETS, FILE.py with `student()`, or FILE.tflite."""
    if where.endswith(".tflite"):
        with open(where, "rb") as file:
            graph = TorchGraph(model := file.read())
        wanted = [spec.shape for spec in teacher.inputs]
        if graph.input_shapes != wanted:
            raise InputError(f"{where} takes {graph.input_shapes}, the teacher {wanted}")
        if graph.output_shapes[0][-1] != teacher.outputs[0].shape[-1]:
            raise InputError(
                f"{where} gives {graph.output_shapes[0]}, the teacher {teacher.outputs[0].shape}"
            )
        return GraphStudent(model)
    if len(teacher.inputs) != 1 or len(teacher.outputs) != 1:
        raise InputError("the teacher has several inputs or outputs: give the student as a float .tflite")
    shape = teacher.inputs[0].shape
    if len(shape) < 2 or shape[0] != 1:
        raise InputError(
            f"the teacher takes {list(shape)}, not one sample [1, ...]: give the student as a float .tflite"
        )
    build, name = _builder(where)
    return TorchStudent(build, shape, outputs, softmax, name, teacher)


def _builder(where: str) -> tuple[Builder, str]:
    if where.endswith(".py"):
        build = function_of(where, "student", "input_shape, outputs")
        return build, os.path.splitext(os.path.basename(where))[0]
    name, _, width = where.partition(":")
    if name not in PRESETS or not ((width.isdecimal() and int(width) > 0) or not width):
        raise InputError(
            f"there is no student {where!r}: give a .py or .tflite file, or {', '.join(PRESETS)} "
            "with a width behind a colon if wanted, such as ds_cnn:16"
        )
    preset = PRESETS[name]
    if not width:
        return preset, name
    return lambda shape, outputs: preset(shape, outputs, int(width)), where.replace(":", "_")
