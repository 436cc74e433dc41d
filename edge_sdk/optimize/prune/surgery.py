"""Removes units of channels from a graph: smaller weights, shapes and parameters, nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.prune.channels import Channels
from edge_sdk.types import Array

_SIZED = ["DEPTHWISE_CONV_2D", "PAD", "PADV2", "RESHAPE", "SLICE", "STRIDED_SLICE", "TRANSPOSE_CONV"]


def cut(graph: Graph, channels: Channels, gone: Array) -> None:
    """Takes the units out for which `gone` [1 + units] is set; entry 0 is what stays."""
    changed: dict[int, dict[int, Array]] = {
        tensor: kept
        for tensor, axes in channels.axes.items()
        if (kept := {axis: np.flatnonzero(~gone[ids]) for axis, ids in axes.items() if gone[ids].any()})
    }
    for op in graph.ops:
        _fit_parameters(graph, op, changed, channels)
    for tensor, axes in changed.items():
        values = graph.constant(tensor)
        if values is not None:
            for axis, left in axes.items():
                values = values.take(left, axis)
            graph.set_constant(tensor, values)
            continue
        found = graph.main.tensors[tensor]
        shape = list(graph.shape(tensor))
        signature = None if found.shapeSignature is None else list(found.shapeSignature)
        for axis, left in axes.items():
            shape[axis] = len(left)
            if signature:
                signature[axis] = len(left) if signature[axis] != -1 else -1
        found.shape = np.asarray(shape, np.int32)
        found.shapeSignature = np.asarray(signature, np.int32) if signature else None
    graph.collect()


def _fit_parameters(graph: Graph, op: Any, changed: dict[int, dict[int, Array]], channels: Channels) -> None:
    """What an op says of sizes elsewhere than in its tensors' shapes."""
    kind, outputs = graph.kind(op), graph.op_outputs(op)
    if kind not in _SIZED or outputs[0] not in changed:
        return
    ((axis, kept),) = changed[outputs[0]].items()
    if kind == "RESHAPE":
        if getattr(op.builtinOptions, "newShape", None) is not None:
            op.builtinOptions.newShape = _with(op.builtinOptions.newShape, axis, len(kept))
        if len(graph.op_inputs(op)) > 1:
            _replace(graph, op, 1, lambda shape: _with(shape, axis, len(kept)))
    elif kind == "TRANSPOSE_CONV":
        _replace(graph, op, 0, lambda shape: _with(shape, axis, len(kept)))
    elif kind == "SLICE":
        _replace(graph, op, 2, lambda size: _with(size, axis, -1))
    elif kind == "STRIDED_SLICE":
        op.builtinOptions.beginMask |= 1 << axis
        op.builtinOptions.endMask |= 1 << axis
    elif kind.startswith("PAD"):
        source = graph.op_inputs(op)[0]
        inner = len(channels.axes[source][axis])

        def fewer(pads: Array) -> Array:
            before = int(pads[axis, 0])
            pads[axis] = (kept < before).sum(), (kept >= before + inner).sum()
            return pads

        _replace(graph, op, 1, fewer)
    elif kind == "DEPTHWISE_CONV_2D":
        source = graph.op_inputs(op)[0]
        wide = changed[source][axis] if source in changed else np.arange(graph.shape(source)[axis])
        op.builtinOptions.depthMultiplier = len(kept) // len(wide)


def _with(sizes: Any, axis: int, size: int) -> Array:
    fitted = np.array(sizes)
    if fitted[axis] != -1:
        fitted[axis] = size
    return fitted


def _replace(graph: Graph, op: Any, i: int, change: Any) -> None:
    """Gives an op a changed parameter of its own: others may share the old one."""
    old = graph.op_inputs(op)[i]
    values = graph.constant(old)
    assert values is not None  # `channels` follows no op whose parameters are computed
    fitted = change(values.copy())
    if np.array_equal(fitted, values):
        return
    new = graph.add_tensor(f"{graph.name(old)}/pruned", fitted.shape)
    graph.set_constant(new, fitted.astype(values.dtype))
    given = graph.op_inputs(op)
    given[i] = new
    op.inputs = given
