"""edge-sdk compress"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

import edge_sdk
from edge_sdk.cli.compare import energy_by, table_of
from edge_sdk.cli.distill import add_augment
from edge_sdk.cli.float_model import add_float_model, float_model, is_torch
from edge_sdk.cli.options import add_json, add_meter, existing_file, positive
from edge_sdk.cli.samples import samples_of
from edge_sdk.cli.screen import emit_json
from edge_sdk.errors import InputError
from edge_sdk.optimize import gate, pareto
from edge_sdk.optimize.compress import Recipe, compress

_MISSED = 3  # exit status: written, but no version keeps to the budget


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_float_model(parser)
    parser.add_argument("-o", "--output", required=True, metavar="OUT.tflite", help="the file to write")
    parser.add_argument(
        "--data", required=True, metavar="WHERE", help="samples: a folder, FILE.npz, any source"
    )
    parser.add_argument("--test", metavar="WHERE", help="samples to judge by; a fifth of --data by default")
    parser.add_argument("--limit", type=positive, metavar="N", help="take at most N samples of each")
    parser.add_argument("--budget", required=True, metavar="BOUNDS",
                        help="'drop<=1 latency<=5ms size<=100KB', as compare --gate")  # fmt: skip
    parser.add_argument("--student", metavar="WHAT", help="at last teach this one: see distill --student")
    parser.add_argument("--epochs", type=float, default=3.0, metavar="N", help="of fine-tuning (3); 0: none")
    add_augment(parser)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is random (0)")
    parser.add_argument("--threads", type=positive, default=1, metavar="N", help="to time with (1)")
    parser.add_argument(
        "--work", metavar="FOLDER", help="of the steps' files (OUT.steps); kept, to go on from"
    )
    add_meter(parser)
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """0, or 3 where no version keeps to the budget: then the nearest is written."""
    if os.path.realpath(options.model) == os.path.realpath(options.output):
        raise InputError("the output is the input: give it another name")
    budget = gate.parse(options.budget)
    folder = Path(options.work or f"{options.output}.steps")
    path = _tflite(options.model, folder)
    model = edge_sdk.load(path)
    data = samples_of(options.data, model, options.limit)
    test = samples_of(options.test, model, options.limit) if options.test else None
    recipe = Recipe(options.epochs, options.student, seed=options.seed, augment=options.augment)
    with energy_by(options.meter) as energy:
        found = compress(path, data, budget, folder, test, recipe, options.threads, energy, _doing)
    try:
        shutil.copyfile(found.file, options.output)
    except OSError as problem:
        raise InputError(f"cannot write {options.output}: {problem.strerror}") from problem
    report = {"model": Path(options.model).name, "output": options.output, **found.to_dict()}
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    pareto.png(found.comparison, str(folder / "report.png"))
    (folder / "report.html").write_text(
        pareto.page(found.comparison, f"{Path(options.model).stem}, compressed")
    )
    if options.json:
        emit_json(report)
    else:
        lines = [table_of(found.comparison), "", *found.comparison.energy(), *found.comparison.notes]
        lines += [f"left out: {step}" for step in found.left_out]
        lines += [f"MISSED: {line}" for line in found.missed]
        print(
            "\n".join([*lines, f"{found.chosen} written to {options.output}; steps and report in {folder}"])
        )
    return _MISSED if found.missed else 0


def _tflite(model: str, folder: Path) -> Path:
    """The model, which the steps start from, as a file: one of PyTorch is put beside theirs."""
    if not is_torch(model):
        return Path(existing_file(model))
    content = float_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{Path(model).stem}_float.tflite"  # no step is called so
    path.write_bytes(content)
    return path


def _doing(what: str) -> None:
    if sys.stderr.isatty():
        print(f"{what} ...", file=sys.stderr)
