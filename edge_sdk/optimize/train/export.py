"""From a torch module to a float `.tflite`."""

from __future__ import annotations

import logging
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
    """A torch module with one input as a float .tflite; `example` [1, ...] fixes its shape."""
    import torch

    return convert(network.eval(), (torch.from_numpy(example),))


def load_converter() -> Any:
    """The module litert_torch; `BackendError` where it is not installed."""
    with quiet():
        try:
            import litert_torch
        except ImportError as error:
            raise BackendError(
                f"litert-torch, which writes networks of PyTorch as .tflite, is not installed ({error}): "
                "pip install 'edge-sdk-runtime[train]'"
            ) from error
    return litert_torch


def convert(network: Any, inputs: tuple[Any, ...]) -> bytes:
    """A torch module, in evaluation mode, as a float .tflite that takes tensors of these shapes and types."""
    converter = load_converter()
    with quiet(), tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.tflite")
        try:
            converter.convert(network, inputs).export(path)
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
    for kind, tensors in (("input", graph.inputs), ("output", graph.outputs)):
        names |= {t: kind if len(tensors) == 1 else f"{kind}_{i}" for i, t in enumerate(tensors)}
    for index, name in names.items():
        graph.main.tensors[index].name = name
    (signature,) = tree.signatureDefs
    for entry in (*signature.inputs, *signature.outputs):
        entry.name = names[entry.tensorIndex]


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps from the screen what torch and the converter's libraries tell of each step, in C++ too."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # a log's handler may hold another stream than those below
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
            logging.disable(disabled)
            for place, stream in enumerate(saved, start=1):
                os.dup2(stream, place)
                os.close(stream)
