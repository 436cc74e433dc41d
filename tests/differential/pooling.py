"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from builders import GraphBuilder

from .harness import ACTIVATIONS, SEAMS, Case, Draw, differential, dtype_of


def pool(op: str, d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    padding = d.pick("padding", ("SAME", "VALID"))
    sizes, filters, strides = [], [], []
    for axis in "hw":
        size = d.integer(f"in_{axis}", 1, 15)
        filter_size = d.integer(f"filter_{axis}", 1, 7)
        if padding == "VALID":
            filter_size = d.note(f"filter_{axis}", min(size, filter_size))
        if d.chance(f"global_{axis}", 0.15):
            filter_size = d.note(f"filter_{axis}", size)
        sizes.append(size)
        filters.append(filter_size)
        strides.append(d.pick(f"stride_{axis}", (1, 1, 2, 3)))
    shape = (d.pick("batch", (1, 1, 2)), *sizes, d.pick("depth", SEAMS))
    q = d.quantization("q", kind)
    x = g.input(shape, dtype_of(kind), **q)
    y = g.tensor((), dtype_of(kind), **q)
    g.op(
        op, [x], [y],
        padding=padding, filterHeight=filters[0], filterWidth=filters[1],
        strideH=strides[0], strideW=strides[1],
        fusedActivationFunction=d.pick("activation", ACTIVATIONS),
    )  # fmt: skip
    return Case(g, [y], [d.values(shape, kind)])


@differential("AVERAGE_POOL_2D", "int8", "uint8", "int16", "float32", absolute=1e-5)
def average_pool(d: Draw, kind: str) -> Case:
    return pool("AVERAGE_POOL_2D", d, kind)


@differential("MAX_POOL_2D", "int8", "uint8", "int16", "float32")
def max_pool(d: Draw, kind: str) -> Case:
    return pool("MAX_POOL_2D", d, kind)
