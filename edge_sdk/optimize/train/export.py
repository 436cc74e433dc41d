"""From a trained torch module to a float `.tflite`."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from edge_sdk.errors import BackendError, ModelError
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.graph import Graph
from edge_sdk.types import Array


def export(network: Any, example: Array) -> bytes:
    """A torch module with one input and output as a float .tflite; `example` [1, ...] fixes its shape."""
    import torch

    with _quiet(), tempfile.TemporaryDirectory() as folder:
        try:
            import litert_torch
        except ImportError as error:
            raise BackendError(
                f"litert-torch, which writes trained networks as .tflite, is not installed ({error}): "
                "pip install 'edge-sdk-runtime[train]'"
            ) from error
        path = os.path.join(folder, "model.tflite")
        try:
            litert_torch.convert(network.eval(), (torch.from_numpy(example),)).export(path)
        except Exception as error:  # whatever the converter stumbles over; its first line says most
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ModelError(f"litert-torch cannot convert the network: {reason}") from error
        tree = tflite_file.read(path)
    _rename(tree)
    return tflite_file.write(tree)


def _rename(tree: Any) -> None:
    """Short tensor names: the converter's repeat the module path of each layer, hundreds of characters."""
    graph = Graph(tree)
    names: dict[int, str] = {}
    for position, op in enumerate(graph.ops):
        name = f"{graph.kind(op).lower()}_{position}"
        names[graph.op_outputs(op)[0]] = name
        _, *parameters = graph.op_inputs(op)
        roles = ("weights", "bias") if len(parameters) == 2 else ("parameter",)
        for role, tensor in zip(roles, parameters):
            names[tensor] = f"{name}/{role}"
    names[graph.inputs[0]], names[graph.outputs[0]] = "input", "output"
    for index, name in names.items():
        graph.main.tensors[index].name = name
    signature = tree.signatureDefs[0]
    signature.inputs[0].name, signature.outputs[0].name = "input", "output"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps from the screen what the converter's libraries tell of each step, in C++ too."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with open(os.devnull, "w") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        try:
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                yield
        finally:
            for place, stream in enumerate(saved, start=1):
                os.dup2(stream, place)
                os.close(stream)
