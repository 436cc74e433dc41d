"""Google's LiteRT: with XNNPACK, as users get it, and its reference kernels, as the judge of results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_sdk.backends.delegates import interpreter_module
from edge_sdk.bench.peers import ModelFile
from edge_sdk.errors import BackendError
from edge_sdk.types import Array


class Litert:
    """See `edge_sdk.bench.peers.Peer`."""

    def __init__(self, model: ModelFile, threads: int, **options: Any) -> None:
        module = interpreter_module()
        try:
            self._interpreter = module.Interpreter(model.path, num_threads=threads, **options)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as problem:
            raise BackendError(f"LiteRT refuses the model: {problem}") from None
        self._inputs = [spec.index for spec in model.inputs]
        self._outputs = [spec.index for spec in model.outputs]
        self.run = self._interpreter.invoke

    def write(self, arrays: Sequence[Array]) -> None:
        for index, array in zip(self._inputs, arrays):
            self._interpreter.set_tensor(index, array)

    def outputs(self) -> list[Array]:
        return [np.array(self._interpreter.get_tensor(index)) for index in self._outputs]


class Reference(Litert):
    """The plain kernels whose integers are the definition of ours: one thread, slow."""

    def __init__(self, model: ModelFile, threads: int) -> None:
        kinds = getattr(interpreter_module(), "OpResolverType", None)
        if kinds is None:
            raise BackendError("tflite-runtime has no reference kernels: pip install ai-edge-litert")
        super().__init__(model, 1, experimental_op_resolver_type=kinds.BUILTIN_REF)
