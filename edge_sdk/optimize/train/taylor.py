"""First-order Taylor importance (Molchanov et al., CVPR 2019), by the gradients of PyTorch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.graph import NO_TENSOR, Graph
from edge_sdk.optimize.prune.channels import Channels, Layer
from edge_sdk.optimize.prune.search import storage
from edge_sdk.optimize.prune.statistics import Moments, consumers
from edge_sdk.optimize.train.fit import Settings, loss_of, outputs_of
from edge_sdk.optimize.train.lessons import NO_LABEL, Lesson, lesson
from edge_sdk.optimize.train.torch_graph import TorchGraph
from edge_sdk.types import Array


class ByTaylor:
    """The square of what a sample's loss changes with a unit to first order, as its mean over samples.

    That is gradient x what becomes of the activation, summed over a unit's pixels and all layers that read
    it; gradient x weight of those layers sums up to the same. Since channels that go are replaced by
    their mean at least (see `prune.compensate`), what counts is how they differ from that.

    The loss is the cross entropy of the labels. Against its own answers a model's loss is at its least
    and has no gradient, so without labels they are drawn: classes from its probabilities, values
    with a random sign of their spread. The mean square is then the loss's curvature (Fisher information).
    """

    def __init__(
        self, graph: Graph, channels: Channels, moments: dict[int, Moments], samples: Samples
    ) -> None:
        net = TorchGraph(tflite_file.write(graph.tree))
        readers = [
            _Reader(net, graph, layer, moments[layer.op])
            for layer in consumers(channels)
            if hasattr(net, f"t{storage(graph, layer.weights, graph.producers())}")  # else no output needs it
        ]
        parameters = [p for reader in readers for p in reader.parameters]
        wanted = answers(net, samples)
        self.values = np.zeros(channels.count + 1)
        for i in range(len(wanted)):
            one = wanted.take(slice(i, i + 1))
            loss = loss_of(net.scores(*one.inputs), one, Settings())
            gradients = iter(torch.autograd.grad(loss, parameters, materialize_grads=True))
            changes = np.zeros_like(self.values)
            for reader in readers:
                np.add.at(changes, reader.ids, reader.changes(*(next(gradients) for _ in reader.parameters)))
            self.values += np.square(changes) / len(wanted)

    def remove(self, unit: int) -> None:
        """The next round measures anew."""


class _Reader:
    """A layer that reads channels: its weights, and its bias where the channels' means go into that."""

    def __init__(self, net: TorchGraph, graph: Graph, layer: Layer, moments: Moments) -> None:
        assert layer.inputs is not None  # of `consumers`
        replaced = layer.bias != NO_TENSOR and layer.kind != "TRANSPOSE_CONV"
        origins = [storage(graph, t, graph.producers()) for t in (layer.weights, layer.bias)[: 1 + replaced]]
        self.ids = layer.inputs
        self.parameters = [net.get_parameter(f"t{origin}") for origin in origins]
        self._weights: Array = self.parameters[0].detach().numpy()
        self._mean = moments.mean

    def changes(self, weights: torch.Tensor, bias: torch.Tensor | None = None) -> Array:
        """Of the loss, by channel, from the gradients of the parameters."""
        count, channels = len(self._weights), self._weights.shape[-1]
        held, slopes = (w.reshape(count, -1, channels) for w in (self._weights, weights.numpy()))
        found: Array = (held * slopes).sum((0, 1), dtype=np.float64)
        if bias is not None:
            found -= self._mean * (bias.numpy() @ held.sum(1))
        return found


def answers(net: TorchGraph, samples: Samples) -> Lesson:
    """What the outputs for samples are held against."""
    inputs = tuple(torch.from_numpy(np.ascontiguousarray(x)) for x in samples.inputs)
    outputs = [y.numpy() for y in outputs_of(net, inputs)]
    rng = np.random.default_rng(0)
    labels = samples.labels
    numbered = labels is not None and labels.dtype.kind in "iu" and labels.ndim == 1
    one_of_many = len(outputs) == 1 and outputs[0].ndim == 2 and outputs[0].shape[1] > 1
    if one_of_many and (net.ending == "SOFTMAX" or (numbered and not net.ending)):
        shares = torch.from_numpy(outputs[0]).softmax(-1).numpy().cumsum(1)
        drawn = (shares[:, :-1] < rng.random((len(shares), 1))).sum(1)
        known = drawn if labels is None or not numbered else np.where(labels == NO_LABEL, drawn, labels)
        return lesson(replace(samples, labels=known), None, outputs[0].shape[1])
    signs = (rng.choice([-1, 1], y.shape) for y in outputs)
    told = tuple(y + sign * y.std(dtype=np.float64) for y, sign in zip(outputs, signs))
    return lesson(replace(samples, labels=None), told, 0)
