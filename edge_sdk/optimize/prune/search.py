"""Numbers for the entries of axes, and which of them are one: union-find over a graph's channels."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from edge_sdk.optimize.graph import NO_TENSOR, Graph
from edge_sdk.types import Array

KEEP = 0


def storage(graph: Graph, tensor: int, producers: dict[int, int]) -> int | None:
    """The constant that gives `tensor` its values: itself, or what a DEQUANTIZE makes it of (float16)."""
    if tensor == NO_TENSOR or graph.is_constant(tensor):
        return None if tensor == NO_TENSOR else tensor
    made_by = producers.get(tensor)
    if made_by is not None and graph.kind(graph.ops[made_by]) == "DEQUANTIZE":
        (origin,) = graph.op_inputs(graph.ops[made_by])
        if graph.is_constant(origin) and graph.type(origin) == "FLOAT16":
            return origin
    return None


class Search:
    """What `rules` are written in."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.producers = graph.producers()
        self.position = 0  # of the op at hand
        self.axes: dict[int, dict[int, Array]] = {}  # tensor -> axis -> the number of each entry
        self.uses: Counter[tuple[int, int]] = Counter()  # of constants: how many ops agree to the axis
        self.layers: list[tuple[int, int, Array, Array | None]] = []  # op, source, outputs, inputs
        self.parent = [KEEP]

    # Union-find. The root of what stays is the smallest, so that `root(KEEP)` is always KEEP.

    def root(self, i: int) -> int:
        while self.parent[i] != i:
            self.parent[i] = self.parent[self.parent[i]]
            i = self.parent[i]
        return i

    def unite(self, left: Array, right: Array) -> None:
        for a, b in zip(left, right):
            low, high = sorted((self.root(int(a)), self.root(int(b))))
            self.parent[high] = low

    def fresh(self, count: int) -> Array:
        first = len(self.parent)
        self.parent.extend(range(first, first + count))
        return np.arange(first, first + count)

    # What the rules are written in.

    def axis_of(self, tensor: int) -> int | None:
        """The axis of an activation that carries numbers, of which it has one at most."""
        return next(iter(self.axes.get(tensor, {})), None)

    def freeze(self, tensor: int) -> None:
        for ids in self.axes.get(tensor, {}).values():
            self.unite(ids, np.zeros_like(ids))

    def at(self, tensor: int, axis: int) -> Array:
        """The numbers on an axis; of a tensor that has them elsewhere or nowhere, that all stay."""
        if self.axis_of(tensor) != axis:
            self.freeze(tensor)
            return np.zeros(self.graph.shape(tensor)[axis], np.int64)
        return self.axes[tensor][axis]

    def mark(self, tensor: int, axis: int, ids: Array) -> None:
        """Gives an axis its numbers; a constant that several ops read unites theirs."""
        known = self.axes.setdefault(tensor, {}).setdefault(axis, ids)
        if known is not ids:
            self.unite(known, ids)
        self.uses[tensor, axis] += 1

    def ranked(self, op: Any) -> bool:
        """Whether the file says how many axes there are: an empty shape may mean that it does not."""
        tensors = [t for t in self.graph.op_inputs(op) if t in self.producers]
        return all(self.graph.shape(t) for t in [*tensors, *self.graph.op_outputs(op)])

    def values(self, op: Any, i: int) -> list[int] | None:
        """A constant parameter of an op."""
        given = self.graph.op_inputs(op)
        found = self.graph.constant(given[i]) if i < len(given) else None
        return None if found is None else [int(v) for v in found.reshape(-1)]

    def is_float_constant(self, tensor: int) -> bool:
        return (
            tensor != NO_TENSOR
            and self.graph.type(tensor) == "FLOAT32"
            and self.graph.main.tensors[tensor].sparsity is None
            and storage(self.graph, tensor, self.producers) is not None
        )

    def elements(self, tensor: int, axis: int) -> Array:
        """The number of each element of an activation."""
        shape = self.graph.shape(tensor)
        along = [1] * len(shape)
        along[axis] = -1
        return np.broadcast_to(self.axes[tensor][axis].reshape(along), shape)
