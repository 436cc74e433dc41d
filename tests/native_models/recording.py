"""What LiteRT's reference kernels make of a model, recorded for `compare.py`."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparison import Tolerance

EXACT = Tolerance()
DETECTIONS = Tolerance(absolute=1e-4)  # classes and counts are whole numbers: equal within this
FLOAT = Tolerance(absolute=1e-3, relative=1e-3)
# A hundred layers add up what two orders of summation differ by.
DEEP_FLOAT = Tolerance(absolute=1e-2, relative=1e-2)


@dataclass(frozen=True)
class RealModel:
    path: str  # below `real/`, without the suffix
    tolerance: Tolerance = EXACT
    picture: str = ""  # below `coral/` of the data: an input that gives meaningful outputs


# Small enough for the default run: the reference takes about a second at most.
SMALL = (
    RealModel("mlcommons+tiny/kws_ref_model"),
    RealModel("mlcommons+tiny/vww_96_int8", picture="grace_hopper.bmp"),
    RealModel("mlcommons+tiny/trainedRes_quant"),
    RealModel("mlcommons+tiny/str_ww_ref_model"),
    RealModel("google-coral+test_data/mobilenet_v1_0.25_128_quant", picture="cat.bmp"),
    RealModel("google-coral+coralmicro/person_detect_model"),
)
LARGE = (
    RealModel("google-coral+test_data/tf2_mobilenet_v2_1.0_224_ptq", picture="parrot.jpg"),
    RealModel("google-coral+test_data/mobilenet_v2_1.0_224_quant", picture="parrot.jpg"),
    RealModel("google-coral+test_data/deeplabv3_mnv2_dm05_pascal_quant", picture="bird_segmentation.bmp"),
    RealModel("google-coral+edgetpu/mobilenet_edgetpu_0.75_224_post_training_quant", picture="cat.bmp"),
    RealModel("google-coral+edgetpu/mobilenet_v1_1.0_224_quant_embedding_extractor", picture="cat.bmp"),
    RealModel("google-coral+coralmicro/yamnet_spectra_in"),
    RealModel("mit-han-lab+mcunet/mcunet-320kb-1mb_imagenet", picture="parrot.jpg"),
    RealModel(
        "tensorflow+tflite-support/coco_ssd_mobilenet_v1_1.0_quant_2018_06_29_no_metadata",
        DETECTIONS,
        "cat_720p.jpg",
    ),
    RealModel("tensorflow+flutter-tflite/custom_ssd_mobilenet_v2_fpn_lite_320x320", DETECTIONS, "pets.jpg"),
    RealModel("google-coral+test_data/movenet_single_pose_lightning_ptq", DETECTIONS, "squat.bmp"),
    RealModel("google-ai-edge+mediapipe/face_detection_short_range", FLOAT, "face.jpg"),
)


def record(model: RealModel, stash: Path, folder: Path) -> tuple[Path, Path]:
    """The model's file and its recorded runs, made once in `folder` for each content of the file."""
    file = stash / "real" / f"{model.path}.tflite"
    if not file.is_file():
        pytest.skip(f"not run for want of the test model {file}")
    cases = folder / f"{hashlib.sha256(file.read_bytes()).hexdigest()[:16]}.npz"
    if not cases.exists():
        arrays = _runs(file, stash.parent / "data" / "coral" / model.picture if model.picture else None)
        arrays["tolerance"] = np.array([model.tolerance.absolute, model.tolerance.relative])
        np.savez(cases, **arrays)
    return file, cases


def _interpreter(file: Path) -> Any:
    """LiteRT with its reference kernels, or with its others for a model with an op that those lack."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    def made(kernels: Any) -> Any:
        found = Interpreter(
            model_path=str(file),
            experimental_op_resolver_type=kernels,
            experimental_preserve_all_tensors=True,
            num_threads=1,
        )
        found.allocate_tensors()
        return found

    try:
        return made(OpResolverType.BUILTIN_REF)
    except (RuntimeError, ValueError):
        return made(OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)


def _runs(file: Path, picture: Path | None) -> dict[str, Any]:
    from edge_sdk import _native

    interpreter = _interpreter(file)
    details = interpreter.get_input_details()
    rng = np.random.default_rng(zlib.crc32(file.name.encode()))
    runs = [[_noise(rng, d) for d in details], [_smooth(rng, d) for d in details]]
    if picture is not None:
        runs.append([picture_input(picture, details[0])])
    arrays: dict[str, Any] = {}
    for run, inputs in enumerate(runs):
        for i, (detail, value) in enumerate(zip(details, inputs)):
            interpreter.set_tensor(detail["index"], value)
            arrays[f"in{run}_{i}"] = value
        interpreter.invoke()
        for i, detail in enumerate(interpreter.get_output_details()):
            arrays[f"out{run}_{i}"] = interpreter.get_tensor(detail["index"])
        if run == 0:
            tensors = _native.ParsedModel.from_path(str(file)).tensors()
            made = [i for op in interpreter._get_ops_details() for i in op["outputs"] if i >= 0]
            known = [i for i in made if _holds_numbers(tensors[i])]
            arrays.update({f"tensor{i}": interpreter.get_tensor(i) for i in known})
    return arrays


def _holds_numbers(tensor: dict[str, Any]) -> bool:
    """LiteRT ends the process when it is asked for the value of a handle."""
    return tensor["dtype"] not in ("str", "string", "resource", "variant")


def _noise(rng: np.random.Generator, detail: dict[str, Any]) -> Any:
    if detail["dtype"] == np.float32:
        return rng.uniform(-1, 1, detail["shape"]).astype(np.float32)
    limits = np.iinfo(detail["dtype"])
    return rng.integers(limits.min, limits.max + 1, detail["shape"]).astype(detail["dtype"])


def _smooth(rng: np.random.Generator, detail: dict[str, Any]) -> Any:
    """A wave along every axis, which leaves activations less centred than noise does."""
    wave = np.zeros(detail["shape"])
    for axis, size in enumerate(detail["shape"]):
        phase = rng.uniform(0, 6) + np.arange(size) * rng.uniform(0.05, 0.5)
        wave += np.sin(phase).reshape([-1 if a == axis else 1 for a in range(wave.ndim)])
    return _fill_range(wave / max(1e-6, np.abs(wave).max()), detail["dtype"])


def picture_input(path: Path, detail: dict[str, Any]) -> Any:
    from PIL import Image

    _, height, width, channels = detail["shape"]
    image = Image.open(path).convert("L" if channels == 1 else "RGB").resize((int(width), int(height)))
    pixels = np.asarray(image, np.float64).reshape(detail["shape"])
    return _fill_range(pixels / 127.5 - 1, detail["dtype"])


def _fill_range(values: Any, dtype: Any) -> Any:
    """Values of [-1, 1] in a dtype: floats as they are, integers over their whole range."""
    if dtype == np.float32:
        return values.astype(np.float32)
    limits = np.iinfo(dtype)
    spread = (limits.max - limits.min) / 2
    return np.clip(np.round((values + 1) * spread) + limits.min, limits.min, limits.max).astype(dtype)
