"""Intel's OpenVINO, which reads .tflite itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_sdk.bench.peers import ModelFile, imported
from edge_sdk.errors import BackendError
from edge_sdk.types import Array, TensorSpec


class Openvino:
    """See `edge_sdk.bench.peers.Peer`."""

    def __init__(self, model: ModelFile, threads: int) -> None:
        openvino = imported("openvino")
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",  # its own choice may be bfloat16
        }
        try:
            compiled = openvino.Core().compile_model(model.path, "CPU", options)
            self._request = compiled.create_infer_request()
            self._inputs = self._tensors(compiled.inputs, model.inputs)
            self._request.infer()
            self._outputs = self._tensors(compiled.outputs, model.outputs)
        except RuntimeError as problem:
            reason = str(problem).strip().splitlines()[-1]
            raise BackendError(f"OpenVINO refuses the model: {reason}") from None
        self.run = self._request.infer

    def _tensors(self, ports: Sequence[Any], specs: Sequence[TensorSpec]) -> list[Any]:
        """One per spec: ports bear the names of the file, but not always in its order."""
        by_name = {name: port for port in ports for name in port.names}
        return [self._request.get_tensor(by_name.get(s.name, ports[i])) for i, s in enumerate(specs)]

    def write(self, arrays: Sequence[Array]) -> None:
        for tensor, array in zip(self._inputs, arrays):
            tensor.data[...] = array

    def outputs(self) -> list[Array]:
        return [np.array(tensor.data) for tensor in self._outputs]
