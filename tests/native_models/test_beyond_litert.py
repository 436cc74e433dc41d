"""The files that LiteRT does not run: what we compute of them, node by node, and why we refuse the rest."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the reference is ai-edge-litert: pip install -e '.[test]'")

from expected.vision import people

from edge_sdk.backends import native
from edge_sdk.bench.inputs import random_inputs
from edge_sdk.errors import EdgeError, InputError, ModelError, UnsupportedOpError

from .nodes import Nodes
from .recording import picture_input

Inputs = Sequence[Any]
Feed = Callable[[Any, Any], Inputs]  # (specs of the inputs, generator) -> one array each


def noise(specs: Any, rng: np.random.Generator) -> Inputs:
    return random_inputs(specs, seed=int(rng.integers(2**32)))


def sound(specs: Any, rng: np.random.Generator) -> Inputs:
    """A tone in noise, too soft to be clipped."""
    (spec,) = specs
    tone = 9000 * np.sin(np.arange(spec.shape[-1]) * rng.uniform(0.05, 1))
    return [(tone + rng.normal(0, 1500, spec.shape)).astype(np.int16)]


def crowd(stride: int) -> Feed:
    """What PoseNet says of three people; the decoders' inputs are heat maps, offsets, mid offsets."""

    def fields(specs: Any, rng: np.random.Generator) -> Inputs:
        by_depth = {a.shape[2]: a for a in people(rng, *specs[0].shape[1:3], 3)}
        factors = {17: 1, 34: stride, 64: stride}
        return [(by_depth[n := s.shape[3]] * factors[n]).astype(np.float32)[None] for s in specs]

    return fields


def places(size: int) -> Feed:
    """Values and where in the result each of them goes."""

    def draw(specs: Any, rng: np.random.Generator) -> Inputs:
        count = int(np.prod(specs[1].shape))
        return [
            rng.normal(0, 1, specs[0].shape).astype(np.float32),
            rng.permutation(size)[:count].reshape(specs[1].shape).astype(np.int32),
        ]

    return draw


def cells(specs: Any, rng: np.random.Generator) -> Inputs:
    return [rng.integers(0, [1, 128, 4, 128], specs[0].shape).astype(np.int32)]


def cut(specs: Any, rng: np.random.Generator) -> Inputs:
    return [np.array([0, 1, 2], np.int32), np.array([2, 3, -1], np.int32), noise(specs[2:], rng)[0]]


@dataclass(frozen=True)
class Beyond:
    """A file that runs; its first input is the picture, if there is one, and then what `feed` draws."""

    path: str
    feed: Feed = noise
    picture: str = ""
    extents: tuple[int, ...] = ()  # what the output's shape must be, if that is input 0
    shapes: dict[int, tuple[int, ...]] = field(default_factory=dict)
    heavy: bool = False
    runs: int = 2


