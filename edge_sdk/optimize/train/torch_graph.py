"""A float `.tflite` graph as a torch module that can be trained, and written back into the same graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from edge_sdk.errors import ModelError
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.graph import NO_TENSOR, OUTPUT_CHANNELS, Graph
from edge_sdk.optimize.train import torch_layers, torch_ops  # noqa: F401  # they fill MAKERS
from edge_sdk.optimize.train.torch_node import MAKERS, ONE_INPUT, Node

_MOVES = {"RESHAPE", "SQUEEZE", "EXPAND_DIMS"}  # may stand behind a SOFTMAX and change nothing


class TorchGraph(torch.nn.Module):
    """The main graph of a model; parameters are its constant weights, biases, slopes and factors.

    Called with a batch [n, ...] of each input, as `Samples` has them, it returns a tuple of outputs
    [n, ...], axes of one sample as in the file but for the leading 1.
    """

    def __init__(self, model: bytes) -> None:
        super().__init__()
        self._model = model
        graph = self._graph = Graph(tflite_file.read(model))
        self._live = _live(graph)
        _refuse(graph, self._live)
        self.ending, self._scores = _ending(graph)
        self.input_shapes = [graph.shape(t) for t in graph.inputs]
        self.output_shapes = [graph.shape(t) for t in graph.outputs]
        self._steps = [
            (MAKERS[graph.kind(op)](Node(graph, op, graph.kind(op))), _read(graph, op), graph.op_outputs(op))
            for op in self._live
        ]
        trained = _trained(graph, self._live)
        owners: dict[Any, int] = {}
        for tensor in {t: None for _, read, _ in self._steps for t in read if graph.is_constant(t)}:
            values = graph.constant(tensor)
            if values is None or (tensor in trained and values.dtype.kind != "f"):
                raise ModelError(
                    f"'{graph.name(tensor)}' has type {graph.type(tensor)}: only float models can be trained"
                )
            held = torch.from_numpy(values.astype(np.float32) if values.dtype.kind == "f" else values)
            if tensor not in trained:
                self.register_buffer(f"t{tensor}", held)
                continue
            # Weights that share their bytes are one; vectors may be equal by chance, as biases of zeros.
            owner = owners.setdefault(_shared(graph, tensor), tensor) if values.ndim > 1 else tensor
            held = getattr(self, f"t{owner}") if owner != tensor else torch.nn.Parameter(held)
            self.register_parameter(f"t{tensor}", held)

    def forward(self, *inputs: Any) -> tuple[Any, ...]:
        """The outputs as the model gives them."""
        return self._batch(inputs, self._graph.outputs)

    def scores(self, *inputs: Any) -> tuple[Any, ...]:
        """The outputs before the SOFTMAX that the graph ends in, if it does."""
        return self._batch(inputs, self._scores)

    def written(self) -> bytes:
        """The model with the parameters as they are now."""
        graph = Graph(tflite_file.read(self._model))
        buffers: dict[Any, int] = {}
        for name, parameter in self.named_parameters(remove_duplicate=False):
            tensor = int(name[1:])
            was = graph.constant(tensor)
            assert was is not None  # __init__ has read it
            if parameter in buffers:
                graph.main.tensors[tensor].buffer = buffers[parameter]
                continue
            graph.set_constant(tensor, parameter.detach().cpu().numpy().astype(was.dtype))
            buffers[parameter] = graph.main.tensors[tensor].buffer
        graph.collect()
        return tflite_file.write(graph.tree, tflite_file.appended_files(self._model))

    def _batch(self, inputs: tuple[Any, ...], wanted: list[int]) -> tuple[Any, ...]:
        shaped = [x.reshape(len(x), *shape) for x, shape in zip(inputs, self.input_shapes)]
        found = torch.vmap(lambda *one: self._run(one, wanted))(*shaped)
        return tuple(y.squeeze(1) if y.ndim > 1 and y.shape[1] == 1 else y for y in found)

    def _run(self, inputs: tuple[Any, ...], wanted: list[int]) -> tuple[Any, ...]:
        """One sample, in the shapes of the file."""
        values: dict[int, Any] = dict(zip(self._graph.inputs, inputs))
        for function, read, made in self._steps:
            arguments = [
                None if t == NO_TENSOR else values[t] if t in values else getattr(self, f"t{t}") for t in read
            ]
            found = function(*arguments)
            values.update(zip(made, found if isinstance(found, (tuple, list)) else [found]))
        return tuple(values[t] for t in wanted)


def _shared(graph: Graph, tensor: int) -> Any:
    return graph.main.tensors[tensor].buffer, graph.shape(tensor)


def _read(graph: Graph, op: Any) -> list[int]:
    """The inputs that reach the op's function; the others are shapes and axes, read once."""
    kind, inputs = graph.kind(op), graph.op_inputs(op)
    if kind in ONE_INPUT:
        return inputs[:1]
    if kind in ("SPLIT", "TRANSPOSE_CONV"):  # axis or shape first
        return [NO_TENSOR, *inputs[1:]]
    return inputs


