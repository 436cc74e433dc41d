"""Makes models with given numbers per layer from one float model; rounds each layer's weights once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.graph import NO_TENSOR
from edge_sdk.optimize.quantize import recipes
from edge_sdk.optimize.quantize.layers import Layer, bits_of, float_layers, layer_inputs, on_grid, shift
from edge_sdk.optimize.quantize.normal_form import NormalForm
from edge_sdk.types import Array

Choices = Mapping[int, str]  # position of an op -> one of recipes.CHOICES

_WEIGHTS = {"int8": "int8", "int16": "int8", "dynamic": "int8", "int4": "int4", "float16": "float"}


class Candidates:
    """All models that can be made from one, in one mode."""

    def __init__(
        self,
        model: NormalForm,
        mode: str,
        samples: Samples | None,
        correct: bool = True,
        float_io: bool = False,
    ) -> None:
        self.model = model
        self.mode = mode
        self.ranges: recipes.Ranges | None = None  # static modes need them
        self.widest: recipes.Ranges = {}  # what results of 16 bits get: they have codes enough for all values
        self._correct, self._float_io = correct, float_io
        self.layers = float_layers(model.graph)
        wanted = samples is not None and mode != "float16"
        self._inputs = layer_inputs(model.graph, model.content(), samples) if wanted and samples else {}
        self._rounded: dict[tuple[int, int], tuple[Array, Array | None]] = {}

    def can_be_int4(self, layer: Layer) -> bool:
        return layer.kind in recipes.INT4_LAYERS and layer.own

    def make(self, choices: Choices | None = None) -> bytes:
        """The quantized model in normal form; layers that `choices` leaves out are as the mode says."""
        usual = _WEIGHTS[self.mode]
        weights = {}
        for layer in self.layers:
            choice = (choices or {}).get(layer.position, usual)
            if choice == "int4" and not self.can_be_int4(layer):
                choice = "int8"
            weights[layer.position] = choice
        with self._with_weights(weights):
            ranges = self._ranges(choices or {})
            return recipes.rewrite(self.model, self.mode, ranges, choices, self._float_io)

    def _ranges(self, choices: Choices) -> recipes.Ranges | None:
        if self.ranges is None:
            return None
        graph = self.model.graph
        readers = graph.consumers()
        fine = [
            graph.name(tensor)
            for position, choice in choices.items()
            for tensor in graph.op_outputs(graph.ops[position])
            # A reader with int8 would get its few codes spread over the same range.
            if choice == "int16" and all(choices.get(p) == "int16" for p in readers.get(tensor, ()))
        ]
        return {**self.ranges, **{name: self.widest[name] for name in fine if name in self.widest}}

    def simulated(self, layer: Layer, choice: str) -> bytes:
        """The float model with one layer's weights rounded."""
        with self._with_weights({layer.position: choice}):
            return self.model.content()

    @contextmanager
    def _with_weights(self, choices: Choices) -> Iterator[None]:
        graph = self.model.graph
        kept = [(tensor, tensor.buffer) for tensor in graph.main.tensors]
        count = len(graph.tree.buffers)
        for layer in self.layers:
            bits = bits_of(choices.get(layer.position, ""))
            if bits is None:
                continue
            weights, bias = self._on_grid(layer, bits)
            graph.set_constant(layer.weights, weights)
            if bias is not None:
                graph.set_constant(layer.bias, bias)
        try:
            yield
        finally:
            for tensor, buffer in kept:
                tensor.buffer = buffer
            del graph.tree.buffers[count:]

    def _on_grid(self, layer: Layer, bits: int) -> tuple[Array, Array | None]:
        """Weights as multiples of their scale, and the bias that makes good what this shifts on average."""
        key = layer.position, bits
        if key not in self._rounded:
            values = self.model.graph.constant(layer.weights)
            assert values is not None  # a float layer has constant weights
            matrix, inputs = layer.matrix(values), self._inputs.get(layer.position)
            moved = on_grid(matrix, bits, inputs)
            bias = None if layer.bias == NO_TENSOR else self.model.graph.constant(layer.bias)
            if self._correct and inputs is not None and bias is not None:
                bias = np.asarray(bias + shift(layer, matrix, moved, inputs), np.float32)
            self._rounded[key] = layer.back(moved, values.shape), bias
        return self._rounded[key]