POSENET = "ops/google-coral+project-posenet"
MICRO = "ops/tensorflow+tflite-micro"
PEOPLE = "posenet/test_image.bmp"
RUN = (
    Beyond("ops/google-ai-edge+LiteRT/max_unpooling_2d", places(16 * 16 * 128)),
    Beyond("ops/google-ai-edge+LiteRT/simple_scatter_nd_op", cells),
    Beyond("ops/google-ai-edge+ai-edge-quantizer/single_slice", cut, shapes={0: (3,), 1: (3,), 2: (3, 5, 7)}),
    Beyond(f"{POSENET}/customop_decoder_stub", crowd(32)),
    Beyond(f"{POSENET}/posenet_mobilenet_v1_075_353_481_decoder", crowd(16)),
    Beyond(f"{POSENET}/posenet_mobilenet_v1_075_721_1281_decoder", crowd(16)),
    Beyond(f"{POSENET}/posenet_resnet_50_416_288_16_customop_stub", crowd(16)),
    Beyond(f"{POSENET}/posenet_resnet_50_768_496_32_customop_stub", crowd(32)),
    Beyond(f"{POSENET}/posenet_resnet_50_864_624_32_customop_stub", crowd(32)),
    Beyond(f"{POSENET}/posenet_resnet_50_960_736_32_customop_stub", crowd(32)),
    Beyond(f"{MICRO}/transpose_conv0-08cddf", extents=(1, 3, 12, 64)),
    Beyond(f"{MICRO}/transpose_conv0-4a4378", extents=(1, 3, 12, 64)),
    Beyond(f"{MICRO}/transpose_conv1-8f18e9", extents=(1, 3, 22, 32)),
    Beyond(f"{MICRO}/transpose_conv1-c22e3b", extents=(1, 3, 22, 32)),
    Beyond(f"{MICRO}/transpose_conv1", extents=(1, 3, 22, 32)),
    Beyond(f"{MICRO}/transpose_conv2-44ad3b", extents=(1, 3, 42, 32)),
    Beyond(f"{MICRO}/transpose_conv2", extents=(1, 3, 42, 32)),
    Beyond(f"{MICRO}/transpose_conv3-cc28de", extents=(1, 4, 82, 16)),
    Beyond(f"{MICRO}/transpose_conv3-ee8892", extents=(1, 4, 82, 16)),
    Beyond(f"{MICRO}/transpose_conv3", extents=(1, 4, 82, 16)),
    Beyond(f"{MICRO}/transpose_conv4-604936", extents=(1, 4, 162, 8)),
    Beyond("real/google-ai-edge+mediapipe/face_landmark_with_attention-e06a80", picture="face.jpg"),
    Beyond(
        "real/google-coral+edgetpu/posenet_mobilenet_v1_075_353_481_quant_decoder-944506",
        picture=PEOPLE,
        heavy=True,
    ),
    Beyond(
        "real/google-coral+project-bodypix/bodypix_mobilenet_v1_075_1280_720_16_per_tensor_quant_decoder",
        picture=PEOPLE,
        heavy=True,
        runs=1,
    ),
    Beyond(
        "real/google-coral+test_data/posenet_mobilenet_v1_075_353_481_quant_decoder",
        picture=PEOPLE,
        heavy=True,
    ),
    Beyond("real/tensorflow+tflite-micro/audio_preprocessor_float", sound, runs=6),
    Beyond("real/tensorflow+tflite-micro/audio_preprocessor_int8", sound, runs=6),
    Beyond("real/tensorflow+tflite-micro/keyword_scrambled_8bit", runs=40),  # the longest memory is 32
    Beyond("real/tensorflow+tflite-micro/person_detect", picture="grace_hopper.bmp"),
)
LITERT = "ops/google-ai-edge+LiteRT"
REFUSED = {
    # Programs for other processors.
    f"{LITERT}/precompiled_mediatek_model": (UnsupportedOpError, "DISPATCH_OP"),
    f"{LITERT}/shared_input_cpu_npu_google_tensor_precompiled": (UnsupportedOpError, "DISPATCH_OP"),
    f"{LITERT}/simple_model_npu_mediatek_mt6989_precompiled": (UnsupportedOpError, "DISPATCH_OP"),
    "real/google-ai-edge+LiteRT/simple_add_op_qc_v75_precompiled": (UnsupportedOpError, "DISPATCH_OP"),
    "real/google-coral+test_data/split_concat_edgetpu": (UnsupportedOpError, "edgetpu-custom-op"),
    # Names without a meaning, for tests of the tools that made them.
    f"{LITERT}/custom_op": (UnsupportedOpError, "CustomTestOp"),
    f"{LITERT}/simple_npu_model_custom_op": (UnsupportedOpError, "litert_cust"),
    f"{LITERT}/test_custom_node_with_init_data": (UnsupportedOpError, "the_custom_code"),
    "ops/google-coral+test_data/model_invoking_error": (UnsupportedOpError, "fake-op-double"),
    # Ops of TensorFlow and of text.
    "real/tensorflow+examples/dummy_sp_text_embedder": (UnsupportedOpError, "TFSentencepieceTokenizeOp"),
    "real/tensorflow+examples/planestrike_tf_agents-893418": (UnsupportedOpError, "FlexMultinomial"),
    "real/tensorflow+examples/planestrike_tf_agents": (UnsupportedOpError, "FlexMultinomial"),
    "real/tensorflow+tflite-support/2022IDDetectorWithMetadata": (UnsupportedOpError, "FlexEqual"),
    # No valid models.
    f"{LITERT}/add_shared_tensors": (ModelError, "output tensor 1 is an input of the graph"),
    f"{LITERT}/lstm_calibrated2": (ModelError, r"shape \[-1\] has a negative extent"),
    f"{LITERT}/segment_sum_invalid_buffer": (ModelError, "input tensor 2 is used before"),
    f"{LITERT}/svdf_quantized": (ModelError, r"SVDF: its state, input 4, has shape \[1,9\]"),
}


