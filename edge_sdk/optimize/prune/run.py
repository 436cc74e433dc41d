"""The whole way from a float model to one with fewer channels that meets a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import edge_sdk
from edge_sdk.errors import ModelError
from edge_sdk.optimize import tflite_file, timing, train
from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.graph import OUTPUT_CHANNELS, Graph
from edge_sdk.optimize.judge import Judge, Quality
from edge_sdk.optimize.prune import channels as units
from edge_sdk.optimize.prune import choose, importance, statistics
from edge_sdk.optimize.prune.compensate import compensate, own_biases
from edge_sdk.optimize.prune.search import storage
from edge_sdk.optimize.prune.surgery import cut
from edge_sdk.types import Array

Progress = Callable[[str], None]  # told what is done next

MULTIPLE = 8
_CLOSE = 0.9  # of the limit: a result below could have kept more
_STATISTICS = 512  # samples at most: they settle quickly


@dataclass(frozen=True)
class Target:
    """What the pruned model may need."""

    what: str  # "macs", "bytes" or "latency"
    limit: float
    share: bool = True  # of the original; else multiply-accumulates, bytes or milliseconds


@dataclass(frozen=True)
class LayerChange:
    """One layer before and after."""

    name: str  # of the tensor that it makes
    op: str
    channels: tuple[int, int]
    macs: tuple[int, int]
    bytes: tuple[int, int]  # of its weights

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Pruned:
    """A pruned model and what it needs; pairs are (original, pruned)."""

    model: bytes
    target: Target
    reached: bool
    layers: tuple[LayerChange, ...]
    macs: tuple[int, int]
    bytes: tuple[int, int]
    latency_ms: tuple[float, float]
    threads: int | None
    quality: Quality | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "target": asdict(self.target),
            "reached": self.reached,
            "macs": self.macs,
            "bytes": self.bytes,
            "latency_ms": [round(ms, 4) for ms in self.latency_ms],
            "quality": self.quality and self.quality.to_dict(),
            "layers": [layer.to_dict() for layer in self.layers],
        }


@dataclass(frozen=True)
class FineTune:
    """How the pruned model learns from its original what it lost."""

    epochs: float = 1.0
    seed: int = 0
    augment: tuple[str, ...] = ()  # of `train.AUGMENTS`: what is done to pictures meanwhile

    def __call__(self, model: bytes, samples: Samples, teacher: bytes) -> bytes:
        return train.fine_tune(model, samples, teacher, self.epochs, self.seed, augment=self.augment)


def prune(
    model: bytes,
    target: Target,
    samples: Samples | None = None,
    test: Samples | None = None,
    method: str = "",
    multiple: int = MULTIPLE,
    rounds: int = 1,
    fine_tune: FineTune | None = None,
    threads: int | None = None,
    progress: Progress = lambda doing: None,
) -> Pruned:
    """Removes channels until `target` is met, or as many as can go.

    `samples` let what stays stand in for what goes, `test` are the ones to judge by. `method`:
    "activation" (the default where there are samples), "taylor" (by gradients, needs PyTorch) or
    "weights". `multiple`: of how many channels layers are to be left. `rounds`: go there in as many
    steps, each with statistics (and fine-tuning) of its own. Raises ModelError where nothing can be
    pruned.
    """
    method = method or ("weights" if samples is None else "activation")
    if samples is None and (method != "weights" or fine_tune):
        raise ModelError("pruning by activation or taylor and fine-tuning need samples: give some")
    if method == "taylor":
        train.need_torch("ranking channels by taylor")
    if fine_tune:
        train.need_torch()  # rather now than after the first round
    _refuse_unfit(Graph(tflite_file.read(model)))
    files = tflite_file.appended_files(model)
    meter = _Meter(model, target, threads)
    pruned, reached = model, False
    for i in range(rounds):
        limit = meter.base * (meter.limit / meter.base) ** ((i + 1) / rounds)
        progress(f"round {i + 1} of {rounds}: measuring channels" if rounds > 1 else "measuring channels")
        step = _Step(pruned, samples, method, multiple)
        progress("looking for the target")
        pruned, reached = step.down_to(limit, meter)
        if fine_tune and samples is not None:
            progress("fine-tuning")
            pruned = fine_tune(pruned, samples, model)
    if not tflite_file.appended_files(pruned):
        pruned = tflite_file.append_files(pruned, files)
    progress("comparing")
    return _report(model, pruned, target, reached, test, threads)


def _refuse_unfit(graph: Graph) -> None:
    producers = graph.producers()
    for i, op in enumerate(graph.ops):
        if graph.kind(op) in OUTPUT_CHANNELS:
            weights = graph.op_inputs(op)[1]
            origin = storage(graph, weights, producers)
            kind = graph.type(weights if origin is None else origin)
            if kind not in ("FLOAT32", "FLOAT16"):
                raise ModelError(
                    f"op {i} {graph.kind(op)} has weights of type {kind}, and channels are removed from "
                    "float models only: prune the float model, then quantize"
                )
    own_biases(graph)
    if not units.find(graph).count:
        raise ModelError("no channel can be removed: all reach an output or an op that needs them all")


class _Meter:
    """What a model needs, in the target's unit."""

    def __init__(self, original: bytes, target: Target, threads: int | None) -> None:
        self._original, self.what, self._threads = original, target.what, threads
        if target.what == "latency":  # as a share: the original is measured in turn each time
            (ms,) = timing.best([original], threads)
            self.base, self.limit = 1.0, target.limit if target.share else target.limit / ms
            return
        graph = Graph(tflite_file.read(original))
        macs = sum(graph.macs(op) for op in graph.ops)
        self.base = float(macs if target.what == "macs" else len(original))
        self.limit = target.limit * self.base if target.share else target.limit

    def __call__(self, model: bytes) -> float:
        if self.what == "bytes":
            return len(model)
        before, after = timing.best([self._original, model], self._threads)
        return after / before


