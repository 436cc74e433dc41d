"""BATCH_MATMUL."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder

from .harness import SEAMS, Case, Draw, differential
from .hybrid import floats

TYPES = {
    "float32": ("float32", "float32", "float32"),
    "int8": ("int8", "int8", "int8"),
    "int32": ("int8", "int8", "int32"),
    "int16": ("int16", "int16", "int16"),
    "int16_int8": ("int16", "int8", "int16"),
    "hybrid": ("float32", "int8", "float32"),
}


@differential("BATCH_MATMUL", *TYPES, absolute=1e-4, relative=1e-5)
def batch_matmul(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    x_type, w_type, y_type = TYPES[kind]
    rows, depth, cols = (d.pick(name, SEAMS) for name in ("rows", "depth", "cols"))
    adj_x, adj_y = d.chance("adj_x", 0.3), d.chance("adj_y", 0.5)
    batch = [int(n) for n in d.rng.integers(1, 4, int(d.rng.integers(0, 4)))]
    # Axes of one operand may be 1, and the first ones missing.
    x_batch, w_batch = list(batch), list(batch)
    for i in range(len(batch)):
        side = d.rng.random()
        if side < 0.2:
            x_batch[i] = 1
        elif side < 0.4:
            w_batch[i] = 1
    if kind == "hybrid":  # the reference loses its way among the sums of broadcast matrices
        batch[:-1] = [1] * len(batch[:-1])
        x_batch, w_batch = list(batch), list(batch)
    elif batch and d.chance("shorter", 0.3):
        w_batch = w_batch[int(d.rng.integers(len(w_batch) + 1)) :]
    x_shape = d.note("x", (*x_batch, *((depth, rows) if adj_x else (rows, depth))))
    w_shape = d.note("w", (*w_batch, *((cols, depth) if adj_y else (depth, cols))))
    q = d.quantization("qx", x_type)
    x = g.input(x_shape, x_type, **q)
    values = d.values(w_shape, w_type)
    p = d.quantization("qw", w_type)
    if kind == "hybrid" or x_type == "int16":
        p["zero_point"] = 0
    if kind == "hybrid":
        values = np.maximum(values, -127)
    inputs = [floats(d, x_shape) if x_type == "float32" else d.values(x_shape, x_type)]
    if d.chance("constant", 0.4):
        w = g.constant(values, **p)
    else:
        w = g.input(w_shape, w_type, **p)
        inputs.append(values)
    spread = {"int16": 20.0, "int16_int8": 20.0}.get(kind, 40.0)
    middle = q.get("scale", 1) * p.get("scale", 1) * spread * depth**0.5
    if x_type == "int16":
        middle *= 100
    y = g.tensor((), y_type, **d.quantization("qy", y_type, middle, 2))
    g.op(
        "BATCH_MATMUL", [x, w], [y], adjX=adj_x, adjY=adj_y,
        asymmetricQuantizeInputs=kind == "hybrid" and d.chance("asymmetric", 0.5),
    )  # fmt: skip
    return Case(g, [y], inputs)
