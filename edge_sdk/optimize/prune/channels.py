"""Which channels of a graph can only be removed together, and which must stay.

The dependency groups of DepGraph (Fang et al., "Towards Any Structural Pruning", CVPR 2023), found on
the .tflite graph itself: each axis that may lose entries carries a number an entry, ops hand the
numbers on or unite them (union-find), and all entries of one number, a *unit*, stay or go together.
A flattened [h, w, c] so repeats its c numbers h * w times, a concatenation puts two lists behind one
another, a sum unites two. Unit 0 stays: what the graph takes and gives, and all that an op touches for
which there is no rule here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from edge_sdk.optimize.graph import BIAS, NO_TENSOR, Graph
from edge_sdk.optimize.prune.rules import RULES
from edge_sdk.optimize.prune.search import KEEP, Search, storage
from edge_sdk.types import Array


@dataclass(frozen=True)
class Layer:
    """An op with weights of which channels may be removed."""

    op: int
    kind: str
    weights: int  # the tensor that the op reads
    bias: int  # or NO_TENSOR
    source: int  # the activation that it reads
    outputs: Array  # the unit of each output channel
    inputs: Array | None  # the unit of each input channel; None where outputs are inputs (depthwise)
    macs: int


@dataclass(frozen=True)
class Channels:
    """The units of a graph."""

    count: int  # units, without the one that stays: they are numbered from 1 on
    axes: dict[int, dict[int, Array]]  # tensor -> axis -> the unit of each entry
    layers: tuple[Layer, ...]


def find(graph: Graph) -> Channels:
    """The units of the main graph."""
    search = Search(graph)
    for position, op in enumerate(graph.ops):
        search.position = position
        rule = RULES.get(graph.kind(op))
        if rule is None or not search.ranked(op) or not rule(search, op):
            for tensor in [*graph.op_inputs(op), *graph.op_outputs(op)]:
                search.freeze(tensor)
    for tensor in graph.outputs:
        search.freeze(tensor)
    reads = Counter(t for op in graph.ops for t in graph.op_inputs(op))
    for tensor, axes in search.axes.items():
        for axis, ids in axes.items():
            only = len(ids) == 1  # a tensor never loses all its channels
            origin = storage(graph, tensor, search.producers)
            shared = origin is not None and search.uses[tensor, axis] < reads[tensor]
            if only or shared or (origin not in (None, tensor) and reads[origin] > 1):
                search.unite(ids, np.zeros_like(ids))
    return _numbered(search)


def _numbered(search: Search) -> Channels:
    """Roots as numbers from 1 on; what stays is left out where a whole axis does."""
    roots = np.array([search.root(i) for i in range(len(search.parent))])
    units = np.zeros(len(roots), np.int64)
    numbers = np.unique(roots[roots != search.root(KEEP)])
    units[numbers] = np.arange(1, len(numbers) + 1)
    unit_of = units[roots]
    axes = {t: {a: unit_of[ids] for a, ids in of.items()} for t, of in search.axes.items()}
    for tensor in list(axes):
        origin = storage(search.graph, tensor, search.producers)
        if origin is not None:
            axes[origin] = axes[tensor]
    layers = []
    for position, source, outputs, inputs in search.layers:
        op = search.graph.ops[position]
        kind = search.graph.kind(op)
        given = search.graph.op_inputs(op)
        bias = given[BIAS[kind]] if len(given) > BIAS[kind] else NO_TENSOR
        layers.append(
            Layer(
                position,
                kind,
                given[1],
                bias,
                source,
                unit_of[outputs],
                None if inputs is None else unit_of[inputs],
                search.graph.macs(op),
            )
        )
    return Channels(len(numbers), axes, tuple(layers))
