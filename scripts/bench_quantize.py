"""What int8 and the search for a mix of numbers cost and save, on models of others and of this project.

    python scripts/bench_quantize.py --photos FOLDER [--cifar FILE.npz] [--only NAME ...] [--json]

Models are looked for below EDGE_SDK_TEST_MODELS. `--photos` is searched for pictures, of which random crops
are taken; `--cifar` holds CIFAR-10's test pictures as `x` [n, 32, 32, 3], 0 to 255, and their classes as
`y`. What is not there is left out, and said. A row learns from one part of its samples and is judged by
another. Needs `pip install '.[optimize]'`; about three minutes on one CPU.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import edge_sdk  # noqa: E402
from edge_sdk.bench.check import check  # noqa: E402
from edge_sdk.cli.screen import table  # noqa: E402
from edge_sdk.optimize.data import Samples  # noqa: E402
from edge_sdk.optimize.judge import Judge  # noqa: E402
from edge_sdk.optimize.quantize import Settings, quantize  # noqa: E402
from edge_sdk.optimize.quantize.normal_form import normalize  # noqa: E402
from models.fashion_mnist import data as clothing  # noqa: E402
from models.motion import data as motion  # noqa: E402

MODELS = Path(os.environ.get("EDGE_SDK_TEST_MODELS", ROOT.parent / "shared" / "models"))
SMALLEST = 200  # pixels of a photograph's shorter side


@dataclass(frozen=True)
class Case:
    name: str
    model: Path
    samples: Callable[[Path], tuple[Samples, Samples]]  # of the model: to learn from, to judge by


@dataclass(frozen=True)
class Result:
    name: str
    bytes: int
    int8: int
    litert: int | None  # bytes of litert-quantizer's own int8; None where it fails
    measure: str
    before: float
    after: float
    worst: float | None
    differs: int  # tensors that are not what LiteRT's reference kernels compute
    tensors: int
    mixed: int
    mixed_after: float
    seconds: float  # that the search took
    samples: int


def main() -> int:
    parser = argparse.ArgumentParser(description="Quantize float models, and judge them.")
    parser.add_argument("--photos", type=Path, help="folder with pictures to take crops of")
    parser.add_argument("--cifar", type=Path, help=".npz with CIFAR-10's test pictures")
    parser.add_argument("--only", nargs="*", help="names of rows")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = []
    for case in _cases(options):
        if options.only and case.name not in options.only:
            continue
        print(case.name, "...", file=sys.stderr)
        found.append(_result(case))
    if options.json:
        print(json.dumps([asdict(result) for result in found], indent=1))
        return 0
    header = (
        "model",
        "float",
        "int8",
        "x",
        "litert",
        "judged by",
        "float",
        "int8",
        "mix",
        "mix",
        "s",
        "differ",
    )
    print(table(header, [_row(result) for result in found]))
    return 0


def _row(r: Result) -> tuple[object, ...]:
    after = f"{100 * r.after:.2f}" + ("" if r.worst is None else f" ({100 * r.worst:.1f})")
    return (
        *(
            r.name,
            r.bytes,
            r.int8,
            f"{r.bytes / r.int8:.2f}",
            r.litert or "fails",
            f"{r.measure}, {r.samples}",
        ),
        *(f"{100 * r.before:.2f}", after, r.mixed, f"{100 * r.mixed_after:.2f}", f"{r.seconds:.0f}"),
        f"{r.differs} of {r.tensors}",
    )


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    if options.cifar:
        yield from _stash("pretrainedResnet-7e3147", "resnet8", lambda model: _cifar(options.cifar))
    else:
        print("no --cifar: left out resnet8", file=sys.stderr)
    if clothing.available():
        model = ROOT / "models" / "fashion_mnist" / "fashion_mnist_float.tflite"
        yield Case("fashion_mnist", model, _clothing)
    else:
        print("left out fashion_mnist: apt-get install dataset-fashion-mnist", file=sys.stderr)
    if motion.available():
        yield Case("motion", ROOT / "models" / "motion" / "motion_float.tflite", lambda model: _motion())
    else:
        print("left out motion: pip install --no-deps aeon", file=sys.stderr)
    if not options.photos:
        print("no --photos: left out the models of pictures without labels", file=sys.stderr)
        return
    photos = _photos(options.photos)
    for file, name, signed in (
        ("vww_96_float", "vww_96 RGB", False),
        ("vww_96_float-504739", "vww_96 grey", False),
        ("face_detection_front", "face_detection_front", True),
        ("face_detection_short_range", "face_detection_short_range", True),
        ("face_detection_back", "face_detection_back", True),
    ):
        yield from _stash(file, name, functools.partial(_crops, photos=photos, signed=signed))


def _stash(file: str, name: str, samples: Callable[[Path], tuple[Samples, Samples]]) -> Iterator[Case]:
    paths = sorted(MODELS.glob(f"real/**/{file}.tflite"))
    if paths:
        yield Case(name, paths[0], samples)
    else:
        print(f"left out {name}: no {file}.tflite below {MODELS}", file=sys.stderr)


def _photos(folder: Path) -> list[Image.Image]:
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".jpg", ".jpeg", ".bmp") and "mask" not in path.name:
            try:
                picture = Image.open(path).convert("RGB")
            except OSError:
                continue
            if min(picture.size) >= SMALLEST:
                found.append(picture)
    return found


def _crops(model: Path, photos: list[Image.Image], signed: bool) -> tuple[Samples, Samples]:
    """Squares of photographs as the model takes them: from -1 to 1 where `signed`, else from 0."""
    _, side, _, channels = edge_sdk.load(model).inputs[0].shape
    learn, judge = (600, 5400) if side < 100 else (150, 300)
    rng = np.random.default_rng(0)
    made = np.empty((learn + judge, side, side, channels), np.float32)
    for crop in made:
        photo = photos[rng.integers(len(photos))]
        edge = int(min(photo.size) * rng.uniform(0.35, 1))
        left, top = (int(rng.integers(size - edge + 1)) for size in photo.size)
        picture = photo.crop((left, top, left + edge, top + edge)).resize((side, side))
        crop[...] = np.asarray(picture.convert("L") if channels == 1 else picture).reshape(crop.shape)
    samples = Samples((made / 127.5 - 1 if signed else made / 255,), origin="crops of photographs")
    return samples.take(slice(learn)), samples.take(slice(learn, None))


def _cifar(file: Path) -> tuple[Samples, Samples]:
    held = np.load(file)
    samples = Samples((held["x"].astype(np.float32),), held["y"].astype(np.int64), origin="CIFAR-10")
    return samples.take(slice(0, None, 5)), samples.take(np.arange(len(samples)) % 5 > 0)


def _clothing(model: Path) -> tuple[Samples, Samples]:
    parts = []
    for split, count in (("train", 2000), ("test", 10000)):
        pixels, truth = clothing.pictures(split)
        (spec,) = edge_sdk.load(model).inputs
        x = pixels[:count].reshape(-1, *spec.shape[1:]).astype(np.float32) / 255
        parts.append(Samples((x,), truth[:count].astype(np.int64), origin="Fashion-MNIST"))
    return parts[0], parts[1]


def _motion() -> tuple[Samples, Samples]:
    parts = [Samples((x,), y.astype(np.int64)) for x, y in map(motion.windows, ("train", "test"))]
    return parts[0], parts[1]


def _result(case: Case) -> Result:
    learn, test = case.samples(case.model)
    judge = Judge(edge_sdk.load(case.model, 1), test)
    made = quantize(case.model, learn).model
    start = time.perf_counter()
    mixed = quantize(case.model, learn, Settings(max_drop=1.0)).model
    seconds = time.perf_counter() - start
    quality = judge(edge_sdk.load(made, 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "int8.tflite")
        path.write_bytes(made)
        (spec,) = edge_sdk.load(path, 1).inputs
        checked = check(path, test.arrays(0, [spec]), tolerance=0)
    return Result(
        case.name,
        case.model.stat().st_size,
        len(made),
        _litert(case.model, learn),
        quality.measure,
        quality.before,
        quality.after,
        quality.worst,
        len(checked.partings),
        checked.tensors,
        len(mixed),
        judge(edge_sdk.load(mixed, 1)).after,
        seconds,
        quality.samples,
    )


def _litert(model: Path, samples: Samples) -> int | None:
    """Bytes of what litert-quantizer makes by itself of the same model and samples."""
    from litert_quantizer import quantizer, recipe

    form = normalize(model)  # it needs a signature
    work = quantizer.Quantizer(bytearray(form.content()))
    work.load_quantization_recipe(recipe.static_wi8_ai8())
    ((name, inputs),) = _signatures(form.content()).items()
    data = [{n: x[i : i + 1] for n, x in zip(inputs, samples.inputs)} for i in range(min(len(samples), 300))]
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            return len(work.quantize(work.calibrate({name: data})).quantized_model)
    except (ValueError, RuntimeError) as problem:
        print(f"litert-quantizer: {problem}", file=sys.stderr)
        return None


def _signatures(model: bytes) -> dict[str, list[str]]:
    from ai_edge_litert.interpreter import Interpreter

    found = Interpreter(model_content=model).get_signature_list()
    return {name: list(ends["inputs"]) for name, ends in found.items()}


if __name__ == "__main__":
    sys.exit(main())
