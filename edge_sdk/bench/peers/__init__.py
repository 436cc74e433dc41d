"""The runtimes that can be measured beside ours, one module each, imported on first use.

A new one needs its module and its line in `PEERS`.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edge_sdk import lazy
from edge_sdk.backends import native as engine
from edge_sdk.errors import BackendError, InputError
from edge_sdk.types import Array, TensorSpec

PEERS = {
    "litert": "edge_sdk.bench.peers.litert:Litert",
    "openvino": "edge_sdk.bench.peers.openvino:Openvino",
    "mnn": "edge_sdk.bench.peers.mnn:Mnn",
    "ncnn": "edge_sdk.bench.peers.ncnn:Ncnn",
    "onnxruntime": "edge_sdk.bench.peers.onnxruntime:OnnxRuntime",
}
# What `measure` uses beside them: the runtime under test, and the judge of its results.
_OWN = {
    "native": "edge_sdk.bench.peers.native:Native",
    "reference": "edge_sdk.bench.peers.litert:Reference",
}


@dataclass(frozen=True)
class ModelFile:
    """A .tflite file with what it takes and gives, in its order."""

    path: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


class Peer(Protocol):
    """A model loaded into a runtime; made from a `ModelFile` and a number of threads. Only `run` is timed."""

    def write(self, arrays: Sequence[Array]) -> None:
        """Sets the inputs, in the file's order."""

    def run(self) -> None:
        """Computes the outputs."""

    def outputs(self) -> list[Array]:
        """Copies of the outputs, in the file's order."""


def model_file(path: str | os.PathLike[str]) -> ModelFile:
    """The file's inputs and outputs; `ModelError` if it is missing or no model."""
    program = engine.load(os.fspath(path), 1)
    tensors = program.tensors()
    inputs, outputs = ([tensors[i] for i in which] for which in (program.inputs(), program.outputs()))
    return ModelFile(os.fspath(path), tuple(inputs), tuple(outputs))


def known(name: str) -> str:
    """The `"module:Class"` of a runtime; `InputError` if none has that name."""
    for names in (PEERS, _OWN):
        if name in names:
            return names[name]
    raise InputError(f"no runtime is named {name!r}; there are {', '.join(PEERS)}")


def open_peer(name: str, model: ModelFile, threads: int) -> Peer:
    """The model in the runtime named; raises `EdgeError`, or what that runtime raises, if it cannot run."""
    peer: Peer = lazy.load(known(name))(model, threads)
    return peer


def imported(module: str, package: str = "") -> Any:
    """A peer's module, or a `BackendError` that says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as problem:
        hint = f"pip install {package or module}"
        raise BackendError(f"{package or module} cannot be imported ({problem}): {hint}") from None


def converted(model: ModelFile, suffix: str, reader: str) -> str:
    """The file beside the model that holds it in a peer's own format; `BackendError` if there is none."""
    path = os.path.splitext(model.path)[0] + suffix
    if not os.path.isfile(path):
        raise BackendError(f"{reader} reads no .tflite; put the converted model beside it as {path}")
    return path
