"""Convolutions of volumes."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from .harness import ACTIVATIONS, Case, Draw, differential

CHANNELS = (1, 2, 3, 5, 8, 9, 16, 17)


def axes(d: Draw, padding: str) -> tuple[list[int], list[int], dict[str, Any]]:
    """Sizes of the plain convolution's input and of its filter, and the options."""
    sizes, filters = [], []
    options: dict[str, Any] = {"padding": padding, "fusedActivationFunction": d.pick("act", ACTIVATIONS)}
    for a in "dhw":
        stride, dilation = d.pick(f"stride_{a}", (1, 1, 2, 3)), d.pick(f"dilation_{a}", (1, 1, 2, 3))
        filters.append(d.pick(f"filter_{a}", (1, 2, 3)))
        size, least = d.integer(f"size_{a}", 1, 8), (filters[-1] - 1) * dilation + 1
        sizes.append(d.note(f"size_{a}", max(size, least) if padding == "VALID" else size))
        options |= {f"stride{a.upper()}": stride, f"dilation{a.upper()}Factor": dilation}
    return sizes, filters, options


def constants(d: Draw, g: GraphBuilder, shape: tuple[int, ...], out: int) -> tuple[int, list[int]]:
    w = g.constant((d.values(shape, "float32") / 4).astype(np.float32))
    return w, [g.constant(d.values((out,), "float32"))] if d.chance("bias", 0.6) else []


@differential("CONV_3D", "float32", absolute=1e-4, relative=1e-5)
def conv_3d(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    sizes, filters, options = axes(d, d.pick("padding", ("SAME", "VALID")))
    depth, out = d.pick("depth", CHANNELS), d.pick("out", CHANNELS)
    shape = (d.integer("batch", 1, 2), *sizes, depth)
    x, y = g.input(shape, kind), g.tensor((), kind)
    w, bias = constants(d, g, (*filters, depth, out), out)
    g.op("CONV_3D", [x, w, *bias], [y], **options)
    return Case(g, [y], [d.values(shape, kind)])


@differential("CONV_3D_TRANSPOSE", "float32", absolute=1e-4, relative=1e-5)
def conv_3d_transpose(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    padding = d.pick("padding", ("SAME", "VALID"))
    sizes, filters, options = axes(d, padding)
    depth, out, batch = d.pick("depth", CHANNELS), d.pick("out", CHANNELS), d.integer("batch", 1, 2)
    inner = []
    for a, size, filter_size in zip("DHW", sizes, filters):
        cut = 0 if padding == "SAME" else (filter_size - 1) * options[f"dilation{a}Factor"]
        inner.append(-(-(size - cut) // options[f"stride{a}"]))
    shape = (batch, *inner, depth)
    w, bias = constants(d, g, (*filters, out, depth), out)
    extents = g.constant(np.array([batch, *sizes, out], np.int32))
    x, y = g.input(shape, kind), g.tensor((), kind)
    g.op("CONV_3D_TRANSPOSE", [extents, w, x, *bias], [y], **options)
    return Case(g, [y], [d.values(shape, kind)])
