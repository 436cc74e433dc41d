"""Tencent's ncnn. It reads .param and .bin only: somebody has to convert the model first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_sdk.bench.peers import ModelFile, converted, imported
from edge_sdk.errors import BackendError
from edge_sdk.types import Array


class Ncnn:
    """See `edge_sdk.bench.peers.Peer`. Takes MODEL.param and MODEL.bin beside MODEL.tflite.

    ncnn has no batch and its pictures are planar, so the converted model takes each float input without
    the batch and with channels first, and gives its outputs so.
    """

    def __init__(self, model: ModelFile, threads: int) -> None:
        ncnn = imported("ncnn")
        param, weights = converted(model, ".param", "ncnn"), converted(model, ".bin", "ncnn")
        if any(spec.dtype != np.float32 for spec in (*model.inputs, *model.outputs)):
            raise BackendError("ncnn takes and gives float32 only")
        self._mat = ncnn.Mat
        self._net = ncnn.Net()
        self._net.opt.num_threads = threads
        if self._net.load_param(param) or self._net.load_model(weights):
            raise BackendError(f"ncnn refuses {param}")
        self._shapes = [spec.shape for spec in model.outputs]

    def write(self, arrays: Sequence[Array]) -> None:
        # A Mat does not keep the array alive that it was made from.
        self._feed = [self._mat(np.ascontiguousarray(_planar(a))).clone() for a in arrays]

    def run(self) -> None:
        extractor = self._net.create_extractor()
        for name, mat in zip(self._net.input_names(), self._feed):
            extractor.input(name, mat)
        self._results = [extractor.extract(name)[1] for name in self._net.output_names()]

    def outputs(self) -> list[Array]:
        return [_unplanar(np.array(m), shape) for m, shape in zip(self._results, self._shapes)]


def _planar(array: Array) -> Array:
    planar: Array = np.moveaxis(array[0], -1, 0) if array.ndim == 4 else array[0]
    return planar


def _unplanar(array: Array, shape: tuple[int, ...]) -> Array:
    return (np.moveaxis(array, 0, -1) if len(shape) == 4 else array).reshape(shape)