def _live(graph: Graph) -> list[Any]:
    """The ops that the outputs need, but not what only computes shapes, in order."""
    needed, kept = set(graph.outputs), []
    for op in reversed(graph.ops):
        if needed & set(graph.op_outputs(op)):
            needed |= set(_read(graph, op))
            kept.append(op)
    return kept[::-1]


def _refuse(graph: Graph, ops: list[Any]) -> None:
    """Raises ModelError for graphs that cannot be trained."""
    unknown = sorted({graph.kind(op) for op in ops} - set(MAKERS))
    if unknown:
        raise ModelError(f"a graph with {', '.join(unknown)} cannot be trained")
    for op in ops:
        kind, made = graph.kind(op), graph.op_outputs(op)
        source = graph.type(graph.op_inputs(op)[0])
        if any(graph.type(t) != "FLOAT32" for t in made) or (kind == "DEQUANTIZE" and source != "FLOAT16"):
            name = graph.name(made[0])
            raise ModelError(f"{kind} '{name}' works on {source}: only float models can be trained")


def _trained(graph: Graph, ops: list[Any]) -> set[int]:
    """Constants that training changes: of layers, slopes, and factors or summands a channel."""
    behind = {graph.op_outputs(op)[0]: graph.op_inputs(op)[0] for op in ops if graph.kind(op) == "DEQUANTIZE"}
    found = set()
    for op in ops:
        kind, inputs = graph.kind(op), graph.op_inputs(op)
        if kind in OUTPUT_CHANNELS:
            mine = [inputs[1], *inputs[3 if kind == "TRANSPOSE_CONV" else 2 :]]
        elif kind == "PRELU":
            mine = inputs[1:]
        elif kind in ("ADD", "MUL"):  # a single number is part of the formula, or normalizes the input
            mine = [t for t in inputs if np.prod(graph.shape(t)) > 1]
        elif kind == "GATHER" and graph.type(inputs[0]) == "FLOAT32":
            mine = inputs[:1]
        else:
            continue
        found |= {behind.get(t, t) for t in mine if t != NO_TENSOR}
    return {t for t in found if graph.is_constant(t)}


def _ending(graph: Graph) -> tuple[str, list[int]]:
    """How the one output is made ("SOFTMAX", "LOGISTIC" or ""), and the outputs before a SOFTMAX."""
    if len(graph.outputs) != 1:
        return "", graph.outputs
    made = graph.producers()
    tensor = graph.outputs[0]
    while tensor in made and graph.kind(graph.ops[made[tensor]]) in _MOVES:
        tensor = graph.op_inputs(graph.ops[made[tensor]])[0]
    if tensor not in made:
        return "", graph.outputs
    op = graph.ops[made[tensor]]
    kind = graph.kind(op)
    if kind == "SOFTMAX" and op.builtinOptions.beta == 1:
        return kind, [graph.op_inputs(op)[0]]
    return (kind if kind == "LOGISTIC" else ""), graph.outputs
