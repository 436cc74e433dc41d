"""Small float networks for the tests of quantization, with samples that they answer in varied ways."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder

import edge_sdk
from edge_sdk.optimize.data import Samples, results

SIDE, CLASSES, SEED = 12, 4, 11


def network(
    half: bool = False,
    signature: bool = False,
    coded_head: bool = False,
    dead: bool = False,
    softmax: bool = True,
    name: str = "",
) -> bytes:
    """float32 (1, 12, 12, 3) -> scores of 4 classes: convolutions, depthwise and pointwise, mean, dense.

    `half`: weights in float16 behind a DEQUANTIZE. `coded_head`: the last layer has int8 weights already.
    `dead`: a channel with weights of 1e-30, whose output is its bias. `name`: of every tensor.
    """
    g = GraphBuilder()
    rng = np.random.default_rng(SEED)

    def weights(shape: tuple[int, ...], fan_in: int) -> int:
        values = (rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32)
        if dead and shape == (16, 1, 1, 8):
            values[5] *= 1e-30
        if not half:
            return g.constant(values, name=name or None)
        stored, made = g.constant(values.astype(np.float16)), g.tensor(shape, "float32")
        g.op("DEQUANTIZE", [stored], [made])
        return made

    def bias(count: int) -> int:
        return g.constant(np.linspace(0.1, 0.4, count).astype(np.float32), name=name or None)

    x = g.input((1, SIDE, SIDE, 3), "float32", name=name or "picture")
    for op, shape, fan_in, channels in (
        ("CONV_2D", (8, 3, 3, 3), 27, 8),
        ("DEPTHWISE_CONV_2D", (1, 3, 3, 8), 9, 8),
        ("CONV_2D", (16, 1, 1, 8), 8, 16),
        ("CONV_2D", (32, 3, 3, 16), 144, 32),
    ):
        w, b = weights(shape, fan_in), bias(channels)
        y = g.tensor((1, SIDE, SIDE, channels), "float32", name=name or None)
        options = {"depthMultiplier": 1} if op == "DEPTHWISE_CONV_2D" else {}
        g.op(
            op, [x, w, b], [y], padding="SAME", strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1,
            fusedActivationFunction="RELU", **options,
        )  # fmt: skip
        x = y
    pooled = g.tensor((1, 32), "float32", name=name or None)
    g.op("MEAN", [x, g.constant(np.array([1, 2], np.int32), name=name or None)], [pooled], keepDims=False)
    head = (rng.standard_normal((CLASSES, 32))).astype(np.float32)
    head -= head.mean(axis=1, keepdims=True)  # or one class would always win
    logits = g.tensor((1, CLASSES), "float32", name=name or None)
    if coded_head:
        codes = np.round(head / np.abs(head).max() * 127).astype(np.int8)
        w = g.constant(codes, scale=float(np.abs(head).max() / 127))
    else:
        w = g.constant(head, name=name or None)
    g.op("FULLY_CONNECTED", [pooled, w, None], [logits])
    made = logits
    if softmax:
        made = g.tensor((1, CLASSES), "float32", name=name or "scores")
        g.op("SOFTMAX", [logits], [made], beta=1.0)
    if signature:
        g.signature("classify", {"pixels": 0}, {"probabilities": made})
    return g.build(outputs=[made])


def samples(model: bytes, count: int = 160, labelled: bool = True) -> Samples:
    """Smooth patterns; the label is what the model itself answers."""
    rng = np.random.default_rng(SEED)
    coarse = rng.standard_normal((count, 3, 3, 3))
    smooth = coarse.repeat(SIDE // 3, axis=1).repeat(SIDE // 3, axis=2) * rng.uniform(
        0.3, 2, (count, 1, 1, 1)
    )
    pictures = Samples(((smooth + 0.3 * rng.standard_normal(smooth.shape)).astype(np.float32),))
    if not labelled:
        return pictures
    answers = results(edge_sdk.load(model), pictures)[0].argmax(axis=1)
    return Samples(pictures.inputs, answers.astype(np.int64))
