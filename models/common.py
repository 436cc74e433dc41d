"""What the recipes share: from a trained torch network to a measured int8 `.tflite` with its labels."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, TypeVar

import numpy as np

from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.train.export import export

CALIBRATION_SAMPLES = 500
COMPRESSION_SAMPLES = 8000
SIGNATURE = "serving_default"

Item = TypeVar("Item")
Run = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Recipe:
    """One model: where its data comes from, how it is trained, what its file says of itself."""

    name: str  # the stem of its files
    folder: Path
    description: str
    labels: Sequence[str]
    load: Callable[[str], tuple[np.ndarray, np.ndarray]]  # "train" | "test" -> float32 [n, ...], int [n]
    train: Callable[[np.ndarray, np.ndarray], Any]  # -> a torch module, input and output as in the file
    low: float  # the input's range, in the unit of `load`
    high: float
    mean: float  # (raw - mean) / std turns what a source yields into the unit of `load`
    std: float
    budget: str  # of the small version, as `edge-sdk compress` takes it

    @property
    def small(self) -> Path:
        return self.folder / f"{self.name}_small.tflite"

    @property
    def steps(self) -> Path:
        """The figures of each version on the way to the small one."""
        return self.folder / "steps.json"

    @property
    def int8(self) -> Path:
        return self.folder / f"{self.name}_int8.tflite"

    @property
    def float32(self) -> Path:
        return self.folder / f"{self.name}_float.tflite"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.json"


def main(recipe: Recipe) -> None:
    """The command line of a recipe: makes the model, or with --evaluate measures the one that is there."""
    parser = argparse.ArgumentParser(description=f"Train, quantize and evaluate {recipe.name}.")
    parser.add_argument(
        "--evaluate",
        action="store_true",
        help="run the files that are there on the full test set; exit 1 unless metrics.json says the same",
    )
    parser.add_argument(
        "--compress", action="store_true", help="make the small version anew, of the float file that is there"
    )
    options = parser.parse_args()
    if options.evaluate:
        measured, expected = measure(recipe), json.loads(recipe.metrics.read_text())
        print(json.dumps(measured, indent=2))
        sys.exit(0 if measured == expected else f"{recipe.metrics} says {expected}")
    if not options.compress:
        make(recipe)
    shrink(recipe)
    measured = measure(recipe)
    recipe.metrics.write_text(json.dumps(measured, indent=2) + "\n")
    print(json.dumps(measured, indent=2))


def make(recipe: Recipe) -> None:
    """Trains the network and writes its float and int8 files."""
    inputs, truth = recipe.load("train")
    network = recipe.train(inputs, truth)
    model = export(network, inputs[:1])

    def write(path: Path, content: bytes) -> None:
        described = tflite_file.add_metadata(
            content, recipe.labels, recipe.name, recipe.description, recipe.mean, recipe.std
        )
        path.write_bytes(described)

    write(recipe.float32, model)
    write(recipe.int8, quantize(model, inputs[:CALIBRATION_SAMPLES], recipe.low, recipe.high))


def shrink(recipe: Recipe) -> None:
    """Writes the small version, and the figures of the steps to it on the test set."""
    from edge_sdk.optimize import gate
    from edge_sdk.optimize.compress import compress

    train, test = (
        Samples((inputs,), truth, tuple(recipe.labels), f"{recipe.name}, {split} set")
        for split in ("train", "test")
        for inputs, truth in [recipe.load(split)]
    )
    few = train.take(np.linspace(0, len(train) - 1, min(len(train), COMPRESSION_SAMPLES)).astype(int))
    with tempfile.TemporaryDirectory() as work:
        found = compress(
            recipe.float32, few, gate.parse(recipe.budget), work, test,
            tell=lambda what: print(what, file=sys.stderr, flush=True),
        )  # fmt: skip
        recipe.small.write_bytes(found.file.read_bytes())
    rows = [
        {"name": row.name, "bytes": row.bytes, "arena_bytes": row.arena_bytes, "accuracy": row.score,
         "milliseconds": round(row.p50_ms, 4)}
        for row in found.comparison.rows
    ]  # fmt: skip
    steps = {"budget": recipe.budget, "chosen": found.chosen, "missed": list(found.missed), "versions": rows}
    recipe.steps.write_text(json.dumps(steps, indent=2) + "\n")


def measure(recipe: Recipe) -> dict[str, Any]:
    """The files on the full test set, and their sizes."""
    inputs, truth = recipe.load("test")
    return {
        "test_samples": len(truth),
        "accuracy_float": evaluate(recipe.float32, inputs, truth),
        "accuracy_int8": evaluate(recipe.int8, inputs, truth),
        "accuracy_small": evaluate(recipe.small, inputs, truth),
        "bytes_float": recipe.float32.stat().st_size,
        "bytes_int8": recipe.int8.stat().st_size,
        "bytes_small": recipe.small.stat().st_size,
        "macs": macs(recipe.int8),
        "macs_small": macs(recipe.small),
    }


def evaluate(path: Path, inputs: np.ndarray, truth: np.ndarray) -> float:
    """Top-1 accuracy of a file on real inputs [n, ...], given in the float unit of its input.

    LiteRT's reference kernels run it; where this project's runtime is built, it runs each input too, and
    an int8 output that differs in a bit ends the program.
    """
    runs = {"reference": _reference(path)}
    if find_spec("edge_sdk._native"):
        import edge_sdk

        model = edge_sdk.load(path, backend="native")
        runs["edge_sdk"] = lambda x: model.run(x)[0]
    graph = tflite_file.read(path).subgraphs[0]
    quantization = graph.tensors[graph.inputs[0]].quantization
    if quantization is not None and quantization.scale is not None:
        steps = np.round(inputs / quantization.scale[0]) + quantization.zeroPoint[0]
        inputs = np.clip(steps, -128, 127).astype(np.int8)
    right = 0
    for i in progress(range(len(truth)), path.stem):
        outputs = {name: run(inputs[i : i + 1]) for name, run in runs.items()}
        expected = outputs["reference"]
        for name, output in outputs.items():
            if output.dtype == np.int8 and output.tobytes() != expected.tobytes():
                sys.exit(f"{path}: test input {i}: {name} gives {output}, the reference {expected}")
        right += int(np.argmax(expected) == truth[i])
    return right / len(truth)


def _reference(path: Path) -> Run:
    from ai_edge_litert import interpreter as litert

    resolver = litert.OpResolverType.BUILTIN_REF
    runner = litert.Interpreter(str(path), experimental_op_resolver_type=resolver)
    runner.allocate_tensors()
    source, result = runner.get_input_details()[0]["index"], runner.get_output_details()[0]["index"]

    def run(x: np.ndarray) -> np.ndarray:
        runner.set_tensor(source, x)
        runner.invoke()
        return np.asarray(runner.get_tensor(result))

    return run


def quantize(model: bytes, samples: np.ndarray, low: float, high: float) -> bytes:
    """Post-training static int8, input and output included, calibrated with `samples` [n, ...].

    `low` and `high` fix the range of the input, whose scale so does not hang on the samples.
    """
    from litert_quantizer import quantizer, recipe

    work = quantizer.Quantizer(bytearray(model), recipe.static_wi8_ai8())
    ranges = work.calibrate({SIGNATURE: [{"input": sample[None]} for sample in samples]}, num_threads=1)
    for bound, value in (("min", low), ("max", high)):
        ranges["input"][bound] = np.full_like(ranges["input"][bound], value)
    return bytes(work.quantize(ranges, enable_progress_report=False).quantized_model)


def macs(path: Path) -> int:
    """Multiply-accumulates of one inference: convolutions and fully-connected layers."""
    graph = Graph(tflite_file.read(path))
    return sum(graph.macs(op) for op in graph.ops)


def progress(items: Sequence[Item], what: str) -> Iterator[Item]:
    """Yields `items` and draws a bar on stderr: on a terminal in place, in a log a line each tenth."""
    width, live, shown = 40, sys.stderr.isatty(), 0
    for done, item in enumerate(items, start=1):
        yield item
        step = done * (width if live else 10) // len(items)
        if step == shown:
            continue
        shown, filled = step, done * width // len(items)
        bar = "#" * filled + "." * (width - filled)
        end = "\r" if live and done < len(items) else "\n"
        print(f"{what:<22} [{bar}] {done}/{len(items)}", end=end, file=sys.stderr, flush=True)
