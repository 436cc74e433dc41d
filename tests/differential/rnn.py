"""Recurrent layers without gates, and the basic kernel of LSTM."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from .harness import Case, Draw, differential
from .recurrent import SIZES, codes

ACTIVATIONS = ("TANH", "TANH", "NONE", "RELU", "RELU6", "RELU_N1_TO_1")


class Layer:
    """What the RNN ops have in common: weights of one kind and a way to lay out sequences."""

    def __init__(self, d: Draw, kind: str, steps: int, time_major: bool = False) -> None:
        self.d, self.g, self.hybrid = d, GraphBuilder(), kind == "hybrid"
        self.batches, self.steps, self.time_major = d.integer("batches", 1, 3), steps, time_major
        self.asymmetric = self.hybrid and d.chance("asymmetric", 0.4)
        self.activation = d.pick("activation", ACTIVATIONS)

    def shape(self, size: int) -> tuple[int, ...]:
        if self.steps == 0:
            return (self.batches, size)
        return (*((self.steps, self.batches)[:: 1 if self.time_major else -1]), size)

    def matrix(self, rows: int, cols: int) -> int:
        if self.hybrid:
            scale = self.d.scale(1 / 127 / cols**0.5, 1)
            return self.g.constant(codes(self.d, (rows, cols)), scale=scale)
        return self.g.constant(self.d.rng.normal(0, cols**-0.5, (rows, cols)).astype(np.float32))

    def weights(self, units: int, inputs: int) -> list[int | None]:
        """W, R, the biases and the state."""
        bias = self.g.constant(self.d.rng.normal(0, 0.5, units).astype(np.float32))
        state = self.g.tensor((self.batches, units), "float32", variable=True)
        return [self.matrix(units, inputs), self.matrix(units, units), bias, state]

    def values(self, size: int) -> np.ndarray[Any, Any]:
        values = self.d.rng.normal(0, 1, self.shape(size)).astype(np.float32)
        if self.d.rng.random() < 0.2:
            values[0] = 0
        return values

    def options(self) -> dict[str, Any]:
        return {"fusedActivationFunction": self.activation, "asymmetricQuantizeInputs": self.asymmetric}


@differential("RNN", "float32", "hybrid", absolute=2e-5, relative=1e-5)
def rnn(d: Draw, kind: str) -> Case:
    layer = Layer(d, kind, 0)
    inputs, units = d.pick("inputs", SIZES), d.pick("units", SIZES)
    x, y = layer.g.input(layer.shape(inputs), "float32"), layer.g.tensor((), "float32")
    layer.g.op("RNN", [x, *layer.weights(units, inputs)], [y], **layer.options())
    return Case(layer.g, [y], [layer.values(inputs)])


@differential("UNIDIRECTIONAL_SEQUENCE_RNN", "float32", "hybrid", absolute=2e-5, relative=1e-5)
def sequence(d: Draw, kind: str) -> Case:
    layer = Layer(d, kind, d.integer("steps", 1, 6), d.chance("time_major", 0.5))
    inputs, units = d.pick("inputs", SIZES), d.pick("units", SIZES)
    x, y = layer.g.input(layer.shape(inputs), "float32"), layer.g.tensor((), "float32")
    op = "UNIDIRECTIONAL_SEQUENCE_RNN"
    layer.g.op(op, [x, *layer.weights(units, inputs)], [y], timeMajor=layer.time_major, **layer.options())
    return Case(layer.g, [y], [layer.values(inputs)])


@differential("BIDIRECTIONAL_SEQUENCE_RNN", "float32", "hybrid", absolute=2e-5, relative=1e-5)
def both_ways(d: Draw, kind: str) -> Case:
    layer = Layer(d, kind, d.integer("steps", 1, 4), d.chance("time_major", 0.5))
    g, inputs = layer.g, d.pick("inputs", SIZES)
    # LiteRT dies of symmetric codes of several batches with one output.
    merged = d.chance("merged", 0.5) and (not layer.hybrid or layer.asymmetric or layer.batches == 1)
    stacked = d.pick("stacked", ("no", "no", "weighted", "backward"))
    forward, backward = d.pick("forward", SIZES), d.pick("backward", SIZES)
    tensors: list[int | None] = [g.input(layer.shape(inputs), "float32")]
    tensors += layer.weights(forward, inputs)
    tensors += layer.weights(backward, inputs)
    # LiteRT looks for the rows of an auxiliary input as if it were as wide as the other one.
    tensors.append(None if stacked == "no" else g.input(layer.shape(inputs), "float32"))
    weighted = stacked == "weighted"
    tensors += [layer.matrix(units, inputs) if weighted else None for units in (forward, backward)]
    outputs = [g.tensor((), "float32") for _ in range(1 if merged else 2)]
    g.op(
        "BIDIRECTIONAL_SEQUENCE_RNN", tensors, outputs,
        timeMajor=layer.time_major, mergeOutputs=merged, **layer.options(),
    )  # fmt: skip
    return Case(g, outputs, [layer.values(inputs) for _ in range(1 if stacked == "no" else 2)])


@differential("LSTM", "basic_float32", "basic_uint8", absolute=2e-5, relative=1e-5)
def basic_lstm(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    inputs, cells, batches = d.pick("inputs", SIZES), d.pick("cells", SIZES), d.integer("batches", 1, 3)
    columns, depth = 4 * cells, inputs + cells
    kept = d.chance("variables", 0.5)
    if kind == "basic_uint8":
        dtype, wide, state = "uint8", "int16", {"scale": 2.0**-11}
        q = {"scale": 1 / 128, "zero_point": 128}
        scale = d.scale(2.0**-8 / depth**0.5, 2)
        zero = d.pick("weight_zero_point", (0, 255, 128, 120))
        w = g.constant(d.values((columns, depth), "uint8"), scale=scale, zero_point=zero)
        limit = int(min(2 / (scale / 128), 2**30))
        b = g.constant(d.rng.integers(-limit, limit + 1, columns).astype(np.int32), scale=scale / 128)
    else:
        dtype, wide, state, q = "float32", "float32", {}, {}
        w = g.constant(d.rng.normal(0, depth**-0.5, (columns, depth)).astype(np.float32))
        b = g.constant(d.rng.normal(0, 0.5, columns).astype(np.float32))
    x = g.input((batches, inputs), dtype, **q)
    values = [d.values((batches, inputs), dtype)]
    if kept:
        h = g.tensor((batches, cells), dtype, variable=True, **q)
        c = g.tensor((batches, cells), wide, variable=True, **state)
    else:
        h, c = g.input((batches, cells), dtype, **q), g.input((batches, cells), wide, **state)
        values += [d.values((batches, cells), dtype), d.values((batches, cells), wide)]
    outputs = [g.tensor((), t, **o) for t, o in ((dtype, q), (wide, state), (dtype, q), (wide, {}))]
    g.op("LSTM", [x, h, w, b, c], outputs, kernelType="BASIC", fusedActivationFunction="TANH")
    return Case(g, outputs, values)
