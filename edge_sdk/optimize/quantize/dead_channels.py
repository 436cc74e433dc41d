"""Mends channels whose bias does not fit its codes.

A bias is kept in steps of input scale times weight scale. Training leaves channels with weights of 1e-30
and a bias of 0.2; scaled by their weights, as litert-quantizer does, that bias saturates at 2^31 steps, and
the channel yields next to nothing instead of its constant. Such a channel gets a scale by its bias.
"""

from __future__ import annotations

import numpy as np

from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.graph import BIAS, NO_TENSOR, OUTPUT_CHANNELS, Graph
from edge_sdk.types import Array

_MOST = 2**28  # steps of a bias; what the weights add stays far below 2^30
_WANTED = 2**20


def mend(quantized: bytes, model: Graph) -> bytes:
    """`quantized` with such channels mended; `model` is what it was made from, with equal tensor names."""
    graph = Graph(tflite_file.read(quantized))
    layers = {model.name(model.op_outputs(op)[0]): op for _, op in model.layers()}
    mended = False
    for op in graph.ops:
        kind, inputs = graph.kind(op), graph.op_inputs(op)
        name = graph.name(graph.op_outputs(op)[0])
        if kind not in OUTPUT_CHANNELS or name not in layers or len(inputs) <= BIAS[kind]:
            continue
        bias = inputs[BIAS[kind]]
        if bias == NO_TENSOR or graph.type(bias) not in ("INT32", "INT64"):
            continue
        real = model.constant(model.op_inputs(layers[name])[BIAS[kind]])
        if real is not None:
            mended |= _mend(graph, inputs[1], bias, real, OUTPUT_CHANNELS[kind])
    return tflite_file.write(graph.tree) if mended else quantized


def _mend(graph: Graph, weights: int, bias: int, real: Array, axis: int) -> bool:
    of_weights, of_bias = (graph.main.tensors[t].quantization for t in (weights, bias))
    steps, codes = graph.constant(bias), graph.constant(weights)
    if of_weights is None or of_bias is None or steps is None:  # layers that came quantized may lack them
        return False
    if len(of_weights.scale) != len(steps) or len(of_bias.scale) != len(steps):
        return False
    scales = np.array(of_weights.scale, np.float32)
    input_scale = float(np.max(np.asarray(of_bias.scale, np.float64) / scales))
    bad = np.abs(real.astype(np.float64)) > _MOST * input_scale * scales.astype(np.float64)
    if not bad.any():
        return False
    scales[bad] = np.abs(real[bad]) / (input_scale * _WANTED)
    of_weights.scale = scales
    of_bias.scale = (scales.astype(np.float64) * input_scale).astype(np.float32)
    steps[bad] = np.round(real[bad] / of_bias.scale[bad].astype(np.float64)).astype(steps.dtype)
    graph.set_constant(bias, steps)
    if codes is not None:  # int4 codes are left as they are: what they stand for is far below one step
        shape = [1] * codes.ndim
        shape[axis] = -1
        graph.set_constant(weights, np.where(bad.reshape(shape), codes.dtype.type(0), codes))
    return True
