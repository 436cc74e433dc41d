"""Models of a few ops for the tests of loading and running. Each function returns the file's bytes."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder
from flatbuffers import flexbuffers

WEIGHTS = np.array([[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 3, 0]], np.float32)
BIAS = np.array([0.5, 0, -0.5], np.float32)


def affine(x: np.ndarray) -> np.ndarray:
    """What `affine_model` computes: the softmax of max(0, x @ WEIGHTS.T + BIAS)."""
    powers = np.exp(np.maximum(x @ WEIGHTS.T + BIAS, 0))
    return powers / powers.sum(axis=1, keepdims=True)


def affine_model() -> bytes:
    """float32: x (batch, 4) -> hidden (batch, 3) -> y (batch, 3); signature "serve": features to scores."""
    g = GraphBuilder()
    x = g.input((1, 4), "float32", name="x")
    w, b = g.constant(WEIGHTS, name="w"), g.constant(BIAS, name="b")
    hidden = g.tensor((1, 3), "float32", name="hidden")
    y = g.tensor((1, 3), "float32", name="y")
    for tensor, shape in ((x, (-1, 4)), (hidden, (-1, 3)), (y, (-1, 3))):
        g._graph.tensors[tensor].shapeSignature = np.array(shape, np.int32)
    g.op("FULLY_CONNECTED", [x, w, b], [hidden], fusedActivationFunction="RELU")
    g.op("SOFTMAX", [hidden], [y], beta=1.0)
    g.signature("serve", {"features": x}, {"scores": y})
    return g.build(outputs=[y])


def wide_model() -> bytes:
    """float32 (128, 256) -> (128, 256): enough work that every backend divides it among threads."""
    g = GraphBuilder()
    x = g.input((128, 256), "float32")
    weights = g.constant(np.random.default_rng(0).standard_normal((256, 256)).astype(np.float32))
    y = g.tensor((128, 256), "float32")
    g.op("FULLY_CONNECTED", [x, weights, None], [y])
    return g.build(outputs=[y])


def quantized_model() -> bytes:
    """int8: x (1, 8), scale 0.5, zero point 3 -> its RELU of the same type."""
    g = GraphBuilder()
    x = g.input((1, 8), "int8", scale=0.5, zero_point=3, name="x")
    y = g.tensor((1, 8), "int8", scale=0.5, zero_point=3, name="y")
    g.op("RELU", [x], [y])
    return g.build(outputs=[y])


def block_model() -> bytes:
    """int8 (1, 64, 64, 8): widened to 48, seen through 3x3 cells, narrowed to 8; runs as one chain."""
    g = GraphBuilder()
    rng = np.random.default_rng(5)
    x = g.input((1, 64, 64, 8), "int8", scale=0.1)
    for op, shape, channels in (
        ("CONV_2D", (48, 1, 1, 8), 48),
        ("DEPTHWISE_CONV_2D", (1, 3, 3, 48), 48),
        ("CONV_2D", (8, 1, 1, 48), 8),
    ):
        w = g.constant(rng.integers(-127, 128, shape).astype(np.int8), scale=0.01)
        b = g.constant(rng.integers(-999, 1000, channels).astype(np.int32), scale=0.001)
        y = g.tensor((1, 64, 64, channels), "int8", scale=0.2)
        options = {"depthMultiplier": 1} if op == "DEPTHWISE_CONV_2D" else {}
        g.op(op, [x, w, b], [y], padding="SAME", strideH=1, strideW=1, **options)
        x = y
    return g.build(outputs=[x])


def two_input_model() -> bytes:
    """float32 (1, 2) each: sum and product of `left` and `right`; the signature calls them a and b."""
    g = GraphBuilder()
    left = g.input((1, 2), "float32", name="left")
    right = g.input((1, 2), "float32", name="right")
    total = g.tensor((1, 2), "float32", name="sum")
    product = g.tensor((1, 2), "float32", name="product")
    g.op("ADD", [left, right], [total])
    g.op("MUL", [left, right], [product])
    g.signature("both", {"a": left, "b": right}, {"s": total, "p": product})
    return g.build(outputs=[total, product])


def two_signature_model() -> bytes:
    """float32 (3): signature "relu" of subgraph 0, and "logistic" of subgraph 1; each x -> y."""
    g = GraphBuilder()
    for subgraph, op in enumerate(("RELU", "LOGISTIC")):
        if subgraph:
            g.subgraph(op.lower())
        x = g.input((3,), "float32", name="x")
        y = g.tensor((3,), "float32", name="y")
        g.op(op, [x], [y])
        g.outputs(y)
        g.signature(op.lower(), {"x": x}, {"y": y}, subgraph=subgraph)
    return g.build()


def chain_model(*ops: str) -> bytes:
    """float32 (1, 4): one op after the other; names that are no builtin's become custom ops."""
    g = GraphBuilder()
    tensor = g.input((1, 4), "float32")
    for op in ops:
        inputs, tensor = [tensor] * (2 if op == "ADD" else 1), g.tensor((1, 4), "float32")
        g.op(op, inputs, [tensor])
    return g.build(outputs=[tensor])


def missing_op_model() -> bytes:
    """int8 (4), float32 (4) -> float32 (4): how far codes are off, by an op that LiteRT has and we lack."""
    g = GraphBuilder()
    x, y = g.input((4,), "int8", scale=0.5, name="x"), g.tensor((4,), "float32")
    options = bytes(flexbuffers.Dumps({"tolerance": 1.0, "log_if_failed": False}))
    g.op("NumericVerify", [x, g.input((4,), "float32", name="wanted")], [y], custom_options=options)
    return g.build(outputs=[y])


def counter_model() -> bytes:
    """float32 (1): the sum of all inputs so far, kept in a resource variable that starts at 10."""
    g = GraphBuilder()
    x = g.input((1,), "float32", name="x")
    before, after = g.tensor((1,), "float32"), g.tensor((1,), "float32", name="total")
    g.op("CALL_ONCE", [], [], initSubgraphIndex=1)
    handle = _variable(g)
    g.op("READ_VARIABLE", [handle], [before])
    g.op("ADD", [before, x], [after])
    g.op("ASSIGN_VARIABLE", [handle, after], [])
    g.outputs(after)
    g.subgraph("start")
    start = g.constant(np.array([10], np.float32))
    g.op("ASSIGN_VARIABLE", [_variable(g), start], [])
    g.outputs()
    return g.build()


def _variable(g: GraphBuilder) -> int:
    handle = g.tensor((1,), "resource")
    g.op("VAR_HANDLE", [], [handle])
    g._graph.operators[-1].builtinOptions.sharedName = "total"
    return handle
