"""RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder

from .harness import SEAMS, Case, Draw, differential, dtype_of


def resize(op: str, d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    height, width = d.integer("in_h", 1, 12), d.integer("in_w", 1, 12)
    shape = (d.pick("batch", (1, 1, 2)), height, width, d.pick("depth", SEAMS[:17]))
    factor = d.pick("factor", (None, None, 2, 4))
    size = [
        d.integer(f"out_{a}", 1, 25) if factor is None else n * factor
        for a, n in (("h", height), ("w", width))
    ]
    q = d.quantization("q", kind)
    x = g.input(shape, dtype_of(kind), **q)
    y = g.tensor((), dtype_of(kind), **q)
    align, half = d.pick("align_corners, half_pixel_centers", ((False, False), (True, False), (False, True)))
    g.op(op, [x, g.constant(np.array(size, np.int32))], [y], alignCorners=align, halfPixelCenters=half)
    return Case(g, [y], [d.values(shape, kind)])


@differential("RESIZE_BILINEAR", "int8", "uint8", "int16", "float32", absolute=2e-5, relative=1e-5)
def resize_bilinear(d: Draw, kind: str) -> Case:
    return resize("RESIZE_BILINEAR", d, kind)


@differential(
    "RESIZE_NEAREST_NEIGHBOR",
    "int8",
    "uint8",
    "int16",
    "float32",
    "int32",
    "uint16",
    "uint32",
    "bool",
    "half",
)
def resize_nearest_neighbor(d: Draw, kind: str) -> Case:
    return resize("RESIZE_NEAREST_NEIGHBOR", d, kind)
