"""edge-sdk quantize"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from edge_sdk.cli.float_model import add_float_model, float_model
from edge_sdk.cli.options import add_json, positive
from edge_sdk.cli.samples import samples_of
from edge_sdk.cli.screen import emit_json, table
from edge_sdk.errors import InputError
from edge_sdk.model import load
from edge_sdk.optimize.quantize import BEST, MODES, Report, Settings, quantize
from edge_sdk.optimize.quantize.calibrate import METHODS
from edge_sdk.units import size_text

MISSED = 3  # exit status: the file is written, but loses more than was allowed
_SAMPLES = 4000  # at most, where nothing is said


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_float_model(parser)
    parser.add_argument("-o", "--output", required=True, metavar="OUT.tflite", help="the file to write")
    parser.add_argument(
        "--data",
        metavar="FOLDER|FILE.npz|SOURCE",
        help="samples to learn from and to measure on: a folder of pictures (a sub-folder a label), arrays "
        "by input name with labels as 'y', or any source of `edge-sdk run`",
    )
    parser.add_argument("--samples", type=positive, metavar="N", help=f"at most ({_SAMPLES})")
    parser.add_argument(
        "--mode",
        choices=MODES,
        default="int8",
        help="int8: weights and activations (default); int16: activations of 16 bits; dynamic: int8 weights, "
        "float activations; float16: weights; int4: weights of 4 bits where they can be, float activations",
    )
    parser.add_argument(
        "--max-drop",
        type=_points,
        metavar="POINTS",
        help="percentage points that may be lost; searches the smallest mix of int4, int8, int16 and float",
    )
    parser.add_argument(
        "--ranges",
        choices=(BEST, *METHODS),
        default=BEST,
        help="what a tensor's codes span: all its values (minmax), all but a few, or what errs least (mse); "
        "by default whichever of these is best for the outputs",
    )
    parser.add_argument("--float-io", action="store_true", help="leave the model's inputs and outputs float")
    parser.add_argument(
        "--equalize",
        action=argparse.BooleanOptionalAction,
        help="even out channels between convolutions first; by default where outputs err less with it",
    )
    parser.add_argument(
        "--no-bias-correction", action="store_true", help="leave biases alone when weights are rounded"
    )
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """0 where the file is written, 3 where it is and misses --max-drop."""
    target = Path(options.output)
    if os.path.realpath(options.model) == os.path.realpath(target):
        raise InputError(f"{options.output} is the model itself, which is never changed: name another file")
    if not target.parent.is_dir():  # said before the work, not after it
        raise InputError(f"cannot write {target}: there is no folder {target.parent}")
    source = float_model(options.model)
    samples = None
    if options.data is not None:
        samples = samples_of(options.data, load(source), options.samples, _SAMPLES)
    elif options.max_drop is not None:
        raise InputError("--max-drop needs --data to measure on")
    settings = Settings(
        mode=options.mode,
        ranges=options.ranges,
        float_io=options.float_io,
        bias_correction=not options.no_bias_correction,
        equalization=options.equalize,
        max_drop=options.max_drop,
    )
    made = quantize(source, samples, settings, _tell)
    _tell("")
    try:
        target.write_bytes(made.model)
    except OSError as problem:
        raise InputError(f"cannot write {target}: {problem.strerror}") from problem
    if options.json:
        emit_json({"model": Path(options.model).name, "file": str(target), **made.report.to_dict()})
    else:
        _print(made.report, target)
    return 0 if made.report.met else MISSED


def _print(report: Report, target: Path) -> None:
    rows = [
        (
            layer.op,
            layer.name[-40:],
            layer.numbers,
            layer.weights,
            round(layer.sqnr_db, 1),
            round(layer.cosine, 4),
            f"{layer.codes_used:.0%}",
            layer.why,
        )
        for layer in report.layers
    ]
    header = ("op", "tensor", "holds", "weights", "SQNR dB", "cosine", "codes used", "why")
    explained = any(layer.why for layer in report.layers)
    print(table(header if explained else header[:-1], rows if explained else [row[:-1] for row in rows]))
    for note in report.notes:
        print(f"note: {note}")
    for warning in report.warnings:
        print(f"warning: {warning}")
    print(_quality(report))
    print(
        f"{target}: {report.mode}, {size_text(report.bytes_after)}, {report.smaller:.2f} times smaller "
        f"than the {size_text(report.bytes_before)} of the float model"
    )


def _quality(report: Report) -> str:
    found = report.quality
    if found is None:
        return "accuracy: not measured, there are no samples"
    text = str(found)
    if report.max_drop is not None:
        kept = "kept" if report.met else "MISSED, this is the nearest"
        text += f"; at most {report.max_drop:g} points were to be lost: {kept}"
    return text


def _tell(text: str) -> None:
    """What is being done, in place, where stderr is a terminal."""
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)


def _points(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of percentage points from 0 to 100")
    return value
