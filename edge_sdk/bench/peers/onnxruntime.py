"""Microsoft's ONNX Runtime. It reads .onnx only: somebody has to convert the model first."""

from __future__ import annotations

from collections.abc import Sequence

from edge_sdk.bench.peers import ModelFile, converted, imported
from edge_sdk.errors import BackendError
from edge_sdk.types import Array


class OnnxRuntime:
    """See `edge_sdk.bench.peers.Peer`. Takes MODEL.onnx beside MODEL.tflite, with the same tensors."""

    def __init__(self, model: ModelFile, threads: int) -> None:
        ort = imported("onnxruntime")
        file = converted(model, ".onnx", "ONNX Runtime")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as problem:  # its exceptions have no base class of their own
            raise BackendError(f"ONNX Runtime refuses {file}: {problem}") from None
        self._names = [i.name for i in self._session.get_inputs()]
        shapes = [tuple(i.shape) for i in self._session.get_inputs()]
        if shapes != [spec.shape for spec in model.inputs]:
            raise BackendError(f"{file} has inputs of shape {shapes}, not those of the model")

    def write(self, arrays: Sequence[Array]) -> None:
        self._feed = dict(zip(self._names, arrays))

    def run(self) -> None:
        self._results = self._session.run(None, self._feed)

    def outputs(self) -> list[Array]:
        return list(self._results)
