"""What a model loses with each unit of channels, as an estimate that follows as units go."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.prune.channels import Channels
from edge_sdk.optimize.prune.statistics import RIDGE, Moments, consumers, weights_of
from edge_sdk.types import Array

_REMOVED = 1e30  # the precision of a channel that is gone: it scores nothing any more


class Importance(Protocol):
    """Scores of the units that are left."""

    values: Array  # [1 + units]; entry 0 stands for what stays

    def remove(self, unit: int) -> None: ...


class ByWeights:
    """L1 norms of all weights of a unit, each as a share of its layer's mean: needs no samples."""

    def __init__(self, graph: Graph, channels: Channels) -> None:
        self.values = np.zeros(channels.count + 1)
        count = np.zeros(channels.count + 1)
        for layer in channels.layers:
            sizes = np.abs(weights_of(graph, layer.weights))
            made = 3 if layer.kind == "DEPTHWISE_CONV_2D" else 0
            for ids, axis in ((layer.outputs, made), (layer.inputs, sizes.ndim - 1)):
                if ids is None:
                    continue
                norms = sizes.sum(tuple(a for a in range(sizes.ndim) if a != axis))
                np.add.at(self.values, ids, norms / max(float(norms.mean()), 1e-30))
                np.add.at(count, np.unique(ids), 1)
        self.values /= np.maximum(count, 1)

    def remove(self, unit: int) -> None:
        """What is left weighs what it did."""


class ByActivation:
    """What of the variance of the next layers' results is lost with a unit, as a share of it.

    The others of its layer stand in for a channel as far as they can (see `compensate`), so only what
    they do not tell counts: |w_c|^2 / P_cc, where P is the inverse covariance of the layer's input. That is
    Optimal Brain Surgeon (Hassibi and Stork 1993) for whole channels; as there, weights and P are
    brought up to date with each unit that goes.
    """

    def __init__(self, graph: Graph, channels: Channels, moments: dict[int, Moments]) -> None:
        self.values = np.zeros(channels.count + 1)
        self._layers = [
            _Consumer(weights_of(graph, layer.weights), moments[layer.op], layer.inputs)
            for layer in consumers(channels)
            if layer.inputs is not None
        ]
        for layer in self._layers:
            np.add.at(self.values, layer.ids, layer.shares())

    def remove(self, unit: int) -> None:
        for layer in self._layers:
            lost = np.flatnonzero(layer.ids == unit)
            if len(lost):
                np.subtract.at(self.values, layer.ids, layer.shares())
                for channel in lost:
                    layer.remove(int(channel))
                np.add.at(self.values, layer.ids, layer.shares())


class _Consumer:
    """A layer that reads channels: its weights and the inverse covariance of what they meet."""

    def __init__(self, weights: Array, moments: Moments, ids: Array) -> None:
        self.ids = ids
        self.weights = weights.reshape(-1, weights.shape[-1]).astype(np.float64)
        ridge = RIDGE * max(float(moments.variance.mean()), 1e-12)
        self.precision: Array
        if moments.covariance is None:  # each channel by itself
            self.precision = 1 / (moments.variance + ridge)
            whole = (np.square(self.weights) * moments.variance).sum()
        else:
            self.precision = np.linalg.inv(moments.covariance + ridge * np.eye(len(ids)))
            whole = ((self.weights @ moments.covariance) * self.weights).sum()
        self.whole = max(float(whole), 1e-30)

    def shares(self) -> Array:
        alone = self.precision if self.precision.ndim == 1 else np.diag(self.precision)
        found: Array = np.square(self.weights).sum(0) / np.maximum(alone, 1e-30) / self.whole
        return found

    def remove(self, channel: int) -> None:
        if self.precision.ndim == 1:
            self.precision[channel] = _REMOVED
            return
        row = self.precision[channel] / self.precision[channel, channel]
        self.weights -= np.outer(self.weights[:, channel], row)
        self.precision -= np.outer(self.precision[:, channel], row)
        self.weights[:, channel] = 0
        self.precision[channel] = self.precision[:, channel] = 0
        self.precision[channel, channel] = _REMOVED