class _Step:
    """A model, the order in which its units go, and the models that this makes."""

    def __init__(self, model: bytes, samples: Samples | None, method: str, multiple: int) -> None:
        self._files = tflite_file.appended_files(model)
        graph = Graph(tflite_file.read(model))
        own_biases(graph)
        self._model = model = tflite_file.write(graph.tree, self._files)
        self._channels = units.find(graph)
        some = (
            None if samples is None else samples.take(slice(None, None, max(1, len(samples) // _STATISTICS)))
        )
        self._inflow = None if some is None else statistics.inflow(model, self._channels, some)
        scores = self._scores(graph, method, some)
        self._costs = choose.costs(self._channels, sum(graph.macs(op) for op in graph.ops))
        self._order = choose.order(self._channels, scores, self._costs, multiple)

    def _scores(self, graph: Graph, method: str, samples: Samples | None) -> importance.Importance:
        if samples is None or self._inflow is None or method == "weights":
            return importance.ByWeights(graph, self._channels)
        if method == "activation":
            return importance.ByActivation(graph, self._channels, self._inflow)
        from edge_sdk.optimize.train.taylor import ByTaylor  # it imports torch

        return ByTaylor(graph, self._channels, self._inflow, samples)

    def down_to(self, limit: float, meter: _Meter) -> tuple[bytes, bool]:
        """The model with the fewest removals that needs at most `limit`; else the one with most.

        Where a whole step goes far beyond it, as steps through long chains of sums do, a part of it does.
        """
        single = np.concatenate([np.zeros(0, np.int64), *self._order])
        ends = np.cumsum([0, *(len(step) for step in self._order)])

        def needs(count: int) -> float:
            gone = self._gone(single[:count])
            return self._costs.total(gone) if meter.what == "macs" else meter(self._made(gone))

        def fewest(counts: Array) -> int:
            """The first of these that fits; the last is known to."""
            few, many = 0, len(counts) - 1
            while few < many:
                middle = (few + many) // 2
                few, many = (few, middle) if needs(int(counts[middle])) <= limit else (middle + 1, many)
            return many

        if needs(len(single)) > limit:
            return self._made(self._gone(single)), False
        last = fewest(ends)
        count = int(ends[last])
        if last and needs(count) < _CLOSE * limit:
            inside = np.arange(ends[last - 1], ends[last] + 1)
            count = int(inside[fewest(inside)])
        return self._made(self._gone(single[:count])), True

    def _gone(self, removed: Array) -> Array:
        gone = np.zeros(self._channels.count + 1, bool)
        gone[removed] = True
        return gone

    def _made(self, gone: Array) -> bytes:
        graph = Graph(tflite_file.read(self._model))
        if self._inflow is not None:
            compensate(graph, self._channels, gone, self._inflow)
        cut(graph, self._channels, gone)
        return tflite_file.write(graph.tree, self._files)


def _report(
    model: bytes, pruned: bytes, target: Target, reached: bool, test: Samples | None, threads: int | None
) -> Pruned:
    before, after = (Graph(tflite_file.read(m)) for m in (model, pruned))
    latencies = timing.best([model, pruned], threads)
    layers = tuple(
        LayerChange(
            before.name(before.op_outputs(old)[0]),
            before.kind(old),
            (before.shape(before.op_outputs(old)[0])[-1], after.shape(after.op_outputs(new)[0])[-1]),
            (before.macs(old), after.macs(new)),
            (_weight_bytes(before, old), _weight_bytes(after, new)),
        )
        for old, new in zip(before.ops, after.ops)
        if before.kind(old) in OUTPUT_CHANNELS
    )
    totals = [sum(g.macs(op) for op in g.ops) for g in (before, after)]
    return Pruned(
        pruned,
        target,
        reached,
        layers,
        (totals[0], totals[1]),
        (len(model), len(pruned)),
        (latencies[0], latencies[1]),
        threads,
        None if test is None else Judge(edge_sdk.load(model), test)(edge_sdk.load(pruned)),
    )


def _weight_bytes(graph: Graph, op: Any) -> int:
    weights = graph.op_inputs(op)[1]
    origin = storage(graph, weights, graph.producers())
    values = None if origin is None else graph.constant(origin)
    return 0 if values is None else values.nbytes
