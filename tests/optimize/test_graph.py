"""Looking at and changing a model's graph."""

from __future__ import annotations

import numpy as np

import edge_sdk
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.graph import Graph
from edge_sdk.resources import folder

FLOAT = folder("models") / "fashion_mnist" / "fashion_mnist_float.tflite"


def test_layers_and_their_work() -> None:
    graph = Graph(tflite_file.read(FLOAT))
    assert [graph.kind(op) for _, op in graph.layers()][-1] == "FULLY_CONNECTED"
    assert sum(graph.macs(op) for op in graph.ops) == 5_532_544
    made, read = graph.producers(), graph.consumers()
    for i, op in enumerate(graph.ops):
        assert all(made[t] == i for t in graph.op_outputs(op))
        assert all(i in read[t] for t in graph.op_inputs(op))


def test_a_changed_constant_reaches_the_file_and_nothing_else_changes() -> None:
    x = np.random.default_rng(0).random((1, 28, 28, 1), np.float32)
    before = edge_sdk.load(FLOAT).run(x)[0]
    graph = Graph(tflite_file.read(FLOAT))
    tensors, buffers = len(graph.main.tensors), len(graph.tree.buffers)
    _, head = list(graph.layers())[-1]
    bias = graph.op_inputs(head)[2]
    values = graph.constant(bias)
    assert values is not None
    graph.set_constant(bias, values)
    graph.add_tensor("left over", [1, 2])
    graph.collect()
    same = tflite_file.write(graph.tree)
    assert len(graph.main.tensors) <= tensors
    assert len(graph.tree.buffers) <= buffers
    np.testing.assert_array_equal(edge_sdk.load(same).run(x)[0], before)
    values[3] += 100
    graph.set_constant(bias, values)
    assert edge_sdk.load(tflite_file.write(graph.tree)).run(x)[0].argmax() == 3
