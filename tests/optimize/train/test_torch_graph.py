"""A graph as a torch module gives what the runtime gives, and goes back into its file with new weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="not run for want of PyTorch (pip install '.[train]')")

from builders import GraphBuilder  # noqa: E402

import edge_sdk  # noqa: E402
from edge_sdk.errors import ModelError  # noqa: E402
from edge_sdk.optimize import tflite_file  # noqa: E402
from edge_sdk.optimize.data import Samples, random_samples, results  # noqa: E402
from edge_sdk.optimize.graph import Graph  # noqa: E402
from edge_sdk.optimize.train.torch_graph import TorchGraph  # noqa: E402
from edge_sdk.resources import folder  # noqa: E402

MADE_HERE = ["fashion_mnist/fashion_mnist_float.tflite", "motion/motion_float.tflite"]
STASHED = [
    "mlcommons+tiny/pretrainedResnet-7e3147.tflite",
    "mlcommons+tiny/vww_96_float.tflite",
    "mlcommons+tiny/vww_96_float-504739.tflite",  # shapes that are computed
    "google-ai-edge+mediapipe/face_detection_back.tflite",  # float16 weights
    "google-ai-edge+mediapipe/face_landmarker_v2__face_landmarks_detector.tflite",  # PRELU
    "google-ai-edge+LiteRT/blazeface_mlkit_v1.tflite",
    "tensorflow+tflite-support/idDetector.tflite",
    "breizhn+DTLN/model_1.tflite",
    "tensorflow+tflite-support/movie_review.tflite",  # an embedding
]
RNG = np.random.default_rng(0)


def values(*shape: int) -> Any:
    return RNG.standard_normal(shape).astype(np.float32)


def assert_agrees(model: bytes, count: int = 3, samples: Samples | None = None) -> None:
    loaded = edge_sdk.load(model)
    samples = samples or random_samples(loaded.inputs, count)
    with torch.no_grad():
        found = TorchGraph(model)(*map(torch.from_numpy, samples.inputs))
    for got, want in zip(found, results(loaded, samples)):
        tolerance = 1e-5 * float(np.abs(want).max())
        np.testing.assert_allclose(got.numpy().reshape(want.shape), want, atol=tolerance, rtol=0)


def one_op(name: str, x: Any, made: tuple[int, ...], *others: Any, outputs: int = 1, **options: Any) -> bytes:
    """A graph of one op with input `x` (a shape) and constants behind it."""
    g = GraphBuilder()
    given = [g.input(x, "float32"), *(None if o is None else g.constant(o) for o in others)]
    results = [g.tensor(made, "float32") for _ in range(outputs)]
    g.op(name, given, results, **options)
    return g.build(outputs=results)


@pytest.mark.parametrize("name", MADE_HERE)
def test_models_made_here(name: str) -> None:
    model = (folder("models") / name).read_bytes()
    (spec,) = edge_sdk.load(model).inputs
    assert_agrees(model, samples=Samples((RNG.random((4, *spec.shape[1:]), np.float32),)))


@pytest.mark.parametrize("name", STASHED)
def test_models_of_others(stash: Path, name: str) -> None:
    assert_agrees((stash / "real" / name).read_bytes(), 2)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2)])
@pytest.mark.parametrize(("name", "weights"), [
    ("CONV_2D", (6, 3, 2, 4)), ("CONV_2D", (6, 3, 3, 2)), ("DEPTHWISE_CONV_2D", (1, 3, 4, 8)),
])  # fmt: skip
def test_convolutions(name: str, weights: tuple[int, ...], padding: str, stride: int, dilation: int) -> None:
    channels = weights[0] if name == "CONV_2D" else weights[3]
    window = [(n - 1) * dilation + 1 for n in weights[1:3]]
    lengths = [9 if padding == "SAME" else 10 - window[0], 8 if padding == "SAME" else 9 - window[1]]
    made = (1, *(-(-n // stride) for n in lengths), channels)
    more = {"depthMultiplier": 2} if name != "CONV_2D" else {}
    model = one_op(
        name, (1, 9, 8, 4), made, values(*weights), values(channels), padding=padding, strideH=stride,
        strideW=stride, dilationHFactor=dilation, dilationWFactor=dilation, fusedActivationFunction="RELU6",
        **more,
    )  # fmt: skip
    assert_agrees(model)


@pytest.mark.parametrize(("padding", "made"), [("SAME", (9, 8)), ("VALID", (11, 8)), ("VALID", (12, 9))])
def test_transposed_convolutions(padding: str, made: tuple[int, int]) -> None:
    g = GraphBuilder()
    x = g.input((1, 5, 4, 3), "float32")
    shape, weights, bias = (
        g.constant(np.int32([1, *made, 2])),
        g.constant(values(2, 3, 2, 3)),
        g.constant(values(2)),
    )
    y = g.tensor((1, *made, 2), "float32")
    g.op("TRANSPOSE_CONV", [shape, weights, x, bias], [y], padding=padding, strideH=2, strideW=2, version=3)
    assert_agrees(g.build(outputs=[y]))


@pytest.mark.parametrize("name", ["MAX_POOL_2D", "AVERAGE_POOL_2D"])
@pytest.mark.parametrize(("padding", "made"), [("SAME", (4, 3)), ("VALID", (3, 2))])
def test_pools(name: str, padding: str, made: tuple[int, int]) -> None:
    model = one_op(
        name, (1, 7, 6, 3), (1, *made, 3), padding=padding, strideH=2, strideW=2, filterHeight=3,
        filterWidth=4,
    )  # fmt: skip
    assert_agrees(model)


@pytest.mark.parametrize("name", ["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"])
@pytest.mark.parametrize("size", [(11, 7), (3, 2)])
@pytest.mark.parametrize("flag", [{}, {"alignCorners": True}, {"halfPixelCenters": True}])
def test_resizing(name: str, size: tuple[int, int], flag: dict[str, bool]) -> None:
    assert_agrees(one_op(name, (1, 5, 6, 2), (1, *size, 2), np.int32(size), version=3, **flag))


PADS = np.int32([[0, 0], [2, 1], [0, 3], [0, 0]])
OPS = [
    one_op("PAD", (1, 4, 5, 2), (1, 7, 8, 2), PADS),
    one_op("PADV2", (1, 4, 5, 2), (1, 7, 8, 2), PADS, np.float32([1.5])),
    one_op("MIRROR_PAD", (1, 4, 5, 2), (1, 7, 8, 2), PADS, mode="REFLECT"),
    one_op("MIRROR_PAD", (1, 4, 5, 2), (1, 7, 8, 2), PADS, mode="SYMMETRIC"),
    one_op("MEAN", (1, 4, 5, 2), (1, 2), np.int32([1, -2])),
    one_op("REDUCE_MAX", (1, 4, 5), (1, 4, 1), np.int32([2]), keepDims=True),
    one_op("STRIDED_SLICE", (1, 6, 5, 2), (1, 3, 2), np.int32([0, 5, 1, 0]), np.int32([0, 0, 2, 2]),
           np.int32([1, -2, 1, 1]), beginMask=1, endMask=1, shrinkAxisMask=4),
    one_op("SLICE", (1, 6, 5), (1, 3, 4), np.int32([0, 2, 1]), np.int32([1, 3, -1])),
    one_op("TRANSPOSE", (1, 6, 5), (1, 5, 6), np.int32([0, 2, 1])),
    one_op("SOFTMAX", (1, 6), (1, 6), beta=2.0),
    one_op("PRELU", (1, 4, 5, 3), (1, 4, 5, 3), values(1, 1, 3)),
    one_op("LEAKY_RELU", (1, 6), (1, 6), alpha=0.1),
    one_op("HARD_SWISH", (1, 6), (1, 6)),
    one_op("GELU", (1, 6), (1, 6), approximate=True),
    one_op("L2_NORMALIZATION", (1, 6), (1, 6), fusedActivationFunction="NONE"),
    one_op("MUL", (1, 4, 3), (1, 4, 3), values(3), fusedActivationFunction="RELU_N1_TO_1"),
    one_op("DIV", (1, 4, 3), (1, 4, 3), values(3), fusedActivationFunction="RELU"),
    one_op("FULLY_CONNECTED", (1, 4, 3), (1, 4, 2), values(2, 3), values(2), keepNumDims=True),
    one_op("FULLY_CONNECTED", (1, 4, 3), (4, 2), values(2, 3), None),
    one_op("BATCH_MATMUL", (1, 4, 3), (1, 3, 2), values(1, 2, 4), adjX=True, adjY=True),
    one_op("UNPACK", (1, 2, 3), (1, 3), num=2, axis=1, outputs=2),
    one_op("SQUEEZE", (1, 1, 3), (1, 3), squeezeDims=[1]),
]  # fmt: skip


@pytest.mark.parametrize(
    "model", OPS, ids=[Graph(t := tflite_file.read(m)).kind(t.subgraphs[0].operators[0]) for m in OPS]
)
def test_other_ops(model: bytes) -> None:
    assert_agrees(model)


def test_what_has_several_inputs() -> None:
    g = GraphBuilder()
    x = g.input((1, 6, 4), "float32")
    parts = [g.tensor((1, 6, 2), "float32") for _ in range(2)]
    g.op("SPLIT", [g.constant(np.int32([2])), x], parts, numSplits=2)
    packed, joined = g.tensor((1, 2, 6, 2), "float32"), g.tensor((1, 4, 6, 2), "float32")
    g.op("PACK", parts, [packed], axis=1, valuesCount=2)
    g.op("CONCATENATION", [packed, packed], [joined], axis=1, fusedActivationFunction="NONE")
    assert_agrees(g.build(outputs=[joined]))


def test_written_back_with_other_weights_and_nothing_else() -> None:
    model = (folder("models") / MADE_HERE[0]).read_bytes()
    net = TorchGraph(model)
    x = RNG.random((3, 28, 28, 1), np.float32)
    assert (
        results(edge_sdk.load(net.written()), Samples((x,)))[0].tobytes()
        == results(edge_sdk.load(model), Samples((x,)))[0].tobytes()
    )
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(0.9)
        want = net(torch.from_numpy(x))[0]
    changed = edge_sdk.load(net.written())
    np.testing.assert_allclose(results(changed, Samples((x,)))[0], want, atol=1e-6)
    assert changed.metadata == edge_sdk.load(model).metadata
    before, after = (Graph(tflite_file.read(m)) for m in (model, net.written()))
    assert [before.kind(op) for op in before.ops] == [after.kind(op) for op in after.ops]
    assert {before.name(t) for t in range(len(before.main.tensors))} == {
        after.name(t) for t in range(len(after.main.tensors))
    }
    assert [d.signatureKey for d in before.tree.signatureDefs] == [
        d.signatureKey for d in after.tree.signatureDefs
    ]


def test_scores_are_before_the_softmax_and_every_weight_learns() -> None:
    net = TorchGraph((folder("models") / MADE_HERE[0]).read_bytes())
    x = torch.rand(2, 28, 28, 1)
    (scores,) = net.scores(x)
    torch.testing.assert_close(scores.softmax(-1), net(x)[0])
    assert float(scores.detach().abs().max()) > 1
    scores.square().sum().backward()
    assert all(p.grad is not None and float(p.grad.abs().sum()) > 0 for p in net.parameters())


def test_weights_that_share_their_bytes_stay_one_and_equal_biases_do_not() -> None:
    g = GraphBuilder()
    x = g.input((1, 3), "float32")
    weights, bias = (
        [g.constant(np.eye(3, dtype=np.float32)) for _ in range(2)],
        [g.constant(np.zeros(3, np.float32)) for _ in range(2)],
    )
    middle, y = g.tensor((1, 3), "float32"), g.tensor((1, 3), "float32")
    g.op("FULLY_CONNECTED", [x, weights[0], bias[0]], [middle])
    g.op("FULLY_CONNECTED", [middle, weights[1], bias[1]], [y])
    tree = tflite_file.read(g.build(outputs=[y]))
    tensors = tree.subgraphs[0].tensors
    for one, other in (weights, bias):
        tensors[other].buffer = tensors[one].buffer
    net = TorchGraph(tflite_file.write(tree))
    assert [tuple(p.shape) for p in net.parameters()] == [(3, 3), (3,), (3,)]
    after = tflite_file.read(net.written()).subgraphs[0].tensors
    assert after[weights[0]].buffer == after[weights[1]].buffer
    assert after[bias[0]].buffer != after[bias[1]].buffer


def test_float16_weights_are_trained_and_stay_float16() -> None:
    g = GraphBuilder()
    x, half = g.input((1, 3), "float32"), g.constant(values(2, 3).astype(np.float16))
    weights, y = g.tensor((2, 3), "float32"), g.tensor((1, 2), "float32")
    g.op("DEQUANTIZE", [half], [weights])
    g.op("FULLY_CONNECTED", [x, weights, None], [y])
    net = TorchGraph(g.build(outputs=[y]))
    (parameter,) = net.parameters()
    with torch.no_grad():
        parameter += 1
    after = Graph(tflite_file.read(net.written()))
    np.testing.assert_array_equal(after.constant(half), parameter.detach().numpy().astype(np.float16))


def test_what_cannot_be_trained_is_named() -> None:
    with pytest.raises(ModelError, match="only float models can be trained"):
        TorchGraph((folder("models") / "fashion_mnist" / "fashion_mnist_int8.tflite").read_bytes())
    with pytest.raises(ModelError, match="FLOOR cannot be trained"):
        TorchGraph(one_op("FLOOR", (1, 3), (1, 3)))
    g = GraphBuilder()
    x, widths, y = g.input((1, 3), "float32"), g.input((2, 2), "int32"), g.tensor((1, 5), "float32")
    g.op("PAD", [x, widths], [y])
    with pytest.raises(ModelError, match=r"PAD: input 1 .* is computed"):
        TorchGraph(g.build(outputs=[y]))
