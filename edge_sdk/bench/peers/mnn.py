"""Alibaba's MNN. It reads its own format, into which the converter of its Python package turns .tflite.

The package's command `mnnconvert` reports usage and installs another package for that; the extension
module behind it does neither, so it is called directly. Models that it does not know end the process:
converting and a first run happen in one of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edge_sdk.bench.peers import ModelFile, imported
from edge_sdk.errors import BackendError
from edge_sdk.types import Array, TensorSpec

_TRY = """
import sys, _tools, MNN
_tools.mnnconvert(["mnnconvert", "-f", "TFLITE", "--modelFile", sys.argv[1], "--MNNModel", sys.argv[2],
                   "--bizCode", "edge"])
interpreter = MNN.Interpreter(sys.argv[2])
session = interpreter.createSession({"backend": "CPU"})
interpreter.getSessionInputAll(session)
interpreter.runSession(session)
"""
_TRY_S = 120


class Mnn:
    """See `edge_sdk.bench.peers.Peer`."""

    def __init__(self, model: ModelFile, threads: int) -> None:
        self._mnn = imported("MNN")
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "model.mnn")
            command = [sys.executable, "-c", _TRY, model.path, file]
            try:
                done = subprocess.run(command, capture_output=True, timeout=_TRY_S)
            except subprocess.TimeoutExpired:
                raise BackendError(f"MNN does not convert and run the model in {_TRY_S} s") from None
            if done.returncode:
                what = "MNN cannot run" if os.path.isfile(file) else "MNN's converter does not take"
                raise BackendError(f"{what} the model (status {done.returncode})")
            self._interpreter = self._mnn.Interpreter(file)
        self._session = self._interpreter.createSession({"numThread": threads, "backend": "CPU"})
        self._inputs = _in_order(self._interpreter.getSessionInputAll(self._session), model.inputs)
        self._outputs = _in_order(self._interpreter.getSessionOutputAll(self._session), model.outputs)

    def _host(self, tensor: Any, array: Array) -> Any:
        return self._mnn.Tensor(tensor.getShape(), tensor.getDataType(), array, tensor.getDimensionType())

    def write(self, arrays: Sequence[Array]) -> None:
        for (tensor, _), array in zip(self._inputs, arrays):
            tensor.copyFromHostTensor(self._host(tensor, array))

    def run(self) -> None:
        self._interpreter.runSession(self._session)

    def outputs(self) -> list[Array]:
        arrays = []
        for tensor, spec in self._outputs:
            host = self._host(tensor, np.zeros(tensor.getShape(), spec.dtype))
            tensor.copyToHostTensor(host)
            arrays.append(np.array(host.getNumpyData()))
        return arrays


def _in_order(tensors: Mapping[str, Any], specs: Sequence[TensorSpec]) -> list[tuple[Any, TensorSpec]]:
    """The session's tensors in the file's order; `BackendError` where the converter changed one."""
    ordered = []
    for spec in specs:
        tensor = tensors.get(spec.name)
        if tensor is None or tuple(tensor.getShape()) != spec.shape:
            raise BackendError(f"MNN's converter changed the shape or name of {spec.name!r}")
        have = tensor.getNumpyData().dtype
        if have != spec.dtype:
            raise BackendError(f"MNN's converter made {spec.name!r} {have}, it was {spec.dtype}")
        ordered.append((tensor, spec))
    return ordered
