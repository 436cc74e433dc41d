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
from typing import Any, Callable

import numpy as np

from edge_sdk.optimize.graph import BIAS, NO_TENSOR, Graph
from edge_sdk.types import Array

KEEP = 0

# fmt: off
_SAME = [
    "ABS", "CAST", "CEIL", "COS", "DEQUANTIZE", "ELU", "EXP", "FLOOR", "GELU", "HARD_SWISH", "LEAKY_RELU",
    "LOG", "LOGISTIC", "NEG", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "ROUND", "RSQRT", "SIGN", "SIN",
    "SQRT", "SQUARE", "TANH",
]
# fmt: on
_BINARY = ["ADD", "DIV", "MAXIMUM", "MINIMUM", "MUL", "POW", "PRELU", "SQUARED_DIFFERENCE", "SUB"]
_SPATIAL = ["AVERAGE_POOL_2D", "L2_POOL_2D", "MAX_POOL_2D", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"]
_REDUCE = ["MEAN", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "SUM"]
_RESHAPE = ["EXPAND_DIMS", "RESHAPE", "SQUEEZE"]


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


def find(graph: Graph) -> Channels:
    """The units of the main graph."""
    return _Search(graph).run()


class _Search:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.producers = graph.producers()
        self.parent = [KEEP]
        self.axes: dict[int, dict[int, Array]] = {}
        self.uses: Counter[tuple[int, int]] = Counter()  # of constants: how many ops agree to the axis
        self.layers: list[tuple[int, int, Array, Array | None]] = []
        self.rules: dict[str, Callable[[Any], bool]] = {
            **dict.fromkeys(_SAME, self._same),
            **dict.fromkeys(_BINARY, self._binary),
            **dict.fromkeys(_SPATIAL, self._spatial),
            **dict.fromkeys(_REDUCE, self._reduce),
            **dict.fromkeys(_RESHAPE, self._reshape),
            **dict.fromkeys(("MIRROR_PAD", "PAD", "PADV2"), self._pad),
            **dict.fromkeys(("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"), self._blocks),
            **dict.fromkeys(("SLICE", "STRIDED_SLICE"), self._slice),
            "CONCATENATION": self._concatenation,
            "SPLIT": self._split,
            "TRANSPOSE": self._transpose,
            "CONV_2D": self._conv,
            "DEPTHWISE_CONV_2D": self._depthwise,
            "TRANSPOSE_CONV": self._transpose_conv,
            "FULLY_CONNECTED": self._dense,
        }

    def run(self) -> Channels:
        for position, op in enumerate(self.graph.ops):
            self.position = position
            rule = self.rules.get(self.graph.kind(op))
            if rule is None or not self._ranked(op) or not rule(op):
                for tensor in [*self.graph.op_inputs(op), *self.graph.op_outputs(op)]:
                    self.freeze(tensor)
        for tensor in self.graph.outputs:
            self.freeze(tensor)
        reads = Counter(t for op in self.graph.ops for t in self.graph.op_inputs(op))
        for tensor, axes in self.axes.items():
            for axis, ids in axes.items():
                only = len(ids) == 1  # a tensor never loses all its channels
                origin = storage(self.graph, tensor, self.producers)
                shared = origin is not None and self.uses[tensor, axis] < reads[tensor]
                if only or shared or (origin not in (None, tensor) and reads[origin] > 1):
                    self.unite(ids, np.zeros_like(ids))
        return self._numbered()

    def _numbered(self) -> Channels:
        """Roots as numbers from 1 on; what stays is left out where a whole axis does."""
        roots = np.array([self.root(i) for i in range(len(self.parent))])
        units = np.zeros(len(roots), np.int64)
        numbers = np.unique(roots[roots != self.root(KEEP)])
        units[numbers] = np.arange(1, len(numbers) + 1)
        unit_of = units[roots]
        axes = {t: {a: unit_of[ids] for a, ids in of.items()} for t, of in self.axes.items()}
        for tensor in list(axes):
            origin = storage(self.graph, tensor, self.producers)
            if origin is not None:
                axes[origin] = axes[tensor]
        layers = []
        for position, source, outputs, inputs in self.layers:
            op = self.graph.ops[position]
            kind = self.graph.kind(op)
            given = self.graph.op_inputs(op)
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
                    self.graph.macs(op),
                )
            )
        return Channels(len(numbers), axes, tuple(layers))

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

    def _ranked(self, op: Any) -> bool:
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
            and storage(self.graph, tensor, self.producers) is not None
        )

    # The rules: each marks what an op makes, or says that it does not know.

    def _same(self, op: Any) -> bool:
        (out,) = self.graph.op_outputs(op)
        tensor = self.graph.op_inputs(op)[0]
        axis = self.axis_of(tensor)
        if axis is not None:
            self.mark(out, axis, self.axes[tensor][axis])
        return True

    def _binary(self, op: Any) -> bool:
        (out,) = self.graph.op_outputs(op)
        rank = len(self.graph.shape(out))
        operands = self.graph.op_inputs(op)
        constants = [t for t in operands if storage(self.graph, t, self.producers) is not None]
        axes = {
            axis + rank - len(self.graph.shape(t))
            for t in operands
            if t not in constants and (axis := self.axis_of(t)) is not None
        }
        if len(axes) != 1:
            return not axes
        (axis,) = axes
        wide = self.graph.shape(out)[axis]
        ids: Array | None = None
        for tensor in operands:
            own = axis - rank + len(self.graph.shape(tensor))
            if tensor in constants or own < 0 or self.graph.shape(tensor)[own] != wide:
                continue
            found = self.at(tensor, own)
            if ids is not None:
                self.unite(ids, found)
            ids = found
        if ids is None:  # only one entry wide, repeated along the other operand
            return False
        for tensor in constants:
            own = axis - rank + len(self.graph.shape(tensor))
            if own >= 0 and self.graph.shape(tensor)[own] == wide:
                self.mark(tensor, own, ids)
        self.mark(out, axis, ids)
        return True

    def _spatial(self, op: Any) -> bool:
        (out,) = self.graph.op_outputs(op)
        self.mark(out, 3, self.at(self.graph.op_inputs(op)[0], 3))
        return True

    def _reduce(self, op: Any) -> bool:
        (out,) = self.graph.op_outputs(op)
        tensor = self.graph.op_inputs(op)[0]
        axis, over = self.axis_of(tensor), self.values(op, 1)
        if axis is None or over is None:
            return axis is None
        gone = {a % len(self.graph.shape(tensor)) for a in over}
        if axis in gone:
            return False
        place = axis if op.builtinOptions.keepDims else axis - sum(a < axis for a in gone)
        self.mark(out, place, self.axes[tensor][axis])
        return True

    def _reshape(self, op: Any) -> bool:
        """The numbers of all elements, in the new shape, must differ along one axis only."""
        (out,) = self.graph.op_outputs(op)
        tensor = self.graph.op_inputs(op)[0]
        axis = self.axis_of(tensor)
        if axis is None:
            return True
        if self.graph.kind(op) == "RESHAPE" and (
            self.values(op, 1) is None and getattr(op.builtinOptions, "newShape", None) is None
        ):
            return False
        ids, made = self._elements(tensor, axis), self.graph.shape(out)
        if ids.size != np.prod(made):  # open axes, which the file gives as 1
            return False
        ids = ids.reshape(made)
        for axis in reversed(range(ids.ndim)):
            lanes = np.moveaxis(ids, axis, -1).reshape(-1, ids.shape[axis])
            if (lanes == lanes[0]).all():
                self.mark(out, axis, lanes[0].copy())
                return True
        return False

    def _elements(self, tensor: int, axis: int) -> Array:
        """The number of each element of an activation."""
        shape = self.graph.shape(tensor)
        along = [1] * len(shape)
        along[axis] = -1
        return np.broadcast_to(self.axes[tensor][axis].reshape(along), shape)

    def _pad(self, op: Any) -> bool:
        (out,) = self.graph.op_outputs(op)
        tensor = self.graph.op_inputs(op)[0]
        axis, pads = self.axis_of(tensor), self.values(op, 1)
        if axis is None or pads is None:
            return axis is None
        around = pads[2 * axis : 2 * axis + 2]
        if self.graph.kind(op) == "MIRROR_PAD" and any(around):
            return False
        before, after = (self.fresh(n) for n in around)
        self.mark(out, axis, np.concatenate([before, self.axes[tensor][axis], after]))
        return True

    def _blocks(self, op: Any) -> bool:
        (out,) = self.graph.op_outputs(op)
        tensor = self.graph.op_inputs(op)[0]
        axis, blocks = self.axis_of(tensor), self.values(op, 1)
        if axis is None or blocks is None or axis <= len(blocks):
            return axis is None
        self.mark(out, axis, self.axes[tensor][axis])
        return True

    def _slice(self, op: Any) -> bool:
        """A slice of other axes only; `surgery` leaves this one open."""
        (out,) = self.graph.op_outputs(op)
        tensor = self.graph.op_inputs(op)[0]
        axis = self.axis_of(tensor)
        if axis is None:
            return True
        if any(self.values(op, i) is None for i in range(1, len(self.graph.op_inputs(op)))):
            return False
        shape, made = self.graph.shape(tensor), self.graph.shape(out)
        if len(shape) != len(made) or shape[axis] != made[axis]:
            return False
        if self.graph.kind(op) == "STRIDED_SLICE":
            o, strides = op.builtinOptions, self.values(op, 3)
            if o.newAxisMask or o.shrinkAxisMask or o.ellipsisMask or (strides and strides[axis] != 1):
                return False
        self.mark(out, axis, self.axes[tensor][axis])
        return True

    def _concatenation(self, op: Any) -> bool:
        (out,) = self.graph.op_outputs(op)
        operands = self.graph.op_inputs(op)
        axes = {axis for t in operands if (axis := self.axis_of(t)) is not None}
        if len(axes) != 1:
            return not axes
        (axis,) = axes
        parts = [self.at(t, axis) for t in operands]
        if op.builtinOptions.axis % len(self.graph.shape(out)) == axis:
            self.mark(out, axis, np.concatenate(parts))
            return True
        for part in parts[1:]:
            self.unite(parts[0], part)
        self.mark(out, axis, parts[0])
        return True

    def _split(self, op: Any) -> bool:
        """Along other axes: parts of equal size cannot lose any channels."""
        tensor, along = self.graph.op_inputs(op)[1], self.values(op, 0)
        axis = self.axis_of(tensor)
        if axis is None or along is None or along[0] % len(self.graph.shape(tensor)) == axis:
            return axis is None
        for out in self.graph.op_outputs(op):
            self.mark(out, axis, self.axes[tensor][axis])
        return True

    def _transpose(self, op: Any) -> bool:
        (out,) = self.graph.op_outputs(op)
        tensor = self.graph.op_inputs(op)[0]
        axis, order = self.axis_of(tensor), self.values(op, 1)
        if axis is None or order is None:
            return axis is None
        self.mark(out, order.index(axis), self.axes[tensor][axis])
        return True

    def _layer(self, op: Any, source: int, ids: Array | None, made: Array, out_axis: int) -> bool:
        """Marks weights [.., input channels last], bias and output of a layer."""
        (out,) = self.graph.op_outputs(op)
        given = self.graph.op_inputs(op)
        self.mark(given[1], out_axis, made)
        if ids is not None:
            self.mark(given[1], len(self.graph.shape(given[1])) - 1, ids)
        at = BIAS[self.graph.kind(op)]
        if len(given) > at and given[at] != NO_TENSOR:
            self.mark(given[at], 0, made)
        self.mark(out, len(self.graph.shape(out)) - 1, made)
        self.layers.append((self.position, source, made, ids))
        return True

    def _known(self, op: Any) -> bool:
        given, at = self.graph.op_inputs(op), BIAS[self.graph.kind(op)]
        parameters = [given[1], *(t for t in given[at : at + 1] if t != NO_TENSOR)]
        return all(self.is_float_constant(t) for t in parameters)

    def _conv(self, op: Any) -> bool:
        tensor, weights = self.graph.op_inputs(op)[:2]
        shape = self.graph.shape(weights)
        if not self._known(op) or shape[3] != self.graph.shape(tensor)[3]:  # grouped
            return False
        return self._layer(op, tensor, self.at(tensor, 3), self.fresh(shape[0]), 0)

    def _depthwise(self, op: Any) -> bool:
        tensor, weights = self.graph.op_inputs(op)[:2]
        if not self._known(op):
            return False
        ids = self.at(tensor, 3)
        made = self.graph.shape(weights)[3]
        # One input channel: any number of outputs may be left of it. Else each input has as many.
        ids = self.fresh(made) if len(ids) == 1 else np.repeat(ids, made // len(ids))
        return self._layer(op, tensor, None, ids, 3)

    def _transpose_conv(self, op: Any) -> bool:
        size, weights, tensor = self.graph.op_inputs(op)[:3]
        if not self._known(op) or not self.graph.is_constant(size):
            return False
        return self._layer(op, tensor, self.at(tensor, 3), self.fresh(self.graph.shape(weights)[0]), 0)

    def _dense(self, op: Any) -> bool:
        """Takes its input as [.., columns of the weights], whatever shape that has."""
        tensor, weights = self.graph.op_inputs(op)[:2]
        (out,) = self.graph.op_outputs(op)
        made, columns = self.graph.shape(weights)
        if not self._known(op) or op.builtinOptions.weightsFormat or self.graph.shape(out)[-1] != made:
            return False
        axis = self.axis_of(tensor)
        if axis is None:
            ids = np.zeros(columns, np.int64)
        else:
            elements = self._elements(tensor, axis)
            if elements.size % columns:
                return False
            rows = elements.reshape(-1, columns)
            if not (rows == rows[0]).all():
                return False
            ids = rows[0].copy()
        return self._layer(op, tensor, ids, self.fresh(made), 0)
