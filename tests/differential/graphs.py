"""Random graphs: what passes fuse, fold and leave out, and where the plan puts tensors, changes no bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from builders import GraphBuilder

from .harness import Case, Draw, differential, dtype_of


@dataclass(frozen=True)
class Tensor:
    index: int
    shape: tuple[int, ...]  # NHWC
    quantization: dict[str, Any]  # scale and zero_point, or nothing


class Growing:
    """A graph that grows by one op a step from tensors that it has already."""

    def __init__(self, d: Draw, kind: str) -> None:
        self.d, self.kind, self.g = d, kind, GraphBuilder()
        self.story: list[str] = []
        shape = (1, int(d.rng.integers(2, 10)), int(d.rng.integers(2, 10)), int(d.rng.integers(1, 10)))
        self.inputs: list[Tensor] = []
        for _ in range(int(d.rng.integers(1, 3))):
            q = d.quantization("x", kind)
            self.inputs.append(Tensor(self.g.input(shape, dtype_of(kind), **q), shape, q))
        self.tensors = list(self.inputs)

    def pick(self) -> Tensor:
        """Often the newest, so that chains form."""
        if self.d.rng.random() < 0.6:
            return self.tensors[-1]
        return self.tensors[int(self.d.rng.integers(len(self.tensors)))]

    def fresh(self, like: dict[str, Any], factor: float = 1.0) -> dict[str, Any]:
        """A quantization for an output, about `factor` times as coarse as `like`."""
        return self.d.quantization("y", self.kind, like["scale"] * factor, 1) if like else {}

    def add(
        self, op: str, inputs: list[int], shape: tuple[int, ...], q: dict[str, Any], **options: Any
    ) -> Tensor:
        tensor = Tensor(self.g.tensor(shape, dtype_of(self.kind), **q), shape, q)
        self.g.op(op, inputs, [tensor.index], **options)
        self.story.append(f"{op}({','.join(map(str, inputs))})->{tensor.index}")
        self.tensors.append(tensor)
        return tensor

    def ints(self, *values: Any) -> int:
        return self.g.constant(np.array(values, np.int32))

    def random_constant(self, shape: tuple[int, ...]) -> tuple[int, dict[str, Any]]:
        q = self.d.quantization("c", self.kind)
        return self.g.constant(self.d.values(shape, self.kind), **q), q


def conv(s: Growing) -> None:
    x, rng = s.pick(), s.d.rng
    depthwise = rng.random() < 0.5
    size = int(rng.choice([1, 3])) if min(x.shape[1:3]) >= 3 else 1
    stride = int(rng.integers(1, 3))
    padding = str(rng.choice(["SAME", "VALID"]))
    depth = x.shape[3] if depthwise else int(rng.integers(1, 10))
    filter_shape = (1, size, size, depth) if depthwise else (depth, size, size, x.shape[3])
    weights = s.d.values(filter_shape, s.kind)
    w_scale = s.d.scale(2.0**-7, 2)
    q = {"scale": w_scale, "zero_point": 128 if s.kind == "uint8" else 0} if x.quantization else {}
    bias: Any = rng.normal(0, 1, depth).astype(np.float32)
    if x.quantization:
        bias = rng.integers(-1000, 1000, depth).astype(np.int32)
    b = s.g.constant(
        bias, **({"scale": np.float32(x.quantization["scale"]) * np.float32(w_scale)} if q else {})
    )
    out = [-(-n // stride) if padding == "SAME" else (n - size) // stride + 1 for n in x.shape[1:3]]
    options = {"depthMultiplier": 1} if depthwise else {}
    s.add(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        [x.index, s.g.constant(weights, **q), b],
        (1, *out, depth),
        s.fresh(x.quantization, w_scale * 100 * size),
        padding=padding, strideH=stride, strideW=stride,
        fusedActivationFunction=str(rng.choice(["NONE", "NONE", "RELU6"])), **options,
    )  # fmt: skip


def pad(s: Growing) -> None:
    x = s.pick()
    amounts = s.d.rng.integers(0, 3, (4, 2)) * np.array([[0], [1], [1], [s.d.rng.random() < 0.2]])
    shape = tuple(n + int(a) + int(b) for n, (a, b) in zip(x.shape, amounts))
    if np.prod(shape) < 4000:
        s.add("PAD", [x.index, s.ints(*amounts.tolist())], shape, x.quantization)


def relu(s: Growing) -> None:
    x = s.pick()
    q = x.quantization if s.d.rng.random() < 0.6 else s.fresh(x.quantization)
    s.add(str(s.d.rng.choice(["RELU", "RELU6"])), [x.index], x.shape, q)


def add(s: Growing) -> None:
    x = s.pick()
    others = [t for t in s.tensors if t.shape == x.shape]
    y = others[int(s.d.rng.integers(len(others)))]
    scale = max(x.quantization["scale"], y.quantization["scale"]) if x.quantization else 0
    s.add(
        str(s.d.rng.choice(["ADD", "SUB"])),
        [x.index, y.index],
        x.shape,
        s.fresh({"scale": scale} if scale else {}),
    )


def multiply(s: Growing) -> None:
    x = s.pick()
    c, q = s.random_constant(x.shape[3:] if s.d.rng.random() < 0.5 else x.shape)
    s.add("MUL", [x.index, c], x.shape, s.fresh(x.quantization, 60 * q.get("scale", 1)))


def folded(s: Growing) -> None:
    """An op on constants alone, read by one on a computed tensor."""
    x = s.pick()
    c, _ = s.random_constant((x.shape[3], 1))
    q = s.fresh(s.d.quantization("c", s.kind))
    t = s.g.tensor((x.shape[3],), dtype_of(s.kind), **q)
    s.g.op("RESHAPE", [c, s.ints(-1)], [t])
    s.add("MUL", [x.index, t], x.shape, s.fresh(x.quantization, 60 * q.get("scale", 1)))


def pool(s: Growing) -> None:
    x = s.pick()
    shape = (1, -(-x.shape[1] // 2), -(-x.shape[2] // 2), x.shape[3])
    s.add(
        str(s.d.rng.choice(["MAX_POOL_2D", "AVERAGE_POOL_2D"])), [x.index], shape, x.quantization,
        padding="SAME", strideH=2, strideW=2, filterHeight=2, filterWidth=2,
    )  # fmt: skip


def reshape(s: Growing) -> None:
    x = s.pick()
    shape = (1, x.shape[1] * x.shape[2], 1, x.shape[3])
    if s.d.rng.random() < 0.5:
        shape = (1, x.shape[2], x.shape[1], x.shape[3])
    s.add("RESHAPE", [x.index, s.ints(*shape)], shape, x.quantization)


def reshape_by_shape(s: Growing) -> None:
    """SHAPE -> STRIDED_SLICE -> PACK -> RESHAPE, as converters write Flatten."""
    x = s.pick()
    shape = s.g.tensor((4,), "int32")
    s.g.op("SHAPE", [x.index], [shape], outType="int32")
    batch = s.g.tensor((), "int32")
    s.g.op("STRIDED_SLICE", [shape, s.ints(0), s.ints(1), s.ints(1)], [batch], shrinkAxisMask=1)
    packed = s.g.tensor((4,), "int32")
    one, rest = s.g.constant(np.array(1, np.int32)), s.g.constant(np.array(-1, np.int32))
    s.g.op("PACK", [batch, one, rest, s.g.constant(np.array(x.shape[3], np.int32))], [packed], valuesCount=4)
    s.add("RESHAPE", [x.index, packed], (1, 1, x.shape[1] * x.shape[2], x.shape[3]), x.quantization)


def transpose(s: Growing) -> None:
    x = s.pick()
    s.add("TRANSPOSE", [x.index, s.ints(0, 2, 1, 3)], (1, x.shape[2], x.shape[1], x.shape[3]), x.quantization)


def concatenate(s: Growing) -> None:
    x = s.pick()
    others = [
        t
        for t in s.tensors
        if t.shape[:3] == x.shape[:3] and (s.kind == "uint8" or t.quantization == x.quantization)
    ]
    parts = [x, *(others[int(s.d.rng.integers(len(others)))] for _ in range(int(s.d.rng.integers(1, 3))))]
    depth = sum(t.shape[3] for t in parts)
    if depth <= 24:
        s.add("CONCATENATION", [t.index for t in parts], (*x.shape[:3], depth), x.quantization, axis=3)


def there_and_back(s: Growing) -> None:
    """QUANTIZE(DEQUANTIZE(x)), or a requantization."""
    x = s.pick()
    if not x.quantization:
        return
    q = x.quantization if s.d.rng.random() < 0.6 else s.fresh(x.quantization)
    index = x.index
    if s.d.rng.random() < 0.7:
        index = s.g.tensor(x.shape, "float32")
        s.g.op("DEQUANTIZE", [x.index], [index])
    s.add("QUANTIZE", [index], x.shape, q)


def halves(s: Growing) -> None:
    x = s.pick()
    if x.shape[3] % 2:
        return
    shape = (*x.shape[:3], x.shape[3] // 2)
    parts = [
        Tensor(s.g.tensor(shape, dtype_of(s.kind), **x.quantization), shape, x.quantization) for _ in "ab"
    ]
    s.g.op("SPLIT", [s.g.constant(np.array(3, np.int32)), x.index], [t.index for t in parts], numSplits=2)
    s.story.append(f"SPLIT({x.index})->{parts[0].index},{parts[1].index}")
    s.tensors += parts


STEPS: tuple[Callable[[Growing], None], ...] = (
    conv, conv, pad, pad, relu, relu, add, add, multiply, folded, pool, reshape, reshape_by_shape,
    transpose, concatenate, there_and_back, there_and_back, halves,
)  # fmt: skip


@differential("GRAPH", "int8", "uint8", "float32", absolute=1e-2, relative=1e-4)
def graph(d: Draw, kind: str) -> Case:
    s = Growing(d, kind)
    for _ in range(int(d.rng.integers(2, 13))):
        STEPS[int(d.rng.integers(len(STEPS)))](s)
    inner = [t.index for t in s.tensors[len(s.inputs) : -1] if d.rng.random() < 0.15]
    outputs = [*inner, s.tensors[-1].index]
    d.params.clear()
    d.note("outputs", outputs)
    d.note("ops", " ".join(s.story))
    return Case(s.g, outputs, [d.values(t.shape, kind) for t in s.inputs])
