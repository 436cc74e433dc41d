"""Ops that move elements without changing them."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import GraphBuilder

from .harness import Case, Draw, differential, dtype_of, quantized

ANY = (
    "int8",
    "uint8",
    "int16",
    "uint16",
    "float32",
    "half",
    "float64",
    "int32",
    "uint32",
    "int64",
    "bool",
    "complex64",
)


def moving(
    d: Draw, op: str, kind: str, shape: tuple[int, ...], constants: tuple[Any, ...], **options: Any
) -> Case:
    """An op on one data input followed by constants, with one output."""
    g = GraphBuilder()
    q = d.quantization("q", kind) if quantized(kind) else {}
    x = g.input(shape, dtype_of(kind), **q)
    y = g.tensor((), dtype_of(kind), **q)
    g.op(op, [x, *(g.constant(c) for c in constants)], [y], **options)
    return Case(g, [y], [d.values(shape, kind)])


@differential("RESHAPE", *ANY)
def reshape(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 5)
    left, new = int(np.prod(shape)), []
    while left > 1 and len(new) < 5 and d.rng.random() < 0.7:
        divisors = [n for n in range(1, left + 1) if left % n == 0]
        new.append(int(d.rng.choice(divisors)))
        left //= new[-1]
    new.append(left)
    if d.chance("minus_one", 0.4):
        new[int(d.rng.integers(len(new)))] = -1
    target = np.array(d.note("new_shape", new), np.int32)
    form = d.pick("given_as", ("input", "option", "both"))
    constants = () if form == "option" else (target,)
    options = {} if form == "input" else {"newShape": target}
    return moving(d, "RESHAPE", kind, shape, constants, **options)


@differential("SQUEEZE", *ANY)
def squeeze(d: Draw, kind: str) -> Case:
    shape = list(d.shape("shape", 2, 5))
    ones = sorted({int(d.rng.integers(len(shape))) for _ in range(2)})
    for axis in ones:
        shape[axis] = 1
    axes = d.pick("axes", ([], ones, ones[:1], [a - len(shape) for a in ones]))
    return moving(d, "SQUEEZE", kind, d.note("shape", tuple(shape)), (), squeezeDims=np.array(axes, np.int32))


@differential("TRANSPOSE", *ANY)
def transpose(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 5)
    return moving(
        d, "TRANSPOSE", kind, shape, (d.note("perm", d.rng.permutation(len(shape)).astype(np.int32)),)
    )


@differential("PAD", "int8", "uint8", "int16", "float32", "int32", "int64", "half", "bool")
def pad(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 5, limit=200)
    paddings = d.rng.integers(0, 4, (len(shape), 2)) * (d.rng.random((len(shape), 1)) < 0.6)
    dtype = d.pick("paddings_dtype", ("int32", "int64", "int8", "int16"))
    return moving(d, "PAD", kind, shape, (d.note("paddings", paddings.astype(dtype)),))


@differential("PADV2", "int8", "uint8", "int16", "float32", "int32", "int64", "half", "bool")
def padv2(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 5, limit=200)
    paddings = d.rng.integers(0, 4, (len(shape), 2)) * (d.rng.random((len(shape), 1)) < 0.6)
    q = d.quantization("q", kind) if quantized(kind) else {}
    x = g.input(shape, dtype_of(kind), **q)
    value = g.constant(d.note("value", d.values((1,), kind)), **q)
    y = g.tensor((), dtype_of(kind), **q)
    g.op("PADV2", [x, g.constant(d.note("paddings", paddings.astype(np.int32))), value], [y])
    return Case(g, [y], [d.values(shape, kind)])


@differential("EXPAND_DIMS", *ANY)
def expand_dims(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 4)
    axis = d.integer("axis", -len(shape) - 1, len(shape))
    return moving(d, "EXPAND_DIMS", kind, shape, (np.array(axis, np.int32),))


@differential("TILE", *ANY)
def tile(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 4, limit=100)
    times = d.note(
        "times", d.rng.integers(1, 4, len(shape)).astype(d.pick("times_dtype", ("int32", "int64")))
    )
    return moving(d, "TILE", kind, shape, (times,))


@differential("BROADCAST_TO", *ANY)
def broadcast_to(d: Draw, kind: str) -> Case:
    target = d.shape("target", 1, 5)
    shape = [1 if d.rng.random() < 0.5 else n for n in target]
    shape = shape[int(d.rng.integers(len(shape))) :] if d.chance("shorter", 0.4) else shape
    return moving(
        d, "BROADCAST_TO", kind, d.note("shape", tuple(shape)), (np.array(target, np.int32),), version=2
    )


@differential("FILL", *ANY)
def fill(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    q = d.quantization("q", kind) if quantized(kind) else {}
    target = np.array(d.shape("target", 0, 4), d.pick("target_dtype", ("int32", "int64")))
    x = g.input((), dtype_of(kind), **q)
    y = g.tensor((), dtype_of(kind), **q)
    g.op("FILL", [g.constant(target), x], [y])
    return Case(g, [y], [d.values((), kind)])


BLOCK_KINDS = ("int8", "uint8", "float32", "int32", "int64")


@differential("SPACE_TO_DEPTH", *BLOCK_KINDS)
def space_to_depth(d: Draw, kind: str) -> Case:
    block = d.integer("block", 1, 4)
    height, width, depth = (int(n) for n in d.rng.integers(1, 7, 3))
    shape = d.note("shape", (d.pick("batch", (1, 2)), height * block, width * block, depth))
    return moving(d, "SPACE_TO_DEPTH", kind, shape, (), blockSize=block)


@differential("DEPTH_TO_SPACE", *BLOCK_KINDS)
def depth_to_space(d: Draw, kind: str) -> Case:
    block = d.integer("block", 1, 4)
    height, width, depth = (int(n) for n in d.rng.integers(1, 7, 3))
    shape = d.note("shape", (d.pick("batch", (1, 2)), height, width, depth * block * block))
    return moving(d, "DEPTH_TO_SPACE", kind, shape, (), blockSize=block)


@differential("SLICE", *ANY)
def slice_(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 5)
    begin = [int(d.rng.integers(n)) for n in shape]
    size = [-1 if d.rng.random() < 0.3 else int(d.rng.integers(1, n - b + 1)) for n, b in zip(shape, begin)]
    dtype = d.pick("index_dtype", ("int32", "int64"))
    d.note("begin", begin), d.note("size", size)
    return moving(d, "SLICE", kind, shape, (np.array(begin, dtype), np.array(size, dtype)))


@differential("STRIDED_SLICE", *ANY)
def strided_slice(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 1, 4)
    begin, end, stride = [], [], []
    masks = dict.fromkeys(("beginMask", "endMask", "ellipsisMask", "newAxisMask", "shrinkAxisMask"), 0)

    def spec(b: int, e: int, s: int, mask: str | None = None) -> None:
        if mask:
            masks[mask] |= 1 << len(begin)
        begin.append(b), end.append(e), stride.append(s)

    axis = 0
    ellipsis_at = int(d.rng.integers(len(shape))) if d.rng.random() < 0.2 else -1
    while axis < len(shape):
        if len(begin) < 4 and len(shape) < 4 and d.rng.random() < 0.1:
            spec(0, 0, 1, "newAxisMask")
        n = shape[axis]
        if axis == ellipsis_at:
            spec(0, 0, 1, "ellipsisMask")
            axis += int(d.rng.integers(1, len(shape) - axis + 1))
            if axis < len(shape) and d.rng.random() < 0.5:  # what follows must name every axis up to the end
                continue
            axis = len(shape)
        elif d.rng.random() < 0.2:
            at = int(d.rng.integers(n))
            at = at - n if d.rng.random() < 0.4 else at
            spec(at, at + 1, 1, "shrinkAxisMask")
            axis += 1
        else:
            first, last = sorted(int(i) for i in d.rng.integers(0, n, 2))
            step = int(d.rng.integers(1, 4))
            b, e = (first, last + 1) if d.rng.random() < 0.7 else (last, first - 1)
            s = step if e > b else -step
            if d.rng.random() < 0.2:
                masks["beginMask"] |= 1 << len(begin)
            if e == -1 or d.rng.random() < 0.2:  # -1 would mean the last element
                masks["endMask"] |= 1 << len(begin)
            b = b - n if d.rng.random() < 0.3 else b
            e = n + 5 if s > 0 and e == n and d.rng.random() < 0.3 else e
            spec(b, e, s)
            axis += 1
            if ellipsis_at < 0 and d.rng.random() < 0.1:
                break  # axes that are not named are taken whole
    for name, mask in masks.items():
        d.note(name, bin(mask))
    d.note("begin", begin), d.note("end", end), d.note("stride", stride)
    constants = tuple(np.array(v, np.int32) for v in (begin, end, stride))
    return moving(d, "STRIDED_SLICE", kind, shape, constants, **masks)


@differential("GATHER", *(kind for kind in ANY if kind not in ("uint16", "float64", "uint32", "complex64")))
def gather(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4)
    axis = d.integer("axis", 0, len(shape) - 1)
    batch_dims = d.integer("batch_dims", 0, min(axis, 1)) if d.chance("batched", 0.3) else 0
    index_shape = (*shape[:batch_dims], *d.shape("indices", 0 if batch_dims == 0 else 1, 2, limit=12))
    dtype = d.pick("index_dtype", ("int32", "int64"))
    indices = d.rng.integers(0, shape[axis], index_shape).astype(dtype)
    q = d.quantization("q", kind) if quantized(kind) else {}
    x = g.input(shape, dtype_of(kind), **q)
    inputs = [d.values(shape, kind)]
    if d.chance("constant_indices", 0.5):
        i = g.constant(indices)
    else:
        i = g.input(index_shape, dtype)
        inputs.append(indices)
    y = g.tensor((), dtype_of(kind), **q)
    negative = d.chance("negative_axis", 0.3)
    g.op("GATHER", [x, i], [y], axis=axis - len(shape) if negative else axis, batchDims=batch_dims)
    return Case(g, [y], inputs)


@differential("GATHER_ND", "int8", "uint8", "float32", "int32", "int64", "bool", "int16", "half")
def gather_nd(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 4)
    depth = d.integer("depth", 1, len(shape))
    count = d.shape("indices", 0, 2, limit=12)
    dtype = d.pick("index_dtype", ("int32", "int64"))
    indices = np.stack([d.rng.integers(0, n, count) for n in shape[:depth]], axis=-1).astype(dtype)
    x = g.input(shape, dtype_of(kind), **(d.quantization("q", kind) if quantized(kind) else {}))
    i = g.input(indices.shape, dtype)
    y = g.tensor((), dtype_of(kind))
    g.op("GATHER_ND", [x, i], [y])
    return Case(g, [y], [d.values(shape, kind), indices])


def joining(d: Draw, op: str, kind: str, shapes: list[tuple[int, ...]], same: bool, **options: Any) -> Case:
    """An op on several inputs; where not `same`, each has a quantization of its own."""
    g = GraphBuilder()
    q = d.quantization("q", kind) if quantized(kind) else {}
    inputs, tensors = [], []
    for number, shape in enumerate(shapes):
        own = q if same or d.rng.random() < 0.3 else d.quantization(f"q{number}", kind, q["scale"], 2)
        values = d.values(shape, kind)
        if len(shapes) > 1 and d.rng.random() < 0.15 and inputs:
            tensors.append(g.constant(values, **own))
        else:
            tensors.append(g.input(shape, dtype_of(kind), **own))
            inputs.append(values)
    y = g.tensor((), dtype_of(kind), **q)
    g.op(op, tensors, [y], **options)
    return Case(g, [y], inputs)


@differential("CONCATENATION", *(kind for kind in ANY if kind not in ("uint16", "float64", "complex64")))
def concatenation(d: Draw, kind: str) -> Case:
    shape = list(d.shape("shape", 1, 4, limit=200))
    axis = d.integer("axis", 0, len(shape) - 1)
    shapes = []
    for _ in range(d.integer("count", 1, 5)):
        shape[axis] = int(d.rng.integers(1, 9))
        shapes.append(tuple(shape))
    d.note("shapes", shapes)
    negative = d.chance("negative_axis", 0.3)
    axis = axis - len(shape) if negative else axis
    return joining(d, "CONCATENATION", kind, shapes, kind != "uint8", axis=axis)


@differential("PACK", "int8", "uint8", "int16", "float32", "int32", "int64", "uint32")
def pack(d: Draw, kind: str) -> Case:
    shape = d.shape("shape", 0, 4, limit=100)
    count = d.integer("count", 1, 4)
    axis = d.integer("axis", -len(shape) - 1, len(shape))
    return joining(d, "PACK", kind, [shape] * count, True, axis=axis, valuesCount=count)


def splitting(
    d: Draw, op: str, kind: str, shape: tuple[int, ...], count: int, axis_first: Any = None, **options: Any
) -> Case:
    g = GraphBuilder()
    q = d.quantization("q", kind) if quantized(kind) else {}
    x = g.input(shape, dtype_of(kind), **q)
    inputs = [x] if axis_first is None else [g.constant(axis_first), x]
    outputs = [g.tensor((), dtype_of(kind), **q) for _ in range(count)]
    g.op(op, inputs, outputs, **options)
    return Case(g, outputs, [d.values(shape, kind)])


@differential("SPLIT", "int8", "uint8", "int16", "float32", "int32", "int64")
def split(d: Draw, kind: str) -> Case:
    shape = list(d.shape("shape", 1, 4, limit=150))
    axis = d.integer("axis", -len(shape), len(shape) - 1)
    count = d.integer("count", 1, 4)
    shape[axis] = min(shape[axis], 6) * count
    return splitting(
        d, "SPLIT", kind, d.note("shape", tuple(shape)), count, np.array(axis, np.int32), numSplits=count
    )


@differential("SPLIT_V", "int8", "uint8", "int16", "float32", "int32", "int64")
def split_v(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = list(d.shape("shape", 1, 4, limit=150))
    axis = d.integer("axis", -len(shape), len(shape) - 1)
    sizes = [int(n) for n in d.rng.integers(1, 5, d.integer("count", 1, 4))]
    shape[axis] = sum(sizes)
    if d.chance("minus_one", 0.3):
        sizes[int(d.rng.integers(len(sizes)))] = -1
    d.note("shape", tuple(shape)), d.note("sizes", sizes)
    q = d.quantization("q", kind) if quantized(kind) else {}
    x = g.input(shape, dtype_of(kind), **q)
    inputs = [x, g.constant(np.array(sizes, np.int32)), g.constant(np.array(axis, np.int32))]
    outputs = [g.tensor((), dtype_of(kind), **q) for _ in sizes]
    g.op("SPLIT_V", inputs, outputs, numSplits=len(sizes))
    return Case(g, outputs, [d.values(shape, kind)])


@differential("UNPACK", "int8", "uint8", "int16", "float32", "int32", "bool", "half")
def unpack(d: Draw, kind: str) -> Case:
    shape = list(d.shape("shape", 1, 4, limit=150))
    axis = d.integer("axis", -len(shape), len(shape) - 1)
    shape[axis] = min(shape[axis], 6)
    d.note("shape", tuple(shape))
    return splitting(d, "UNPACK", kind, tuple(shape), shape[axis], num=shape[axis], axis=axis)


@differential("SHAPE", *ANY)
def shape_(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 1, 5)
    x = g.input(shape, dtype_of(kind))
    result = d.pick("output", ("int32", "int64"))
    y = g.tensor((), result)
    g.op("SHAPE", [x], [y], outType=result)
    return Case(g, [y], [d.values(shape, kind)])


@differential("RANK", *ANY)
def rank(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 0, 5)
    x, y = g.input(shape, dtype_of(kind)), g.tensor((), "int32")
    g.op("RANK", [x], [y])
    return Case(g, [y], [d.values(shape, kind)])
