"""A model file's main graph, to look at and to change: who makes a tensor, who reads it, what is constant.

A `Graph` wraps the tree that `tflite_file.read` gives and changes it in place;
`tflite_file.write(graph.tree)` makes a file of it. Numbers are positions in the tree's lists, as
everywhere in the format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from edge_sdk.errors import ModelError
from edge_sdk.optimize import tflite_file
from edge_sdk.types import Array

# TensorType of the schema -> numpy. int4 and strings have no dtype of their own.
_DTYPES = {
    "FLOAT32": np.float32,
    "FLOAT16": np.float16,
    "FLOAT64": np.float64,
    "INT8": np.int8,
    "UINT8": np.uint8,
    "INT16": np.int16,
    "INT32": np.int32,
    "UINT32": np.uint32,
    "INT64": np.int64,
    "BOOL": np.bool_,
}

# Ops with weights in input 1: the axis of the weights that counts output channels, and the one of the bias.
OUTPUT_CHANNELS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0}
BIAS = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "TRANSPOSE_CONV": 3}
NO_TENSOR = -1


class Graph:
    """Subgraph 0 of a tree."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        if not tree.subgraphs:
            raise ModelError("the file has no graph")
        self.main = tree.subgraphs[0]
        self.main.operators = list(self.main.operators or [])

    @property
    def ops(self) -> list[Any]:
        """The operators, in the order of execution."""
        operators: list[Any] = self.main.operators
        return operators

    @property
    def inputs(self) -> list[int]:
        return [int(t) for t in self.main.inputs]

    @property
    def outputs(self) -> list[int]:
        return [int(t) for t in self.main.outputs]

    def kind(self, op: Any) -> str:
        """The builtin's name in the schema, `CONV_2D`; for a custom op `CUSTOM`."""
        return operator_names()[self.tree.operatorCodes[op.opcodeIndex].builtinCode]

    def name(self, tensor: int) -> str:
        return tflite_file.text(self.main.tensors[tensor].name)

    def shape(self, tensor: int) -> tuple[int, ...]:
        found = self.main.tensors[tensor].shape
        return () if found is None else tuple(int(n) for n in found)

    def type(self, tensor: int) -> str:
        """The element type's name in the schema, `FLOAT32`."""
        return type_names()[self.main.tensors[tensor].type]

    def op_inputs(self, op: Any) -> list[int]:
        """Its tensors in order; `NO_TENSOR` where an optional one is left out."""
        return [] if op.inputs is None else [int(t) for t in op.inputs]

    def op_outputs(self, op: Any) -> list[int]:
        return [] if op.outputs is None else [int(t) for t in op.outputs]

    def producers(self) -> dict[int, int]:
        """Tensor -> position of the op that computes it."""
        return {t: i for i, op in enumerate(self.ops) for t in self.op_outputs(op)}

    def consumers(self) -> dict[int, list[int]]:
        """Tensor -> positions of the ops that read it."""
        found: dict[int, list[int]] = {}
        for i, op in enumerate(self.ops):
            for tensor in dict.fromkeys(self.op_inputs(op)):
                if tensor != NO_TENSOR:
                    found.setdefault(tensor, []).append(i)
        return found

    def is_constant(self, tensor: int) -> bool:
        if tensor == NO_TENSOR:
            return False
        data = self.tree.buffers[self.main.tensors[tensor].buffer].data
        return data is not None and len(data) > 0

    def constant(self, tensor: int) -> Array | None:
        """A copy of a constant's values as they are stored; None for what is computed, int4 or text."""
        if not self.is_constant(tensor) or self.type(tensor) not in _DTYPES:
            return None
        data = np.asarray(self.tree.buffers[self.main.tensors[tensor].buffer].data, np.uint8)
        values: Array = np.frombuffer(data.tobytes(), _DTYPES[self.type(tensor)]).copy()
        return values.reshape(self.shape(tensor))

    def set_constant(self, tensor: int, values: Array) -> None:
        """Gives a tensor new constant values: shape, type and a buffer of its own."""
        found = self.main.tensors[tensor]
        names = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
        found.type = getattr(tflite_file.schema().TensorType, names[values.dtype])
        found.shape = np.asarray(values.shape, np.int32)
        found.shapeSignature = None
        found.buffer = len(self.tree.buffers)  # the old one may be shared; `collect` drops what is left over
        data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.tree.buffers.append(tflite_file.schema().BufferT(data=data))

    def add_tensor(self, name: str, shape: Sequence[int], kind: str = "FLOAT32") -> int:
        """A new tensor that is not constant; its number."""
        s = tflite_file.schema()
        tensor = s.TensorT(
            name=name, shape=np.asarray(shape, np.int32), type=getattr(s.TensorType, kind), buffer=0
        )
        self.main.tensors.append(tensor)
        return len(self.main.tensors) - 1

    def macs(self, op: Any) -> int:
        """Multiply-accumulates of one run: of convolutions, fully-connected layers and matrix products."""
        kind = self.kind(op)
        if kind not in OUTPUT_CHANNELS and kind != "BATCH_MATMUL":
            return 0
        inputs = self.op_inputs(op)
        made = int(np.prod(self.shape(self.op_outputs(op)[0])))
        if kind == "BATCH_MATMUL":
            left = self.shape(inputs[0])
            return made * left[-2 if op.builtinOptions.adjX else -1]
        weights = self.shape(inputs[1])
        if kind == "TRANSPOSE_CONV":
            return int(np.prod(self.shape(inputs[2]))) * int(np.prod(weights[:3]))
        return made * int(np.prod(weights[1:3] if kind == "DEPTHWISE_CONV_2D" else weights[1:]))

    def collect(self) -> None:
        """Drops tensors that nothing uses and buffers that no tensor has, and renumbers the rest."""
        used = set(self.inputs) | set(self.outputs)
        for op in self.ops:
            used |= {*self.op_inputs(op), *self.op_outputs(op), *map(int, _list(op.intermediates))}
        for definition in self.tree.signatureDefs or []:
            if definition.subgraphIndex == 0:
                used |= {int(m.tensorIndex) for m in [*_list(definition.inputs), *_list(definition.outputs)]}
        kept = [t for t in range(len(self.main.tensors)) if t in used]
        place = {old: new for new, old in enumerate(kept)} | {NO_TENSOR: NO_TENSOR}
        self.main.tensors = [self.main.tensors[t] for t in kept]
        self.main.inputs = [place[t] for t in self.inputs]
        self.main.outputs = [place[t] for t in self.outputs]
        for op in self.ops:
            op.inputs = [place[t] for t in self.op_inputs(op)]
            op.outputs = [place[t] for t in self.op_outputs(op)]
            op.intermediates = [place[int(t)] for t in _list(op.intermediates)] or None
        for definition in self.tree.signatureDefs or []:
            if definition.subgraphIndex == 0:
                for entry in [*_list(definition.inputs), *_list(definition.outputs)]:
                    entry.tensorIndex = place[int(entry.tensorIndex)]
        self._collect_buffers()

    def _collect_buffers(self) -> None:
        owners = [t for g in self.tree.subgraphs for t in g.tensors] + _list(self.tree.metadata)
        kept = [0, *sorted({int(owner.buffer) for owner in owners} - {0})]
        place = {old: new for new, old in enumerate(kept)}
        self.tree.buffers = [self.tree.buffers[b] for b in kept]
        for owner in owners:
            owner.buffer = place[int(owner.buffer)]
        self.tree.metadataBuffer = None  # the field of very old files, which nothing reads

    def layers(self) -> Iterator[tuple[int, Any]]:
        """Position and op of those with constant weights in input 1."""
        for i, op in enumerate(self.ops):
            if self.kind(op) in OUTPUT_CHANNELS and self.is_constant(self.op_inputs(op)[1]):
                yield i, op


def _list(values: Any) -> list[Any]:
    return [] if values is None else list(values)


@lru_cache
def operator_names() -> dict[int, str]:
    """Number of a builtin operator -> its name."""
    return _names(tflite_file.schema().BuiltinOperator)


@lru_cache
def type_names() -> dict[int, str]:
    """Number of a tensor type -> its name."""
    return _names(tflite_file.schema().TensorType)


def _names(enum: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enum).items() if isinstance(value, int)}