def test_each_file_is_listed(stash: Path) -> None:
    with open(stash / "catalog.csv", newline="") as catalog:
        paths = [row["path"] for row in csv.DictReader(catalog) if row["litert_runs"] == "False"]
    assert sorted(paths) == sorted(f"{p}.tflite" for p in [*(m.path for m in RUN), *REFUSED])


@pytest.mark.parametrize("path", REFUSED)
def test_refused_for_a_reason(path: str, stash: Path) -> None:
    kind, words = REFUSED[path]
    with pytest.raises(EdgeError, match=words) as caught:
        native.load(str(stash / f"{path}.tflite"), 1).runner({})
    assert caught.type is kind


@pytest.mark.parametrize("path", [m.path for m in RUN if m.extents or m.shapes])
def test_runs_at_no_other_extents(path: str, stash: Path) -> None:
    """The catalogue asked LiteRT with zeros at the file's shapes; with inputs that fit it runs these, too."""
    runner = native.load(str(stash / f"{path}.tflite"), 1).runner({})
    with pytest.raises(InputError, match=r"do not suit each other|1 begins and 1 sizes for rank 3"):
        runner.run()


@pytest.mark.parametrize("model", [m for m in RUN if not m.heavy], ids=lambda m: m.path)
def test_every_tensor(model: Beyond, stash: Path) -> None:
    check(model, stash)


@pytest.mark.full
@pytest.mark.parametrize("model", [m for m in RUN if m.heavy], ids=lambda m: m.path)
def test_every_tensor_of_large_model(model: Beyond, stash: Path) -> None:
    check(model, stash)


def check(model: Beyond, stash: Path) -> None:
    path = stash / f"{model.path}.tflite"
    program = native.load(str(path), 1)
    runner = program.runner(model.shapes, preserve_all=True)
    nodes = Nodes(path)
    answers = set()
    for number, inputs in enumerate(_inputs(model, runner, program.inputs(), stash)):
        for tensor, value in zip(program.inputs(), inputs):
            runner.write(tensor, value)
        runner.run()
        _, words = nodes.check(runner)
        assert not words, f"run {number}: {words}"
        answers |= {t for t in program.outputs() if np.any(runner.read(t))}
    if not model.picture or _picture(model, stash).is_file():  # nobody stands in noise
        assert answers == set(program.outputs()), "an output is zero in every run, which proves little"


def _picture(model: Beyond, stash: Path) -> Path:
    return stash.parent / "data" / "coral" / model.picture


def _inputs(model: Beyond, runner: Any, tensors: Sequence[int], stash: Path) -> Iterator[Inputs]:
    specs = [runner.spec(t) for t in tensors]
    rng = np.random.default_rng(zlib.crc32(model.path.encode()))
    file = _picture(model, stash)
    for run in range(model.runs):
        if run == 0 and file.is_file():
            yield [picture_input(file, {"shape": specs[0].shape, "dtype": specs[0].dtype})]
        elif model.extents:
            yield [np.array(model.extents, np.int32), *model.feed(specs[1:], rng)]
        else:
            yield model.feed(specs, rng)
