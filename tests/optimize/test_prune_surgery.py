"""A pruned graph computes what the original does where no layer looks at the channels that are gone."""

from __future__ import annotations

import numpy as np
import pytest

import edge_sdk
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.prune.channels import find
from edge_sdk.optimize.prune.surgery import cut

from .prunable import masked, random_model


@pytest.mark.parametrize("seed", range(120))
def test_surgery_is_masking(seed: int) -> None:
    model = random_model(seed)
    rng = np.random.default_rng(seed)
    graph = Graph(tflite_file.read(model))
    channels = find(graph)
    gone = np.append(False, rng.random(channels.count) < 0.4)
    for axes in channels.axes.values():  # none loses all
        for ids in axes.values():
            if gone[ids].all():
                gone[ids[0]] = False
    reference = edge_sdk.load(masked(model, channels, gone))
    cut(graph, channels, gone)
    pruned = edge_sdk.load(tflite_file.write(graph.tree))
    x = rng.standard_normal((1, 8, 8, 3)).astype(np.float32)
    for ours, wanted in zip(pruned.run(x), reference.run(x)):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-4)
