"""A model in the form that litert-quantizer takes, and the way back from there.

What it takes: float32 constants, tensor names that are unique, and a signature. What comes back has the
names that the file had, its metadata and appended files, and no signature unless it had one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_sdk.backends import native
from edge_sdk.errors import EdgeError, ModelError
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.graph import BIAS, NO_TENSOR, Graph
from edge_sdk.types import Array

_OURS = re.compile(r"^(g\d+t\d+)")
_CODES = ("INT8", "UINT8", "INT4", "INT16")
_CAN_ACTIVATE = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL")
SIGNATURE = "serving_default"


@dataclass
class NormalForm:
    """A float model that is ready to be quantized. Tensor `i` of subgraph `g` is called `g<g>t<i>`."""

    graph: Graph
    names: dict[str, str]  # our name of a tensor -> the file's own
    files: dict[str, bytes]  # behind the file, such as its labels
    notes: tuple[str, ...]  # what had to be done, for people
    signed: bool  # whether it has a signature of its own
    left_float: tuple[str, ...] = ()  # kinds of ops that litert-quantizer turned out to fail on

    def content(self) -> bytes:
        return tflite_file.write(self.graph.tree)

    def own_name(self, tensor: str) -> str:
        """What the file calls the tensor that we, or litert-quantizer after us, call so."""
        found = _OURS.match(tensor)
        return self.names[found[1]] + tensor[found.end() :] if found else tensor

    def finish(self, quantized: bytes) -> bytes:
        """The file for users: `quantized` with everything back in its place."""
        tree = tflite_file.read(quantized)
        for subgraph in tree.subgraphs:
            for tensor in subgraph.tensors:
                tensor.name = self.own_name(tflite_file.text(tensor.name))
                if tensor.quantization is not None:
                    tensor.quantization.min = tensor.quantization.max = None  # nothing reads them
        if not self.signed:
            tree.signatureDefs = None
        Graph(tree).collect()
        return tflite_file.write(tree, self.files)


def normalize(source: tflite_file.Source) -> NormalForm:
    """The normal form of a model file, which itself is not touched. Refuses what has nothing to quantize."""
    graph = Graph(tflite_file.read(source))
    notes = []
    folded = _fold(graph)
    if folded:
        notes.append(f"{folded} constants that were float16 or sparse are float32 now")
    notes += _quantized_already(graph)
    _fuse_activations(graph)
    _own_biases(graph)
    graph.collect()
    names = {}
    for g, subgraph in enumerate(graph.tree.subgraphs):
        for i, tensor in enumerate(subgraph.tensors):
            ours = f"g{g}t{i}"
            if tensor.shape is None:  # a scalar
                tensor.shape = np.zeros(0, np.int32)
            names[ours], tensor.name = tflite_file.text(tensor.name or b""), ours
    signed = bool(graph.tree.signatureDefs)
    if not signed:
        graph.tree.signatureDefs = [_signature(graph)]
        notes.append("it has no signature: one was lent to it")
    return NormalForm(graph, names, tflite_file.appended_files(source), tuple(notes), signed)


def _fold(graph: Graph) -> int:
    """Computes what only unpacks constants; how many there were."""
    before = len(graph.ops)
    sparse = [op for op in graph.ops if graph.kind(op) == "DENSIFY"]
    dense = _computed(graph, [graph.op_outputs(op)[0] for op in sparse]) if sparse else {}
    kept = []
    for op in graph.ops:
        made = graph.op_outputs(op)[:1]
        if graph.kind(op) == "DENSIFY" and made[0] in dense:
            graph.set_constant(made[0], dense[made[0]])
        elif graph.kind(op) == "DEQUANTIZE" and graph.type(graph.op_inputs(op)[0]) == "FLOAT16":
            half = graph.constant(graph.op_inputs(op)[0])
            if half is None:
                kept.append(op)
            else:
                graph.set_constant(made[0], half.astype(np.float32))
        else:
            kept.append(op)
    graph.main.operators = kept
    return before - len(kept)


def _fuse_activations(graph: Graph) -> None:
    """Lets the op before a ReLU do it, where it can: no codes are lost on values that the ReLU drops."""
    none, activations = 0, {"RELU": 1, "RELU6": 3}  # ActivationFunctionType
    makers, readers = graph.producers(), graph.consumers()
    gone = []
    for op in graph.ops:
        if graph.kind(op) not in activations:
            continue
        (source,), (made,) = graph.op_inputs(op), graph.op_outputs(op)
        maker = graph.ops[makers[source]] if source in makers else None
        alone = len(readers[source]) == 1 and source not in graph.outputs
        if maker is None or not alone or graph.kind(maker) not in _CAN_ACTIVATE:
            continue
        if graph.type(source) == "FLOAT32" and maker.builtinOptions.fusedActivationFunction == none:
            maker.builtinOptions.fusedActivationFunction = activations[graph.kind(op)]
            maker.outputs = [made]
            gone.append(op)
    graph.main.operators = [op for op in graph.ops if not any(op is g for g in gone)]


def _own_biases(graph: Graph) -> None:
    """A bias of its own for each layer: converters share equal ones, and these will differ."""
    seen = set()
    for _, op in graph.layers():
        inputs, place = graph.op_inputs(op), BIAS[graph.kind(op)]
        if len(inputs) <= place or inputs[place] == NO_TENSOR or graph.type(inputs[place]) != "FLOAT32":
            continue
        values = graph.constant(inputs[place])
        if inputs[place] in seen and values is not None:
            copied = graph.add_tensor(graph.name(inputs[place]), values.shape)
            graph.set_constant(copied, values)
            inputs[place] = copied
            op.inputs = inputs
        seen.add(inputs[place])


def _computed(graph: Graph, tensors: list[int]) -> dict[int, Array]:
    """The values of tensors that do not depend on the input."""
    try:
        runner = native.load(tflite_file.write(graph.tree), 1).runner({}, preserve_all=True)
        runner.run()
        return {tensor: runner.read(tensor) for tensor in tensors}
    except EdgeError:
        return {}


def _quantized_already(graph: Graph) -> list[str]:
    """What to say of layers that hold codes; raises where there is no float layer left."""
    layers = [graph.op_inputs(op) for _, op in graph.layers()]
    done = sum(graph.type(inputs[1]) in _CODES for inputs in layers)
    inside = any(
        graph.type(t) in _CODES
        for op in graph.ops
        for t in graph.op_outputs(op)
        if graph.main.tensors[t].quantization is not None
        and graph.main.tensors[t].quantization.scale is not None
    )
    if (done and done == len(layers)) or (inside and not layers):
        raise ModelError("this model is quantized already: give the float model that it was made from")
    if done:
        return [f"{done} of {len(layers)} layers are quantized already and stay as they are"]
    return ["it is partly quantized: what is stays as it is"] if inside else []


def _signature(graph: Graph) -> Any:
    s = tflite_file.schema()

    def maps(kind: str, tensors: list[int]) -> list[Any]:
        return [s.TensorMapT(name=f"{kind}{i}", tensorIndex=t) for i, t in enumerate(tensors)]

    return s.SignatureDefT(
        inputs=maps("in", graph.inputs),
        outputs=maps("out", graph.outputs),
        signatureKey=SIGNATURE,
        subgraphIndex=0,
    )
