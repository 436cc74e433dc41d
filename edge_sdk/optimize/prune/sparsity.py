"""Zeroes blocks of weights: shapes stay, and kernels that know of such blocks skip them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import edge_sdk
from edge_sdk.backends import native
from edge_sdk.errors import InputError, ModelError
from edge_sdk.optimize import tflite_file, timing
from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.graph import OUTPUT_CHANNELS, Graph
from edge_sdk.optimize.judge import Judge, Quality
from edge_sdk.optimize.prune import patches
from edge_sdk.optimize.prune.statistics import RIDGE
from edge_sdk.types import Array

SPARSE_BLOCK = native.sparse_block()  # output channels x input channels of one cell of the filter
PATTERNS = ("block", "2:4")
_NARROWEST = 4  # blocks: in shorter rows a kernel has nothing to skip
_GAIN = 0.97  # of the time; what is nearer to 1 is no gain


@dataclass(frozen=True)
class SparseLayer:
    name: str  # of the tensor that the layer makes
    blocks: int
    zero: int  # of them

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Sparsified:
    """A model with blocks of zeros; pairs are (original, sparse)."""

    model: bytes
    layers: tuple[SparseLayer, ...]
    left_alone: tuple[str, ...]  # layers, with the reason
    latency_ms: tuple[float, float]
    quality: Quality | None

    @property
    def faster(self) -> bool:
        """Whether it gains anything on this machine."""
        return self.latency_ms[1] < _GAIN * self.latency_ms[0]

    def to_dict(self) -> dict[str, Any]:
        return {
            "block": SPARSE_BLOCK,
            "faster": self.faster,
            "latency_ms": [round(ms, 4) for ms in self.latency_ms],
            "quality": self.quality and self.quality.to_dict(),
            "layers": [layer.to_dict() for layer in self.layers],
            "left_alone": self.left_alone,
        }


def sparsify(
    model: bytes,
    share: float,
    pattern: str = "block",
    samples: Samples | None = None,
    test: Samples | None = None,
    threads: int | None = None,
) -> Sparsified:
    """Zeroes `share` of the blocks of each large enough layer: those with the smallest L2 norm.

    Float and int8 models alike: an int8 zero is a zero. With `samples` the weights that stay of a float
    layer are fitted to what it computed before. InputError for a pattern that nothing here gains
    from, ModelError where no layer is large enough.
    """
    if pattern != "block":
        raise InputError(
            f"sparsity {pattern}: none of the CPUs that this runtime has kernels for gains from two zeros in "
            "four weights, so it would cost accuracy for nothing; use block"
        )
    if not 0 < share < 1:
        raise InputError(f"a share of {share:g} of the blocks: it is between 0 and 1")
    graph = Graph(tflite_file.read(model))
    inflow = {} if samples is None else patches.inflow(model, _float_layers(graph), samples)
    layers, left_alone = [], []
    for i, op in graph.layers():
        name = graph.name(graph.op_outputs(op)[0])
        reason = _unfit(graph, op)
        if reason:
            left_alone.append(f"{name}: {reason}")
        else:
            layers.append(
                SparseLayer(name, *_zero_blocks(graph, graph.op_inputs(op)[1], share, inflow.get(i)))
            )
    left_alone += _unpacked(graph)
    if not layers:
        raise ModelError(f"no layer can be made sparse: {'; '.join(reasons(left_alone)) or 'there are none'}")
    graph.collect()
    sparse = tflite_file.write(graph.tree, tflite_file.appended_files(model))
    before, after = timing.best([model, sparse], threads)
    quality = None if test is None else Judge(edge_sdk.load(model), test)(edge_sdk.load(sparse))
    return Sparsified(sparse, tuple(layers), tuple(left_alone), (before, after), quality)


def reasons(left_alone: Sequence[str]) -> list[str]:
    """How many layers were left alone for each reason, in words."""
    counts = Counter(each.partition(": ")[2] for each in left_alone)
    return [f"{count} layer{'s' * (count != 1)} left alone: {why}" for why, count in counts.items()]


def _unpacked(graph: Graph) -> list[str]:
    """The layers whose weights other ops make."""
    constant = {i for i, _ in graph.layers()}
    return [
        f"{graph.name(graph.op_outputs(op)[0])}: its weights are unpacked by other ops, as from float16; "
        "quantize the model first"
        for i, op in enumerate(graph.ops)
        if graph.kind(op) in OUTPUT_CHANNELS and i not in constant
    ]


def _float_layers(graph: Graph) -> list[int]:
    """Positions of those that can be fitted."""
    return [
        i
        for i, op in graph.layers()
        if not _unfit(graph, op) and graph.type(graph.op_inputs(op)[1]) == "FLOAT32"
    ]


def _unfit(graph: Graph, op: Any) -> str:
    """Why a layer stays as it is; empty if it does not."""
    if graph.kind(op) not in ("CONV_2D", "FULLY_CONNECTED"):
        return f"{graph.kind(op)} has no kernel that skips blocks"
    weights = graph.op_inputs(op)[1]
    if graph.type(weights) not in ("FLOAT32", "INT8"):
        return f"its weights are {graph.type(weights)}"
    quantization = graph.main.tensors[weights].quantization
    if graph.type(weights) == "INT8" and np.any(quantization.zeroPoint):
        return "its weights have a zero point"
    rows, columns = graph.shape(weights)[0], int(np.prod(graph.shape(weights)[1:]))
    if rows < SPARSE_BLOCK[0] or columns < _NARROWEST * SPARSE_BLOCK[1]:
        return f"{rows} x {columns} weights are too few"
    if graph.kind(op) == "CONV_2D" and graph.shape(weights)[3] % SPARSE_BLOCK[1]:
        return f"{graph.shape(weights)[3]} input channels are no multiple of {SPARSE_BLOCK[1]}"
    return ""


def _zero_blocks(graph: Graph, tensor: int, share: float, products: Array | None) -> tuple[int, int]:
    """Changes the weights; how many blocks there are, and how many are zero now."""
    values = graph.constant(tensor)
    assert values is not None  # `Graph.layers` gives only constant ones
    rows = values.reshape(len(values), -1)
    norms = block_norms(rows * _scales(graph, tensor)[:, None])
    # As many in each row of blocks: kernels are as fast as the fullest row lets them be.
    rank = np.argsort(np.argsort(norms, axis=1, kind="stable"), axis=1)
    zero = rank < round(share * norms.shape[1])
    high, wide = SPARSE_BLOCK
    mask = zero.repeat(high, 0).repeat(wide, 1)[: rows.shape[0], : rows.shape[1]]
    fitted = np.where(mask, 0, rows) if products is None else _fitted(rows, mask, products)
    graph.set_constant(tensor, fitted.astype(values.dtype).reshape(values.shape))
    return norms.size, int((block_norms(fitted) == 0).sum())


def _fitted(rows: Array, mask: Array, products: Array) -> Array:
    """Least squares: the weights that stay take over what those that go said of the same inputs."""
    found = np.zeros_like(rows)
    ridge = RIDGE * max(float(np.diag(products).mean()), 1e-12)
    for first in range(0, len(rows), SPARSE_BLOCK[0]):
        some = slice(first, first + SPARSE_BLOCK[0])
        kept, lost = ~mask[first], mask[first]
        gram = products[np.ix_(kept, kept)] + ridge * np.eye(kept.sum())
        share = np.linalg.solve(gram, products[np.ix_(kept, lost)])
        found[some, kept] = rows[some][:, kept] + rows[some][:, lost] @ share.T
    return found


def block_norms(rows: Array) -> Array:
    """L2 norm of each block of a matrix; those at the ends may be smaller."""
    high, wide = SPARSE_BLOCK
    padded = np.pad(rows.astype(np.float64), ((0, -rows.shape[0] % high), (0, -rows.shape[1] % wide)))
    blocks = padded.reshape(padded.shape[0] // high, high, padded.shape[1] // wide, wide)
    norms: Array = np.sqrt(np.square(blocks).sum((1, 3)))
    return norms


def _scales(graph: Graph, tensor: int) -> Array:
    """What one step of each output channel's weights is worth."""
    count = graph.shape(tensor)[0]
    quantization = graph.main.tensors[tensor].quantization
    if quantization is None or quantization.scale is None or graph.type(tensor) == "FLOAT32":
        return np.ones(count)
    return np.broadcast_to(np.asarray(quantization.scale, np.float64), count)
