"""Builds small `.tflite` models for tests.

    g = GraphBuilder()
    x = g.input((1, 8, 8, 3), "int8", scale=0.5, zero_point=-3)
    w = g.constant(weights, scale=[0.1, 0.2], axis=0)  # two scales: one a channel
    y = g.tensor((1, 4, 4, 2), "int8", scale=0.25)
    g.op("CONV_2D", [x, w, None], [y], padding="VALID", strideW=2, strideH=2, fusedActivationFunction="RELU")
    model = g.build(outputs=[y])  # bytes

Options carry the schema's names; the values of its enums may be given by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np
import pytest

from edge_sdk.optimize import tflite_file

pytest.importorskip("ai_edge_litert", reason="not run for want of ai-edge-litert, which builds the models")
S = tflite_file.schema()

# Options tables that are not called as their op is.
_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "L2_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "SUM": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "SPLIT_V": "SplitVOptions",
    "PADV2": "PadV2Options",
    "L2_NORMALIZATION": "L2NormOptions",
    "REDUCE_PROD": "ReducerOptions",
    "REDUCE_ANY": "ReducerOptions",
    "REDUCE_ALL": "ReducerOptions",
    "RANDOM_UNIFORM": "RandomOptions",
    "RANDOM_STANDARD_NORMAL": "RandomOptions",
    "MULTINOMIAL": "RandomOptions",
    "BATCH_MATMUL": "BatchMatMulOptions",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
    "BIDIRECTIONAL_SEQUENCE_LSTM": "BidirectionalSequenceLSTMOptions",
    "LSTM": "LSTMOptions",
    "RNN": "RNNOptions",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "SequenceRNNOptions",
    "BIDIRECTIONAL_SEQUENCE_RNN": "BidirectionalSequenceRNNOptions",
    "CONV_3D": "Conv3DOptions",
    "CONV_3D_TRANSPOSE": "Conv3DOptions",
    "LSH_PROJECTION": "LSHProjectionOptions",
    "SVDF": "SVDFOptions",
    "TOPK_V2": "TopKV2Options",
    "SPACE_TO_BATCH_ND": "SpaceToBatchNDOptions",
    "BATCH_TO_SPACE_ND": "BatchToSpaceNDOptions",
    "HASHTABLE": "HashtableOptions",
}
_ENUMS = {
    "padding": S.Padding,
    "fusedActivationFunction": S.ActivationFunctionType,
    "inDataType": S.TensorType,
    "outDataType": S.TensorType,
    "outType": S.TensorType,
    "idxOutType": S.TensorType,
    "outputType": S.TensorType,
    "mode": S.MirrorPadMode,
    "keyDtype": S.TensorType,
    "valueDtype": S.TensorType,
    "quantizedBiasType": S.TensorType,
    "weightsFormat": S.FullyConnectedOptionsWeightsFormat,
    "kernelType": S.LSTMKernelType,
    "combiner": S.CombinerType,
    "type": S.LSHProjectionType,
    "reduceFunction": S.ReduceWindowFunction,
}

Scale = Union[float, Sequence[float], "np.ndarray[Any, Any]", None]


class GraphBuilder:
    """Collects tensors and ops of one subgraph after another; tensors are named by their index."""

    def __init__(self) -> None:
        self._model = S.ModelT(version=3, description="built by a test")
        self._model.operatorCodes = []
        self._model.buffers = [S.BufferT()]  # the format keeps number 0 for "no data"
        self._model.subgraphs = []
        self._model.signatureDefs = []
        self.subgraph("main")

    def subgraph(self, name: str) -> int:
        """Starts the next subgraph, to which all that follows belongs; its index."""
        self._graph = S.SubGraphT(name=name, tensors=[], inputs=[], outputs=[], operators=[])
        self._model.subgraphs.append(self._graph)
        return len(self._model.subgraphs) - 1

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str,
        scale: Scale = None,
        zero_point: int | Sequence[int] = 0,
        axis: int = 0,
        name: str | None = None,
        variable: bool = False,
    ) -> int:
        """An activation; `scale` may be one number or one a channel of `axis`."""
        index = len(self._graph.tensors)
        tensor = S.TensorT(
            shape=np.asarray(shape, np.int32),
            type=getattr(S.TensorType, dtype.upper()),
            name=name or f"t{index}",
            isVariable=variable,
            hasRank=True,
        )
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            zero_points = np.broadcast_to(np.asarray(zero_point, np.int64), scales.shape)
            tensor.quantization = S.QuantizationParametersT(
                scale=scales, zeroPoint=np.array(zero_points), quantizedDimension=axis
            )
        self._graph.tensors.append(tensor)
        return index

    def input(self, shape: Sequence[int], dtype: str, *args: Any, **kwargs: Any) -> int:
        """As `tensor`, and listed among the subgraph's inputs."""
        index = self.tensor(shape, dtype, *args, **kwargs)
        self._graph.inputs.append(index)
        return index

    def constant(self, values: Any, *args: Any, **kwargs: Any) -> int:
        """A tensor that holds `values`, an array; scale, zero_point, axis and name as for `tensor`."""
        array = np.asarray(values)
        if array.dtype.kind == "O":
            return self.strings(list(array.flat), array.shape)
        index = self.tensor(array.shape, array.dtype.name, *args, **kwargs)
        self._graph.tensors[index].buffer = len(self._model.buffers)
        data = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
        self._model.buffers.append(S.BufferT(data=data))
        return index

    def strings(self, values: Sequence[bytes], shape: Sequence[int] | None = None) -> int:
        """A constant tensor of strings: their number, where each begins, where the last ends, the bytes."""
        index = self.tensor((len(values),) if shape is None else shape, "string")
        places = 4 * (len(values) + 2) + np.cumsum([0, *(len(v) for v in values)])
        head = np.array([len(values), *places], np.int32).tobytes()
        self._graph.tensors[index].buffer = len(self._model.buffers)
        self._model.buffers.append(S.BufferT(data=np.frombuffer(head + b"".join(values), np.uint8)))
        return index

    def constant_int4(self, values: Any, *args: Any, **kwargs: Any) -> int:
        """As `constant`, of values from -8 to 7 that are stored two in a byte."""
        halves = np.asarray(values, np.int8).reshape(-1).view(np.uint8) & 15
        halves = np.append(halves, np.zeros(halves.size % 2, np.uint8))
        index = self.constant(halves[::2] | halves[1::2] << 4, *args, **kwargs)
        self._graph.tensors[index].type = S.TensorType.INT4
        self._graph.tensors[index].shape = np.asarray(np.shape(values), np.int32)
        return index

    def sparse(self, values: Any, block: Sequence[int] = (), *args: Any, **kwargs: Any) -> int:
        """As `constant`, of a matrix whose zeros (or blocks of zeros, [rows, columns]) are not stored."""
        array = np.asarray(values)
        rows, cols = block or (1, 1)
        outer = array.reshape(array.shape[0] // rows, rows, array.shape[1] // cols, cols).swapaxes(1, 2)
        there = outer.any(axis=(2, 3))
        index = self.constant(outer[there].reshape(-1), *args, **kwargs)
        segments, indices = S.Int32VectorT(), S.Uint8VectorT()
        segments.values = np.append([0], np.cumsum(there.sum(1))).astype(np.int32)
        indices.values = np.nonzero(there)[1].astype(np.uint8)
        csr = S.DimensionMetadataT(
            format=S.DimensionType.SPARSE_CSR, arraySegments=segments, arrayIndices=indices,
            arraySegmentsType=S.SparseIndexVector.Int32Vector,
            arrayIndicesType=S.SparseIndexVector.Uint8Vector,
        )  # fmt: skip
        dense = [S.DimensionMetadataT(denseSize=n) for n in (there.shape[0], *block)]
        tensor = self._graph.tensors[index]
        tensor.shape = np.asarray(array.shape, np.int32)
        tensor.sparsity = S.SparsityParametersT(
            traversalOrder=np.arange(2 + len(block), dtype=np.int32),
            blockMap=np.arange(len(block), dtype=np.int32),
            dimMetadata=[dense[0], csr, *dense[1:]],
        )
        return index

    def op(
        self,
        name: str,
        inputs: Sequence[int | None],
        outputs: Sequence[int],
        custom_options: bytes | None = None,
        version: int = 1,
        intermediates: Sequence[int] | None = None,
        **options: Any,
    ) -> None:
        """Appends an op: a builtin's name, or any other name for a custom op. None = input left out."""
        op = S.OperatorT(opcodeIndex=self._opcode(name, version), outputs=list(outputs))
        op.inputs = [-1 if i is None else i for i in inputs]
        op.intermediates = None if intermediates is None else list(intermediates)
        if custom_options is not None:
            op.customOptions = np.frombuffer(custom_options, np.uint8)
        table = _OPTIONS.get(name, name.title().replace("_", "") + "Options")
        fields = None
        if hasattr(S.BuiltinOptions, table):
            op.builtinOptionsType = getattr(S.BuiltinOptions, table)
            op.builtinOptions = fields = getattr(S, table + "T")()
        elif hasattr(S.BuiltinOptions2, table):
            op.builtinOptions2Type = getattr(S.BuiltinOptions2, table)
            op.builtinOptions2 = fields = getattr(S, table + "T")()
        for key, value in options.items():
            getattr(fields, key)  # a misspelt option is an error, not a new attribute
            if isinstance(value, str) and key in _ENUMS:
                value = getattr(_ENUMS[key], value.upper())
            setattr(fields, key, value)
        self._graph.operators.append(op)

    def signature(
        self, key: str, inputs: Mapping[str, int], outputs: Mapping[str, int], subgraph: int = 0
    ) -> None:
        """Names tensors of a subgraph under `key`."""

        def entries(names: Mapping[str, int]) -> list[Any]:
            return [S.TensorMapT(name=name, tensorIndex=index) for name, index in names.items()]

        self._model.signatureDefs.append(
            S.SignatureDefT(
                signatureKey=key,
                inputs=entries(inputs),
                outputs=entries(outputs),
                subgraphIndex=subgraph,
            )
        )

    def outputs(self, *tensors: int) -> None:
        """What the current subgraph returns."""
        self._graph.outputs = list(tensors)

    def build(self, outputs: Sequence[int] | None = None) -> bytes:
        """The file; `outputs` are those of the first subgraph unless `outputs()` set them."""
        first = self._model.subgraphs[0]
        if outputs is not None and not first.outputs:
            first.outputs = list(outputs)
        return tflite_file.write(self._model)

    def _opcode(self, name: str, version: int) -> int:
        builtin = getattr(S.BuiltinOperator, name, S.BuiltinOperator.CUSTOM)
        custom = name if builtin == S.BuiltinOperator.CUSTOM else None
        for index, code in enumerate(self._model.operatorCodes):
            if (code.builtinCode, code.customCode, code.version) == (builtin, custom, version):
                return index
        self._model.operatorCodes.append(
            S.OperatorCodeT(builtinCode=builtin, customCode=custom, version=version)
        )
        return len(self._model.operatorCodes) - 1
