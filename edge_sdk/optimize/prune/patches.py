"""Second moments of what a convolution's kernel sees: its patches as rows, as its weights lie in the file."""

from __future__ import annotations

from typing import Any

import numpy as np

import edge_sdk
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.prune.statistics import showing
from edge_sdk.types import Array

_POSITIONS = 64  # patches of a sample, evenly picked
_WIDEST = 2048  # weights of an output channel


def inflow(model: bytes, layers: list[int], samples: Samples) -> dict[int, Array]:
    """Mean products [columns, columns] of the inputs of layers given by their position among the ops.

    Layers with too many columns, or for which there are too few samples, are left out.
    """
    graph = Graph(tflite_file.read(model))
    ops = {i: graph.ops[i] for i in layers if _columns(graph, graph.ops[i]) <= _WIDEST}
    sources = list(dict.fromkeys(graph.op_inputs(op)[0] for op in ops.values()))
    probe = edge_sdk.load(showing(model, sources), threads=1)
    given = len(probe.outputs) - len(sources)
    sums = {i: np.zeros((_columns(graph, op),) * 2) for i, op in ops.items()}
    counts = dict.fromkeys(ops, 0)
    for n in range(len(samples)):
        seen = dict(zip(sources, probe.run(samples.arrays(n, probe.inputs))[given:]))
        for i, op in ops.items():
            rows = _rows(graph, op, seen[graph.op_inputs(op)[0]])
            rows = rows[:: max(1, len(rows) // _POSITIONS)].astype(np.float64)
            sums[i] += rows.T @ rows
            counts[i] += len(rows)
    return {i: sums[i] / counts[i] for i in ops if counts[i] > 2 * len(sums[i])}


def _columns(graph: Graph, op: Any) -> int:
    return int(np.prod(graph.shape(graph.op_inputs(op)[1])[1:]))


def _rows(graph: Graph, op: Any, values: Array) -> Array:
    """Inner patches [n, columns]; those that reach over the border are left out."""
    if graph.kind(op) == "FULLY_CONNECTED":
        return values.reshape(-1, _columns(graph, op))
    _, high, wide, _ = graph.shape(graph.op_inputs(op)[1])
    o = op.builtinOptions
    reach = [(size - 1) * step + 1 for size, step in ((high, o.dilationHFactor), (wide, o.dilationWFactor))]
    if values.shape[1] < reach[0] or values.shape[2] < reach[1]:
        return np.zeros((0, _columns(graph, op)), values.dtype)
    windows: Array = np.lib.stride_tricks.sliding_window_view(values, reach, (1, 2))
    picked = windows[..., :: o.dilationHFactor, :: o.dilationWFactor]
    rows: Array = picked.transpose(0, 1, 2, 4, 5, 3).reshape(-1, _columns(graph, op))
    return rows
