"""Small models that between them use most of the format and of the ops."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder
from flatbuffers import flexbuffers

from edge_sdk.optimize import tflite_file


def classifier() -> bytes:
    """int8 CONV_2D, DEPTHWISE_CONV_2D, ADD, AVERAGE_POOL_2D, FULLY_CONNECTED, SOFTMAX, with metadata."""
    rng = np.random.default_rng(1)
    g = GraphBuilder()
    q = {"scale": 0.1, "zero_point": -5}
    x = g.input((1, 8, 8, 3), "int8", **q)
    weights = rng.integers(-127, 128, (8, 3, 3, 3)).astype(np.int8)
    w = g.constant(weights, scale=np.linspace(0.01, 0.02, 8))
    b = g.constant(np.arange(8, dtype=np.int32), scale=np.linspace(0.001, 0.002, 8))
    c = g.tensor((1, 4, 4, 8), "int8", **q)
    g.op(
        "CONV_2D", [x, w, b], [c],
        padding="SAME", strideH=2, strideW=2, fusedActivationFunction="RELU6",
    )  # fmt: skip
    dw = g.constant(rng.integers(-127, 128, (1, 3, 3, 8)).astype(np.int8), scale=0.02, axis=3)
    d = g.tensor((1, 4, 4, 8), "int8", **q)
    g.op("DEPTHWISE_CONV_2D", [c, dw, b], [d], padding="SAME", strideH=1, strideW=1, depthMultiplier=1)
    s = g.tensor((1, 4, 4, 8), "int8", scale=0.2)
    g.op("ADD", [c, d], [s])
    p = g.tensor((1, 1, 1, 8), "int8", scale=0.2)
    g.op("AVERAGE_POOL_2D", [s], [p], padding="VALID", strideH=1, strideW=1, filterHeight=4, filterWidth=4)
    fw = g.constant(rng.integers(-127, 128, (4, 8)).astype(np.int8), scale=0.01)
    f = g.tensor((1, 4), "int8", scale=0.3)
    g.op("FULLY_CONNECTED", [p, fw, None], [f])
    y = g.tensor((1, 4), "int8", scale=1 / 256, zero_point=-128)
    g.op("SOFTMAX", [f], [y], beta=1.0)
    g.signature("serving_default", {"image": x}, {"scores": y})
    return tflite_file.add_metadata(g.build([y]), ["a", "b", "c", "d"], "test", mean=127.5, std=127.5)


def shuffler() -> bytes:
    """float32 and int32 through the ops that take their parameters from constant tensors; two subgraphs."""
    g = GraphBuilder()

    def ints(*values: int) -> int:
        return g.constant(np.array(values, np.int32))

    x = g.input((2, 3, 4, 5), "float32")
    t = g.tensor((2, 5, 3, 4), "float32")
    g.op("TRANSPOSE", [x, ints(0, 3, 1, 2)], [t])
    s = g.tensor((2, 2, 4), "float32")
    g.op("STRIDED_SLICE", [t, ints(0, 4, 1, 0), ints(2, 0, 2, 4), ints(1, -2, 1, 1)], [s], shrinkAxisMask=4)
    p = g.tensor((2, 4, 4), "float32")
    g.op("PAD", [s, g.constant(np.array([[0, 0], [1, 1], [0, 0]], np.int32))], [p])
    h = g.tensor((2, 3, 4), "float32")
    g.op("GATHER", [p, ints(3, 0, 1)], [h], axis=1)
    halves = [g.tensor((2, 3, 2), "float32") for _ in range(2)]
    g.op("SPLIT", [g.constant(np.array(2, np.int32)), h], halves, numSplits=2)
    j = g.tensor((2, 6, 2), "float32")
    g.op("CONCATENATION", halves, [j], axis=1)
    r = g.tensor((1, 4, 6, 1), "float32")
    g.op("RESHAPE", [j, ints(1, 4, -1, 1)], [r])
    z = g.tensor((1, 8, 3, 1), "float32")
    g.op("RESIZE_BILINEAR", [r, ints(8, 3)], [z], halfPixelCenters=True)
    m = g.tensor((1, 1), "float32")
    g.op("MEAN", [z, ints(1, 2)], [m])
    a = g.tensor((2, 3, 4), "int32")
    g.op("ARG_MAX", [x, g.constant(np.array(3, np.int32))], [a], outputType="int32")
    u = [g.tensor((2, 4), "int32") for _ in range(3)]
    g.op("UNPACK", [a], u, num=3, axis=1)
    k = g.tensor((2, 2, 4), "int32")
    g.op("PACK", u[:2], [k], axis=0, valuesCount=2)
    n = g.tensor((2, 4), "int32")
    g.op("GATHER_ND", [k, g.constant(np.array([[0, 1], [1, 0]], np.int32))], [n])
    c = g.tensor((2, 4), "float32")
    g.op("CAST", [n], [c], inDataType="int32", outDataType="float32")
    g.outputs(m, c)
    g.subgraph("other")
    v = g.input((4,), "float32")
    w = g.tensor((4,), "float32")
    g.op("RELU", [v], [w])
    g.signature("other", {"v": v}, {"w": w}, subgraph=1)
    return g.build([w])


def detector() -> bytes:
    """TFLite_Detection_PostProcess, whose options are a flexbuffer."""
    options = {
        "max_detections": 5, "max_classes_per_detection": 1, "detections_per_class": 10,
        "use_regular_nms": False, "nms_score_threshold": 0.1, "nms_iou_threshold": 0.5, "num_classes": 3,
        "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0,
    }  # fmt: skip
    g = GraphBuilder()
    boxes = g.input((1, 12, 4), "uint8", scale=0.05, zero_point=128)
    scores = g.input((1, 12, 4), "uint8", scale=1 / 256)
    b, s = g.tensor((1, 12, 4), "float32"), g.tensor((1, 12, 4), "float32")
    g.op("DEQUANTIZE", [boxes], [b])
    g.op("DEQUANTIZE", [scores], [s])
    anchors = g.constant(np.random.default_rng(2).random((12, 4), np.float32))
    outputs = [g.tensor(shape, "float32") for shape in ((1, 5, 4), (1, 5), (1, 5), (1,))]
    content = bytes(flexbuffers.Dumps(options))
    g.op("TFLite_Detection_PostProcess", [b, s, anchors], outputs, custom_options=content)
    return g.build(outputs)


def listener() -> bytes:
    """What keeps a state, 8-bit and 4-bit weights of float inputs, and a sparse constant."""
    rng = np.random.default_rng(3)
    g = GraphBuilder()

    def codes(*shape: int) -> int:
        return g.constant(rng.integers(-127, 128, shape).astype(np.int8), scale=0.01)

    def floats(*shape: int) -> int:
        return g.constant(rng.normal(0, 1, shape).astype(np.float32))

    def state(count: int, dtype: str = "float32", **q: float) -> int:
        return g.tensor((1, count), dtype, variable=True, **q)

    x = g.input((1, 3, 4), "float32")
    gates = [
        *(codes(5, 4) for _ in range(4)),
        *(codes(5, 5) for _ in range(4)),
        *(codes(5) for _ in range(3)),
    ]
    inputs = [x, *gates, *(floats(5) for _ in range(4)), None, None, state(5), state(5)]
    y = g.tensor((1, 3, 5), "float32")
    g.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], fusedActivationFunction="TANH")
    z = g.input((1, 4), "int8", scale=0.1)
    m = g.tensor((1, 3), "int8", scale=0.1)
    time = g.constant(rng.integers(-9999, 9999, (6, 2)).astype(np.int16), scale=0.001)
    memory = state(12, "int16", scale=0.01)
    g.op("SVDF", [z, codes(6, 4), time, None, memory], [m], rank=2, fusedActivationFunction="RELU")
    w = g.sparse(np.eye(6, 6, dtype=np.float32), (2, 3))
    v = g.tensor((6, 6), "float32")
    g.op("DENSIFY", [w], [v])
    a = g.input((2, 5, 6), "float32")
    p = g.tensor((2, 5, 6), "float32")
    g.op("BATCH_MATMUL", [a, v], [p])
    f = g.tensor((10, 3), "float32")
    four = g.constant_int4(rng.integers(-8, 8, (3, 6)), scale=0.1)
    g.op("FULLY_CONNECTED", [p, four, floats(3)], [f])
    c = g.tensor((1, 5, 2, 3), "float32")
    g.op("RESHAPE", [f, g.constant(np.array([1, 5, 2, 3], np.int32))], [c])
    e = g.tensor((1, 5, 2, 2), "float32")
    g.op("CONV_2D", [c, codes(2, 2, 2, 3), floats(2)], [e], padding="SAME", strideH=1, strideW=1)
    return g.build([y, m, e])


def upscaler() -> bytes:
    """int16 CONV_2D, ADD and TRANSPOSE_CONV between QUANTIZE and DEQUANTIZE."""
    rng = np.random.default_rng(3)
    g = GraphBuilder()
    x = g.input((1, 4, 5, 3), "float32")
    q = {"scale": 0.001}
    codes = g.tensor((1, 4, 5, 3), "int16", **q)
    g.op("QUANTIZE", [x], [codes])
    w = g.constant(rng.integers(-127, 128, (6, 3, 3, 3)).astype(np.int8), scale=np.linspace(0.01, 0.02, 6))
    b = g.constant(rng.integers(-1000, 1000, 6), scale=1e-5)
    c, s = g.tensor((1, 4, 5, 6), "int16", **q), g.tensor((1, 4, 5, 6), "int16", scale=0.002)
    g.op("CONV_2D", [codes, w, b], [c], padding="SAME", strideH=1, strideW=1)
    g.op("ADD", [c, c], [s], potScaleInt16=False)
    tw = g.constant(rng.integers(-127, 128, (2, 3, 4, 6)).astype(np.int8), scale=0.01)
    extents = g.constant(np.array([1, 8, 10, 2], np.int32))
    up, y = g.tensor((1, 8, 10, 2), "int16", scale=0.003), g.tensor((1, 8, 10, 2), "float32")
    g.op("TRANSPOSE_CONV", [extents, tw, s], [up], padding="SAME", strideH=2, strideW=2)
    g.op("DEQUANTIZE", [up], [y])
    return g.build([y])


def arranger() -> bytes:
    """Ops that put elements elsewhere by what constants and inputs say, compare, choose and count."""
    g = GraphBuilder()
    f32, i32 = "float32", "int32"

    def ints(values: object) -> int:
        return g.constant(np.array(values, np.int32))

    def then(op: str, inputs: list[int], shape: tuple[int, ...], dtype: str = f32, **options: object) -> int:
        y = g.tensor(shape, dtype)
        g.op(op, inputs, [y], **options)
        return y

    x = g.input((2, 4, 4, 3), f32)
    index = g.input((2, 2), i32)
    b = then("SPACE_TO_BATCH_ND", [x, ints([2, 2]), ints([[0, 0], [1, 1]])], (8, 2, 3, 3))
    p = then("BATCH_TO_SPACE_ND", [b, ints([2, 2]), ints([[0, 0], [1, 1]])], (2, 4, 4, 3))
    m = then("MIRROR_PAD", [p, ints([[0, 0], [1, 1], [2, 0], [0, 0]])], (2, 6, 6, 3), mode="REFLECT")
    r = then("REVERSE_V2", [m, ints([1, 2])], (2, 6, 6, 3))
    q = then("REVERSE_SEQUENCE", [r, ints([3, 5])], (2, 6, 6, 3), seqDim=1, batchDim=0)
    u = then("DYNAMIC_UPDATE_SLICE", [q, p, ints([0, 1, 1, 0])], (2, 6, 6, 3))
    c = then("CUMSUM", [u, ints(-1)], (2, 6, 6, 3), exclusive=True)
    less = then("LESS", [c, u], (2, 6, 6, 3), "bool")
    s = then("SELECT_V2", [less, c, u], (2, 6, 6, 3))
    pool = then("L2_POOL_2D", [s], (2, 3, 3, 3), strideH=2, strideW=2, filterHeight=2, filterWidth=2)
    norm = then("LOCAL_RESPONSE_NORMALIZATION", [pool], (2, 3, 3, 3), radius=1, bias=1.0, alpha=1.0, beta=0.5)
    best, where = g.tensor((2, 3, 3, 2), f32), g.tensor((2, 3, 3, 2), i32)
    g.op("TOPK_V2", [norm, ints(2)], [best, where])
    diagonal = then("MATRIX_DIAG", [best], (2, 3, 3, 2, 2))
    rows = then("UNSORTED_SEGMENT_MAX", [diagonal, ints([1, 0]), ints(3)], (3, 3, 3, 2, 2))
    scattered = then("SCATTER_ND", [index, g.constant(np.ones(2, np.float32)), ints([3, 2])], (3, 2))
    on, off = (g.constant(np.array(v, np.float32)) for v in (1, 0))
    hot = then("ONE_HOT", [index, ints(3), on, off], (2, 2, 3), axis=-1)
    dense = then("SPARSE_TO_DENSE", [index, ints([3, 3]), ints([5, 6]), ints(0)], (3, 3), i32)
    boxes = then("RESHAPE", [best, ints([9, 4])], (9, 4))
    scores = then("REDUCE_MAX", [boxes, ints([1])], (9,))
    limits = [ints(4), g.constant(np.array(0.5, np.float32)), g.constant(np.array(-1, np.float32))]
    kept, count = g.tensor((4,), i32), g.tensor((), i32)
    g.op("NON_MAX_SUPPRESSION_V4", [boxes, scores, *limits], [kept, count])
    return g.build([rows, scattered, hot, dense, kept, count])


MODELS = {
    "classifier": classifier,
    "shuffler": shuffler,
    "detector": detector,
    "listener": listener,
    "upscaler": upscaler,
}
