"""An operator of a float `.tflite` graph, and the table of what operators compute in torch.

`MAKERS[kind](node)` gives a function of the tensors that the node reads. Shapes and axes are those of the
file, channels last, batch axis included; `torch_graph` maps the whole over a batch of samples.
`torch_ops` and `torch_layers` fill the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

import torch
from torch.nn import functional as F

from edge_sdk.errors import ModelError
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.graph import Graph

Function = Callable[..., Any]
MAKERS: dict[str, Callable[[Node], Function]] = {}
ONE_INPUT: set[str] = set()  # kinds whose other inputs are shapes, axes and the like

# What may be fused behind an operator.
FUSED: dict[str, Function] = {
    "NONE": lambda x: x,
    "RELU": F.relu,
    "RELU6": lambda x: x.clamp(0, 6),
    "RELU_N1_TO_1": lambda x: x.clamp(-1, 1),
    "TANH": torch.tanh,
}


@dataclass(frozen=True)
class Node:
    """One operator of the file."""

    graph: Graph
    op: Any
    kind: str

    @property
    def options(self) -> Any:
        return self.op.builtinOptions

    def shape(self, i: int = 0) -> tuple[int, ...]:
        """Of input `i`."""
        return self.graph.shape(self.graph.op_inputs(self.op)[i])

    def made(self) -> tuple[int, ...]:
        """The shape of the first output."""
        return self.graph.shape(self.graph.op_outputs(self.op)[0])

    def numbers(self, i: int) -> list[int]:
        """The integers of input `i`, which has to be constant."""
        tensor = self.graph.op_inputs(self.op)[i]
        values = self.graph.constant(tensor)
        if values is None:
            raise ModelError(f"{self.kind}: input {i} '{self.graph.name(tensor)}' is computed, not constant")
        return [int(n) for n in values.reshape(-1)]

    def axes(self, i: int) -> list[int]:
        return [axis % len(self.shape()) for axis in self.numbers(i)]

    def activation(self) -> Function:
        """What is fused behind the operator."""
        code = self.options.fusedActivationFunction
        enum = tflite_file.schema().ActivationFunctionType
        for name, function in FUSED.items():
            if code == getattr(enum, name):
                return function
        raise ModelError(f"{self.kind}: fused activation {code} cannot be trained")


def register(*kinds: str, one_input: bool = False) -> Callable[[Callable[[Node], Function]], Any]:
    def keep(maker: Callable[[Node], Function]) -> Callable[[Node], Function]:
        MAKERS.update(dict.fromkeys(kinds, maker))
        if one_input:
            ONE_INPUT.update(kinds)
        return maker

    return keep
