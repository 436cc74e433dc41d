"""Random networks for the tests of pruning, and the judge of surgery: what masking makes of the original."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder

from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.prune.channels import Channels
from edge_sdk.optimize.prune.search import storage


class Net:
    """A float network that grows by one random op after another."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.g = GraphBuilder()
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.constants: dict[tuple[int, ...], int] = {}
        self.input = self._seen(self.g.input((1, 8, 8, 3), "float32"), (1, 8, 8, 3))
        self.images = [self.conv(self.input)]

    def _seen(self, tensor: int, shape: tuple[int, ...]) -> int:
        self.shapes[tensor] = shape
        return tensor

    def _op(self, name: str, inputs: list[int | None], shape: tuple[int, ...], **options: object) -> int:
        out = self.g.tensor(shape, "float32")
        self.g.op(name, inputs, [out], **options)
        return self._seen(out, shape)

    def _floats(self, *shape: int, half: bool = False) -> int:
        values = self.rng.standard_normal(shape) / np.sqrt(max(np.prod(shape[1:]), 1))
        if not half:
            return self.g.constant(values.astype(np.float32))
        out = self.g.tensor(shape, "float32")
        self.g.op("DEQUANTIZE", [self.g.constant(values.astype(np.float16))], [out])
        return out

    def _ints(self, *values: int) -> int:
        return self.g.constant(np.array(values, np.int32))

    def pick(self) -> int:
        return int(self.rng.choice(self.images))

    def conv(self, x: int, channels: int | None = None) -> int:
        n, h, w, c = self.shapes[x]
        made = channels or int(self.rng.integers(2, 9))
        size = int(self.rng.integers(1, 3))
        weights = self._floats(made, size, size, c, half=self.rng.random() < 0.3)
        bias = self._floats(made) if self.rng.random() < 0.8 else None
        act = str(self.rng.choice(["NONE", "RELU", "RELU6"]))
        return self._op("CONV_2D", [x, weights, bias], (n, h, w, made), padding="SAME", strideW=1, strideH=1,
                        dilationWFactor=1, dilationHFactor=1, fusedActivationFunction=act)  # fmt: skip

    def depthwise(self, x: int) -> int:
        n, h, w, c = self.shapes[x]
        times = int(self.rng.integers(1, 3))
        return self._op("DEPTHWISE_CONV_2D", [x, self._floats(1, 3, 3, c * times), self._floats(c * times)],
                        (n, h, w, c * times), padding="SAME", strideW=1, strideH=1, depthMultiplier=times,
                        dilationWFactor=1, dilationHFactor=1)  # fmt: skip

    def activation(self, x: int) -> int:
        name = str(self.rng.choice(["RELU", "LOGISTIC", "TANH", "HARD_SWISH"]))
        return self._op(name, [x], self.shapes[x])

    def prelu(self, x: int) -> int:
        return self._op("PRELU", [x, self._floats(1, 1, self.shapes[x][3])], self.shapes[x])

    def with_constant(self, x: int) -> int:
        shape = (self.shapes[x][3],) if self.rng.random() < 0.7 else (1, 1, 1, 1)
        name = str(self.rng.choice(["ADD", "MUL", "SUB"]))
        if shape not in self.constants or self.rng.random() < 0.3:
            self.constants[shape] = self._floats(*shape)  # others may read it, too
        operands: list[int | None] = [x, self.constants[shape]]
        return self._op(name, operands[:: int(self.rng.choice([1, -1]))], self.shapes[x])

    def sum(self, x: int) -> int:
        y = self.pick()
        if self.shapes[x] != self.shapes[y]:
            x, y = self.conv(x, 6), self.conv(y, 6)
        return self._op(str(self.rng.choice(["ADD", "MUL"])), [x, y], self.shapes[x])

    def squeeze(self, x: int) -> int:
        """Squeeze and excitation: weights for the channels from their means."""
        n, _, _, c = self.shapes[x]
        mean = self._op("MEAN", [x, self._ints(1, 2)], (n, 1, 1, c), keepDims=True)
        gate = self._op("LOGISTIC", [self.conv(self.conv(mean), c)], (n, 1, 1, c))
        return self._op("MUL", [gate, x], self.shapes[x])

    def concat(self, x: int) -> int:
        y = self.pick()
        n, h, w, c = self.shapes[x]
        return self._op("CONCATENATION", [x, y], (n, h, w, c + self.shapes[y][3]), axis=3)

    def pad_channels(self, x: int) -> int:
        n, h, w, c = self.shapes[x]
        pads = self.g.constant(np.array([[0, 0], [0, 0], [0, 0], [1, 2]], np.int32))
        return self._op("PAD", [x, pads], (n, h, w, c + 3))

    def pool(self, x: int) -> int:
        name = str(self.rng.choice(["MAX_POOL_2D", "AVERAGE_POOL_2D"]))
        return self._op(name, [x], self.shapes[x], padding="SAME", strideW=1, strideH=1, filterWidth=2,
                        filterHeight=2)  # fmt: skip

    def resize(self, x: int) -> int:
        return self._op("RESIZE_BILINEAR", [x, self._ints(8, 8)], self.shapes[x])

    def slice(self, x: int) -> int:
        """Of the rows, put back behind one another."""
        n, h, w, c = self.shapes[x]
        part = (n, h // 2, w, c)
        a = self._op("STRIDED_SLICE", [x, self._ints(0, 0, 0, 0), self._ints(1, h // 2, w, c),
                     self._ints(1, 1, 1, 1)], part)  # fmt: skip
        b = self._op("SLICE", [x, self._ints(0, h // 2, 0, 0), self._ints(*part)], part)
        return self._op("CONCATENATION", [b, a], self.shapes[x], axis=1)

    def split(self, x: int) -> int:
        """Of the columns, and put back the other way round."""
        n, h, w, c = self.shapes[x]
        parts = [self._seen(self.g.tensor((n, h, w // 2, c), "float32"), (n, h, w // 2, c)) for _ in "ab"]
        self.g.op("SPLIT", [self.g.constant(np.array(2, np.int32)), x], parts, numSplits=2)
        return self._op("CONCATENATION", parts[::-1], self.shapes[x], axis=2)

    def split_channels(self, x: int) -> int:
        """Of an even number: they stay."""
        n, h, w, c = self.shapes[x]
        if c % 2:
            return x
        parts = [self._seen(self.g.tensor((n, h, w, c // 2), "float32"), (n, h, w, c // 2)) for _ in "ab"]
        self.g.op("SPLIT", [self.g.constant(np.array(3, np.int32)), x], parts, numSplits=2)
        return self._op("MUL", parts, (n, h, w, c // 2))

    def stacked(self, x: int) -> int:
        """Two pictures below one another, then every second row."""
        n, h, w, c = self.shapes[x]
        both = self._op("CONCATENATION", [x, self.conv(self.pick(), c)], (n, 2 * h, w, c), axis=1)
        return self._op("MAX_POOL_2D", [both], (n, h, w, c), padding="VALID", strideW=1, strideH=2,
                        filterWidth=1, filterHeight=2)  # fmt: skip

    def dilated(self, x: int) -> int:
        n, h, w, c = self.shapes[x]
        none = self.g.constant(np.zeros((2, 2), np.int32))
        y = self._op("SPACE_TO_BATCH_ND", [x, self._ints(2, 2), none], (4 * n, h // 2, w // 2, c))
        y = self._op("CONV_2D", [y, self._floats(5, 1, 1, c), None], (4 * n, h // 2, w // 2, 5),
                     padding="SAME", strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1)  # fmt: skip
        return self._op("BATCH_TO_SPACE_ND", [y, self._ints(2, 2), none], (n, h, w, 5))

    def mixed(self, x: int) -> int:
        """Something that looks at all channels at once: they stay."""
        if self.rng.random() < 0.5:
            return self._op("SOFTMAX", [x], self.shapes[x], beta=1.0)
        mean = self._op("MEAN", [x, self._ints(3)], (*self.shapes[x][:3], 1), keepDims=True)
        return self._op("SUB", [x, mean], self.shapes[x])

    def transposed(self, x: int) -> int:
        """Channels to the front and back again."""
        n, h, w, c = self.shapes[x]
        y = self._op("TRANSPOSE", [x, self._ints(0, 3, 1, 2)], (n, c, h, w))
        y = self._op("ADD", [y, self._floats(1, c, 1, 1)], (n, c, h, w))
        return self._op("TRANSPOSE", [y, self._ints(0, 2, 3, 1)], (n, h, w, c))

    def upscaled(self, x: int) -> int:
        n, h, w, c = self.shapes[x]
        made = int(self.rng.integers(2, 6))
        return self._op("TRANSPOSE_CONV", [self._ints(n, h, w, made), self._floats(made, 2, 2, c), x],
                        (n, h, w, made), padding="SAME", strideW=1, strideH=1)  # fmt: skip

    STEPS = (conv, conv, conv, depthwise, activation, prelu, with_constant, with_constant, sum, squeeze,
             concat, pad_channels, pool, resize, slice, split, split_channels, stacked, dilated, mixed,
             transposed, upscaled)  # fmt: skip

    def head(self, x: int) -> int:
        _, h, w, c = self.shapes[x]
        flat = self._op("RESHAPE", [x, self._ints(-1, h * w * c)], (1, h * w * c))
        hidden = self._op("FULLY_CONNECTED", [flat, self._floats(6, h * w * c), self._floats(6)], (1, 6))
        return self._op("FULLY_CONNECTED", [hidden, self._floats(4, 6), None], (1, 4))


def random_model(seed: int, steps: int = 8) -> bytes:
    net = Net(seed)
    for step in net.rng.choice(len(net.STEPS), steps):
        net.images.append(net.STEPS[step](net, net.images[-1] if net.rng.random() < 0.7 else net.pick()))
    outputs = [net.head(net.images[-1])]
    if net.rng.random() < 0.3:
        outputs.append(net.pick())
    return net.g.build(outputs)


def masked(model: bytes, channels: Channels, gone: np.ndarray) -> bytes:
    """The model, its shapes as they were, with no layer looking at a channel of a unit that is gone."""
    graph = Graph(tflite_file.read(model))
    producers = graph.producers()
    for layer in channels.layers:
        if layer.inputs is None or not gone[layer.inputs].any():
            continue
        origin = storage(graph, layer.weights, producers)
        assert origin is not None
        values = graph.constant(origin)
        assert values is not None
        values[..., gone[layer.inputs]] = 0
        graph.set_constant(origin, values)
    return tflite_file.write(graph.tree)
