"""How each op hands on the numbers of its channels: an op is one line in `RULES` and one function.

A rule marks what its op makes and returns True, or changes nothing that matters and returns False: then
all that the op touches stays as it is. `surgery` fits what ops say of sizes.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from edge_sdk.optimize.graph import BIAS, NO_TENSOR
from edge_sdk.optimize.prune.search import Search, storage
from edge_sdk.types import Array

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

Rule = Callable[[Search, Any], bool]


def _of_one(rule: Callable[[Search, Any, int, int, int], bool]) -> Rule:
    """A rule of ops that make one tensor of another; without numbers on an axis there is nothing to do."""

    def found(s: Search, op: Any) -> bool:
        (out,) = s.graph.op_outputs(op)
        tensor = s.graph.op_inputs(op)[0]
        axis = s.axis_of(tensor)
        return axis is None or rule(s, op, tensor, axis, out)

    return found


@_of_one
def _same(s: Search, op: Any, tensor: int, axis: int, out: int) -> bool:
    s.mark(out, axis, s.axes[tensor][axis])
    return True


def _binary(s: Search, op: Any) -> bool:
    (out,) = s.graph.op_outputs(op)
    rank = len(s.graph.shape(out))
    operands = s.graph.op_inputs(op)
    constants = [t for t in operands if storage(s.graph, t, s.producers) is not None]
    axes = {
        axis + rank - len(s.graph.shape(t))
        for t in operands
        if t not in constants and (axis := s.axis_of(t)) is not None
    }
    if len(axes) != 1:
        return not axes
    (axis,) = axes
    wide = s.graph.shape(out)[axis]
    ids: Array | None = None
    for tensor in operands:
        own = axis - rank + len(s.graph.shape(tensor))
        if tensor in constants or own < 0 or s.graph.shape(tensor)[own] != wide:
            continue
        found = s.at(tensor, own)
        if ids is not None:
            s.unite(ids, found)
        ids = found
    if ids is None:  # only one entry wide, repeated along the other operand
        return False
    for tensor in constants:
        own = axis - rank + len(s.graph.shape(tensor))
        if own >= 0 and s.graph.shape(tensor)[own] == wide:
            s.mark(tensor, own, ids)
    s.mark(out, axis, ids)
    return True


def _spatial(s: Search, op: Any) -> bool:
    (out,) = s.graph.op_outputs(op)
    s.mark(out, 3, s.at(s.graph.op_inputs(op)[0], 3))
    return True


@_of_one
def _reduce(s: Search, op: Any, tensor: int, axis: int, out: int) -> bool:
    over = s.values(op, 1)
    if over is None:
        return False
    gone = {a % len(s.graph.shape(tensor)) for a in over}
    if axis in gone:
        return False
    place = axis if op.builtinOptions.keepDims else axis - sum(a < axis for a in gone)
    s.mark(out, place, s.axes[tensor][axis])
    return True


@_of_one
def _reshape(s: Search, op: Any, tensor: int, axis: int, out: int) -> bool:
    """The numbers of all elements, in the new shape, must differ along one axis only."""
    if s.graph.kind(op) == "RESHAPE" and (
        s.values(op, 1) is None and getattr(op.builtinOptions, "newShape", None) is None
    ):
        return False
    ids, made = s.elements(tensor, axis), s.graph.shape(out)
    if ids.size != np.prod(made):  # open axes, which the file gives as 1
        return False
    ids = ids.reshape(made)
    for axis in reversed(range(ids.ndim)):
        lanes = np.moveaxis(ids, axis, -1).reshape(-1, ids.shape[axis])
        if (lanes == lanes[0]).all():
            s.mark(out, axis, lanes[0].copy())
            return True
    return False


@_of_one
def _pad(s: Search, op: Any, tensor: int, axis: int, out: int) -> bool:
    pads = s.values(op, 1)
    if pads is None:
        return False
    around = pads[2 * axis : 2 * axis + 2]
    if s.graph.kind(op) == "MIRROR_PAD" and any(around):
        return False
    before, after = (s.fresh(n) for n in around)
    s.mark(out, axis, np.concatenate([before, s.axes[tensor][axis], after]))
    return True


@_of_one
def _blocks(s: Search, op: Any, tensor: int, axis: int, out: int) -> bool:
    blocks = s.values(op, 1)
    if blocks is None or axis <= len(blocks):
        return False
    s.mark(out, axis, s.axes[tensor][axis])
    return True


@_of_one
def _slice(s: Search, op: Any, tensor: int, axis: int, out: int) -> bool:
    """A slice of other axes only; `surgery` leaves this one open."""
    if any(s.values(op, i) is None for i in range(1, len(s.graph.op_inputs(op)))):
        return False
    shape, made = s.graph.shape(tensor), s.graph.shape(out)
    if len(shape) != len(made) or shape[axis] != made[axis]:
        return False
    if s.graph.kind(op) == "STRIDED_SLICE":
        o, strides = op.builtinOptions, s.values(op, 3)
        if o.newAxisMask or o.shrinkAxisMask or o.ellipsisMask or (strides and strides[axis] != 1):
            return False
    s.mark(out, axis, s.axes[tensor][axis])
    return True


def _concatenation(s: Search, op: Any) -> bool:
    (out,) = s.graph.op_outputs(op)
    operands = s.graph.op_inputs(op)
    axes = {axis for t in operands if (axis := s.axis_of(t)) is not None}
    if len(axes) != 1:
        return not axes
    (axis,) = axes
    parts = [s.at(t, axis) for t in operands]
    if op.builtinOptions.axis % len(s.graph.shape(out)) == axis:
        s.mark(out, axis, np.concatenate(parts))
        return True
    for part in parts[1:]:
        s.unite(parts[0], part)
    s.mark(out, axis, parts[0])
    return True


def _split(s: Search, op: Any) -> bool:
    """Along other axes: parts of equal size cannot lose any channels."""
    tensor, along = s.graph.op_inputs(op)[1], s.values(op, 0)
    axis = s.axis_of(tensor)
    if axis is None or along is None or along[0] % len(s.graph.shape(tensor)) == axis:
        return axis is None
    for out in s.graph.op_outputs(op):
        s.mark(out, axis, s.axes[tensor][axis])
    return True


@_of_one
def _transpose(s: Search, op: Any, tensor: int, axis: int, out: int) -> bool:
    order = s.values(op, 1)
    if order is None:
        return False
    s.mark(out, order.index(axis), s.axes[tensor][axis])
    return True


def _layer(s: Search, op: Any, source: int, ids: Array | None, made: Array, out_axis: int) -> bool:
    """Marks weights [.., input channels last], bias and output of a layer."""
    (out,) = s.graph.op_outputs(op)
    given = s.graph.op_inputs(op)
    s.mark(given[1], out_axis, made)
    if ids is not None:
        s.mark(given[1], len(s.graph.shape(given[1])) - 1, ids)
    at = BIAS[s.graph.kind(op)]
    if len(given) > at and given[at] != NO_TENSOR:
        s.mark(given[at], 0, made)
    s.mark(out, len(s.graph.shape(out)) - 1, made)
    s.layers.append((s.position, source, made, ids))
    return True


def _known(s: Search, op: Any) -> bool:
    given, at = s.graph.op_inputs(op), BIAS[s.graph.kind(op)]
    parameters = [given[1], *(t for t in given[at : at + 1] if t != NO_TENSOR)]
    return all(s.is_float_constant(t) for t in parameters)


def _conv(s: Search, op: Any) -> bool:
    tensor, weights = s.graph.op_inputs(op)[:2]
    shape = s.graph.shape(weights)
    if not _known(s, op) or shape[3] != s.graph.shape(tensor)[3]:  # grouped
        return False
    return _layer(s, op, tensor, s.at(tensor, 3), s.fresh(shape[0]), 0)


def _depthwise(s: Search, op: Any) -> bool:
    tensor, weights = s.graph.op_inputs(op)[:2]
    if not _known(s, op):
        return False
    ids = s.at(tensor, 3)
    made = s.graph.shape(weights)[3]
    # One input channel: any number of outputs may be left of it. Else each input has as many.
    ids = s.fresh(made) if len(ids) == 1 else np.repeat(ids, made // len(ids))
    return _layer(s, op, tensor, None, ids, 3)


def _transpose_conv(s: Search, op: Any) -> bool:
    size, weights, tensor = s.graph.op_inputs(op)[:3]
    if not _known(s, op) or not s.graph.is_constant(size):
        return False
    return _layer(s, op, tensor, s.at(tensor, 3), s.fresh(s.graph.shape(weights)[0]), 0)


def _dense(s: Search, op: Any) -> bool:
    """Takes its input as [.., columns of the weights], whatever shape that has."""
    tensor, weights = s.graph.op_inputs(op)[:2]
    (out,) = s.graph.op_outputs(op)
    made, columns = s.graph.shape(weights)
    if not _known(s, op) or op.builtinOptions.weightsFormat or s.graph.shape(out)[-1] != made:
        return False
    axis = s.axis_of(tensor)
    if axis is None:
        ids = np.zeros(columns, np.int64)
    else:
        elements = s.elements(tensor, axis)
        if elements.size % columns:
            return False
        rows = elements.reshape(-1, columns)
        if not (rows == rows[0]).all():
            return False
        ids = rows[0].copy()
    return _layer(s, op, tensor, ids, s.fresh(made), 0)


RULES: dict[str, Rule] = {
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys(_BINARY, _binary),
    **dict.fromkeys(_SPATIAL, _spatial),
    **dict.fromkeys(_REDUCE, _reduce),
    **dict.fromkeys(_RESHAPE, _reshape),
    **dict.fromkeys(("MIRROR_PAD", "PAD", "PADV2"), _pad),
    **dict.fromkeys(("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"), _blocks),
    **dict.fromkeys(("SLICE", "STRIDED_SLICE"), _slice),
    "CONCATENATION": _concatenation,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "SPLIT": _split,
    "TRANSPOSE": _transpose,
    "TRANSPOSE_CONV": _transpose_conv,
}
