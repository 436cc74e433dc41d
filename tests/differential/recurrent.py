"""Ops that keep a state."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from .harness import Case, Draw, differential

SIZES = (1, 2, 3, 5, 8, 16, 17, 20, 33)


def codes(d: Draw, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return d.rng.integers(-127, 128, shape).astype(np.int8)


@differential("UNIDIRECTIONAL_SEQUENCE_LSTM", "float32", absolute=2e-5, relative=1e-5)
@differential("UNIDIRECTIONAL_SEQUENCE_LSTM", "hybrid", absolute=2e-5, relative=1e-5)
def lstm(d: Draw, kind: str, single: bool = False) -> Case:
    g = GraphBuilder()
    hybrid = kind == "hybrid"
    inputs, cells, outputs = (d.pick(name, SIZES) for name in ("inputs", "cells", "outputs"))
    projection = d.chance("projection", 0.4)
    outputs = min(outputs, cells) if projection else cells  # more overrun a buffer of the reference
    steps, batches = d.integer("steps", 1, 3 if hybrid else 6), d.integer("batches", 1, 3)
    time_major = d.chance("time_major", 0.4) or (projection and batches > 1)
    coupled, peephole = d.chance("coupled", 0.3), d.chance("peephole", 0.4)
    norm, diagonal = d.chance("norm", 0.3), not projection and not single and d.chance("diagonal", 0.15)
    gates = [not coupled, True, True, True]

    def matrix(rows: int, cols: int) -> int:
        if hybrid:
            return g.constant(codes(d, (rows, cols)), scale=d.scale(1 / 127 / cols**0.5, 1))
        return g.constant(d.rng.normal(0, cols**-0.5, (rows, cols)).astype(np.float32))

    def vector(size: int, code: bool = False) -> int:
        if code and hybrid:
            return g.constant(codes(d, (size,)), scale=d.scale(1 / 127, 1))
        return g.constant(d.rng.normal(0, 0.5, size).astype(np.float32))

    shape = (steps, batches, inputs) if time_major else (batches, steps, inputs)
    shape = (batches, inputs) if single else shape
    tensors: list[int | None] = [g.input(shape, "float32")]
    tensors += [matrix(cells, inputs) if there else None for there in gates]
    tensors += [
        None if not there else vector(cells) if diagonal else matrix(cells, outputs) for there in gates
    ]
    tensors += [vector(cells, True) if peephole and there else None for there in (not coupled, True, True)]
    tensors += [vector(cells) if there else None for there in gates]
    tensors += [matrix(outputs, cells) if projection else None]
    tensors += [vector(outputs) if projection and d.chance("projection_bias", 0.5) else None]
    tensors += [g.tensor((batches, size), "float32", variable=True) for size in (outputs, cells)]
    tensors += [vector(cells) if norm and there else None for there in gates]
    y = g.tensor((), "float32")
    options = {} if single else {"timeMajor": time_major}
    g.op(
        "LSTM" if single else "UNIDIRECTIONAL_SEQUENCE_LSTM", tensors, [y],
        fusedActivationFunction=d.pick("activation", ("TANH", "TANH", "TANH", "RELU", "RELU6")),
        cellClip=d.pick("cell_clip", (0.0, 0.0, 0.5, 10.0)), projClip=d.pick("proj_clip", (0.0, 0.4)),
        asymmetricQuantizeInputs=hybrid and d.chance("asymmetric", 0.4), **options,
    )  # fmt: skip
    return Case(g, [y], [d.rng.normal(0, 1, shape).astype(np.float32)])


@differential("LSTM", "float32", "hybrid", absolute=2e-5, relative=1e-5)
def lstm_step(d: Draw, kind: str) -> Case:
    """The generator of sequences with the time axis taken away."""
    return lstm(d, kind, single=True)


# LiteRT's sigmoid and tanh are other approximations than ours: where a state lies on the edge between two
# codes, their last bits decide which it gets. That is one case in a thousand.
@differential("BIDIRECTIONAL_SEQUENCE_LSTM", "float32", absolute=2e-5, relative=1e-5)
@differential("BIDIRECTIONAL_SEQUENCE_LSTM", "hybrid", absolute=5e-4)
def both_ways(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    hybrid = kind == "hybrid"
    inputs, steps, batches = d.pick("inputs", SIZES), d.integer("steps", 1, 4), d.integer("batches", 1, 3)
    merged, extra = d.chance("merged", 0.5), d.chance("auxiliary", 0.4)
    time_major = d.chance("time_major", 0.6) or (merged and batches > 1)
    other = d.pick("other", SIZES) if extra else 0

    def matrix(rows: int, cols: int) -> int:
        if hybrid:
            return g.constant(codes(d, (rows, cols)), scale=d.scale(1 / 127 / cols**0.5, 1))
        return g.constant(d.rng.normal(0, cols**-0.5, (rows, cols)).astype(np.float32))

    def vector(size: int) -> int:
        return g.constant(d.rng.normal(0, 0.5, size).astype(np.float32))

    def tensor(size: int) -> tuple[int, ...]:
        return (steps, batches, size) if time_major else (batches, steps, size)

    tensors: list[int | None] = [g.input(tensor(inputs), "float32")]
    states: list[int | None] = []
    more: list[int | None] = []
    coupled = d.chance("coupled", 0.3)
    gates = [not coupled, True, True, True]
    cells = d.pick("cells", SIZES)  # LiteRT wants as many both ways
    for _ in range(2):
        tensors += [matrix(cells, inputs) if there else None for there in gates]
        tensors += [matrix(cells, cells) if there else None for there in gates]
        tensors += [None, None, None, *(vector(cells) if there else None for there in gates), None, None]
        states += [g.tensor((batches, cells), "float32", variable=True) for _ in range(2)]
        more += [matrix(cells, other) if extra and there else None for there in gates]
    auxiliary = g.input(tensor(other), "float32") if extra else None
    outputs = [g.tensor((), "float32") for _ in range(1 if merged else 2)]
    g.op(
        "BIDIRECTIONAL_SEQUENCE_LSTM", [*tensors, *states, auxiliary, *more], outputs,
        fusedActivationFunction="TANH", mergeOutputs=merged, timeMajor=time_major,
        asymmetricQuantizeInputs=hybrid and d.chance("asymmetric", 0.4),
    )  # fmt: skip
    values = [d.rng.normal(0, 1, tensor(n)).astype(np.float32) for n in (inputs, other) if n]
    return Case(g, outputs, values)


@differential("UNIDIRECTIONAL_SEQUENCE_LSTM", "int8")
def integer_lstm(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    inputs, cells, outputs = (d.pick(name, SIZES) for name in ("inputs", "cells", "outputs"))
    projection = d.chance("projection", 0.4)
    peephole, norm = d.chance("peephole", 0.3), d.chance("norm", 0.4)
    outputs = min(outputs, cells) if projection else cells
    steps, batches = d.integer("steps", 1, 6), d.integer("batches", 1, 3)
    time_major, coupled = d.chance("time_major", 0.4), d.chance("coupled", 0.3)
    gates = [not coupled, True, True, True]
    x_scale, h_scale = d.scale(1 / 64, 2), d.scale(1 / 128, 1)

    def matrix(rows: int, cols: int) -> int:
        return g.constant(codes(d, (rows, cols)), scale=d.scale(1 / 127 / cols**0.5, 2))

    def bias(size: int, scale: float) -> int:
        return g.constant(d.rng.integers(-5000, 5000, size).astype(np.int32), scale=scale)

    def shorts(scale: float) -> int:
        return g.constant(d.rng.integers(-32768, 32768, cells).astype(np.int16), scale=d.scale(scale, 1))

    shape = (steps, batches, inputs) if time_major else (batches, steps, inputs)
    zero = d.integer("x_zero", -128, 127)
    tensors: list[int | None] = [g.input(shape, "int8", scale=x_scale, zero_point=zero)]
    tensors += [matrix(cells, inputs) if there else None for there in gates]
    tensors += [matrix(cells, outputs) if there else None for there in gates]
    tensors += [shorts(2.0**-15) if peephole and there else None for there in (not coupled, True, True)]
    tensors += [bias(cells, x_scale / 127) if there else None for there in gates]
    tensors += [matrix(outputs, cells) if projection else None]
    tensors += [bias(outputs, 1e-4) if projection and d.chance("projection_bias", 0.5) else None]
    q = {"scale": h_scale, "zero_point": d.integer("h_zero", -20, 20)}
    tensors.append(g.tensor((batches, outputs), "int8", variable=True, **q))
    bits = d.integer("cell_bits", 0, 6)
    tensors.append(g.tensor((batches, cells), "int16", variable=True, scale=2.0 ** (bits - 15)))
    tensors += [shorts(2.0**-12) if norm and there else None for there in gates]
    y = g.tensor((), "int8", **q)
    between = [g.tensor((0,), "int16", scale=d.scale(2.0**-12, 1)) for _ in range(4)]
    hidden = d.integer("hidden_zero", -20, 20) if projection else q["zero_point"]
    scale = d.scale(1 / 128, 1) if projection else h_scale
    between.append(g.tensor((0,), "int8", scale=scale, zero_point=hidden))
    g.op(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", tensors, [y], intermediates=between,
        fusedActivationFunction="TANH", cellClip=d.pick("cell_clip", (0.0, 0.0, 0.5, 10.0)),
        projClip=d.pick("proj_clip", (0.0, 0.4)), timeMajor=time_major,
    )  # fmt: skip
    return Case(g, [y], [d.values(shape, "int8")])


@differential("SVDF", "float32", "hybrid", "int8", absolute=2e-5, relative=1e-5)
def svdf(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    rank, units = d.integer("rank", 1, 3), d.pick("units", SIZES)
    filters, inputs = rank * units, d.pick("inputs", SIZES)
    length, batches = d.integer("length", 1, 12), d.integer("batches", 1, 3)
    options: dict[str, Any] = {}
    if kind == "int8":
        x = d.quantization("x", "int8")
        h = {"scale": x["scale"] * d.scale(2**-3, 1)}
        y = d.quantization("y", "int8", h["scale"] * (length * rank) ** 0.5, 2)
        w = g.constant(codes(d, (filters, inputs)), scale=d.scale(2**-9, 2))
        t = g.constant(d.values((filters, length), "int16"), scale=d.scale(2**-15, 1))
        b = g.constant(d.rng.integers(-30000, 30000, units).astype(np.int32))
        dtype, memory, options["fusedActivationFunction"] = "int8", "int16", "RELU"
    else:
        x, h, y = {}, {}, {}
        both = [d.rng.normal(0, 1, (filters, n)).astype(np.float32) for n in (inputs, length)]
        if kind == "hybrid":
            w, t = (g.constant(codes(d, v.shape), scale=d.scale(2**-7, 1)) for v in both)
            options["asymmetricQuantizeInputs"] = d.chance("asymmetric", 0.4)
        else:
            w, t = (g.constant(v) for v in both)
        b = g.constant(d.rng.normal(0, 1, units).astype(np.float32))
        dtype = memory = "float32"
        options["fusedActivationFunction"] = d.pick("activation", ("NONE", "RELU", "RELU6"))
    source = g.input((batches, inputs), dtype, **x)
    state = g.tensor((batches, filters * length), memory, variable=True, **h)
    out = g.tensor((), dtype, **y)
    bias = b if d.chance("bias", 0.7) else None
    g.op("SVDF", [source, w, t, bias, state], [out], rank=rank, **options)
    return Case(g, [out], [d.values((batches, inputs), dtype)])
