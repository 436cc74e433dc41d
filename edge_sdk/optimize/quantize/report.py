"""What quantizing did to each layer's results, and to the model's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.graph import OUTPUT_CHANNELS, Graph
from edge_sdk.optimize.judge import Quality
from edge_sdk.optimize.quantize.calibrate import watch
from edge_sdk.tasks.outputs import dequantize
from edge_sdk.types import Array, TensorSpec

SAMPLES = 32  # that layers are compared on
HEAD_FACTOR = 16.0  # between the ranges of channels of one output, beyond which it is worth a warning
_SQNR_MOST = 200.0  # dB, where nothing was lost


@dataclass(frozen=True)
class LayerReport:
    """One op's result, float beside quantized."""

    op: str
    name: str  # of the tensor
    numbers: str  # what it holds: int8, int16, float32
    weights: str  # what its weights hold; "" without
    sqnr_db: float  # signal to quantization noise; higher is better
    cosine: float  # 1 is the same direction
    codes_used: float  # share of the codes between the smallest and the greatest that occur; 1 for floats
    why: str = ""  # what made --max-drop choose these numbers


@dataclass(frozen=True)
class Report:
    """All that is known of a quantized model."""

    mode: str
    bytes_before: int
    bytes_after: int
    quality: Quality | None  # None where there were no samples
    layers: tuple[LayerReport, ...]
    notes: tuple[str, ...]  # what was done to the file, and what cannot be said of it
    warnings: tuple[str, ...] = ()
    max_drop: float | None = None  # what was asked for
    met: bool = True  # whether that was kept
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def smaller(self) -> float:
        """How many times."""
        return self.bytes_before / self.bytes_after

    def to_dict(self) -> dict[str, Any]:
        quality = None if self.quality is None else self.quality.to_dict()
        return {**asdict(self), "quality": quality, "smaller": self.smaller}


def layer_reports(
    graph: Graph,
    before: bytes,
    after: bytes,
    samples: Samples,
    names: Mapping[str, str],
    why: Mapping[str, str],
) -> list[LayerReport]:
    """Compares each op's result in two models whose tensors have the same names."""
    picked = samples.take(np.linspace(0, len(samples) - 1, min(SAMPLES, len(samples))).astype(int))
    sums: dict[str, list[float]] = {}
    extents: dict[str, tuple[int, int]] = {}
    specs, weights = _specs(after), _weight_types(after)
    for expected, found in zip(watch(before, picked), watch(after, picked)):
        for name in expected.keys() & found.keys():
            spec, codes = specs[name], found[name]
            if expected[name].dtype != np.float32 or not codes.size or codes.shape != expected[name].shape:
                continue
            x, y = expected[name].astype(np.float64), dequantize(codes, spec).astype(np.float64)
            total = sums.setdefault(name, [0.0, 0.0, 0.0, 0.0])
            for i, part in enumerate(((x * x).sum(), (y * y).sum(), (x * y).sum(), ((x - y) ** 2).sum())):
                total[i] += float(part)
            if codes.dtype.kind in "iu":
                low, high = extents.get(name, (int(codes.min()), int(codes.max())))
                extents[name] = min(low, int(codes.min())), max(high, int(codes.max()))
    made = []
    for op in graph.ops:
        for name in (graph.name(t) for t in graph.op_outputs(op)):
            if name not in sums:
                continue
            xx, yy, xy, lost = sums[name]
            low, high = extents.get(name, (0, 0))
            codes_used = (high - low + 1) / 2 ** (8 * specs[name].dtype.itemsize) if name in extents else 1.0
            made.append(
                LayerReport(
                    graph.kind(op),
                    names.get(name, name),
                    str(specs[name].dtype),
                    weights.get(name, ""),
                    _decibels(xx, lost),
                    xy / float(np.sqrt(xx * yy)) if xx and yy else float(xx == yy),
                    codes_used,
                    why.get(name, ""),
                )
            )
    return made


def _decibels(signal: float, noise: float) -> float:
    least = 1e-300
    ratio = 10 * (np.log10(max(signal, least)) - np.log10(max(noise, least)))
    return float(np.clip(ratio, -_SQNR_MOST, _SQNR_MOST))


def _weight_types(model: bytes) -> dict[str, str]:
    """Name of a layer's result -> the type that the file stores its weights in."""
    graph = Graph(tflite_file.read(model))
    makers = graph.producers()
    found = {}
    for op in graph.ops:
        if graph.kind(op) in OUTPUT_CHANNELS:
            weights = graph.op_inputs(op)[1]
            if weights in makers:  # unpacked while running
                weights = graph.op_inputs(graph.ops[makers[weights]])[0]
            found[graph.name(graph.op_outputs(op)[0])] = graph.type(weights).lower()
    return found


def _specs(model: bytes) -> dict[str, TensorSpec]:
    from edge_sdk.backends import native

    return {spec.name: spec for spec in native.load(model, 1).tensors()}


def head_warnings(graph: Graph, model: bytes, samples: Samples, names: Mapping[str, str]) -> list[str]:
    """Outputs and concatenations whose parts differ so much that one scale serves some of them badly."""
    joins = {graph.op_outputs(op)[0] for op in graph.ops if graph.kind(op) == "CONCATENATION"}
    watched = {graph.name(t) for t in (*graph.outputs, *joins) if len(graph.shape(t)) > 1}
    greatest: dict[str, Array] = {}
    picked = samples.take(slice(SAMPLES))
    for values in watch(model, picked):
        for name in watched & values.keys():
            value = values[name]
            if value.dtype == np.float32 and value.ndim > 1 and value.shape[-1] > 1:
                peak = np.abs(value).max(axis=tuple(range(value.ndim - 1)))
                greatest[name] = np.maximum(greatest[name], peak) if name in greatest else peak
    found = []
    for name, peaks in sorted(greatest.items()):
        rows = _vectors(graph, name)
        used = peaks[peaks > 0]
        if rows < 2 or len(used) < 2 or used.max() / used.min() <= HEAD_FACTOR:
            continue
        smallest = int(np.argmin(np.where(peaks > 0, peaks, np.inf)))
        found.append(
            f"'{names.get(name, name)}': one scale for channels whose ranges differ "
            f"{used.max() / used.min():.0f} times (channel {smallest} the smallest); if boxes and scores "
            "share it, give them outputs of their own, or keep it float"
        )
    return found


def _vectors(graph: Graph, name: str) -> int:
    """How many vectors of channels a tensor holds."""
    for tensor in range(len(graph.main.tensors)):
        if graph.name(tensor) == name:
            return int(np.prod(graph.shape(tensor)[:-1]))
    return 0
