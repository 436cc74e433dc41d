"""edge-sdk check"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk import bench
from edge_sdk.backends import native
from edge_sdk.cli.options import add_json, existing_file, positive
from edge_sdk.cli.screen import Progress, emit_json, table
from edge_sdk.errors import EdgeError, InputError
from edge_sdk.types import Array


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", nargs="+", metavar="MODEL", help=".tflite files")
    parser.add_argument("--runs", type=positive, default=2, metavar="N", help="state is carried over (2)")
    parser.add_argument(
        "--inputs", metavar="FILE.npz", help="an array for each input, by name or in order; random by default"
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=bench.TOLERANCE,
        metavar="SHARE",
        help=f"of the greatest value, for floats ({bench.TOLERANCE}); integers must be equal",
    )
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """0 where all models agree with the reference, 1 where one differs, cannot run or cannot be compared."""
    paths = [existing_file(path) for path in options.models]
    reports = []
    with Progress("models", len(paths)) as progress:
        for done, path in enumerate(paths):
            reports.append(_report(path, options))
            progress(done + 1)
    if options.json:
        emit_json({"models": reports})
    else:
        print(table(("model", "result", "tensors", "first difference"), [_row(r) for r in reports]))
    return 0 if all(r["agrees"] for r in reports) else 1


def _report(path: str, options: argparse.Namespace) -> dict[str, Any]:
    try:
        inputs = _arrays(options.inputs, path) if options.inputs else None
        found = bench.check(path, inputs, options.runs, options.tolerance)
    except EdgeError as problem:
        if options.inputs or len(options.models) == 1:
            raise
        return {"model": path, "agrees": False, "error": str(problem)}
    return {"model": path, **found.to_dict()}


def _arrays(file: str, model: str) -> list[Array]:
    try:
        with np.load(existing_file(file)) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, AttributeError) as problem:
        raise InputError(f"{file}: {problem}") from None
    program = native.load(model, 1)
    names = [program.tensors()[i].name for i in program.inputs()]
    return [arrays[n] for n in names] if set(names) == set(arrays) else list(arrays.values())


def _row(report: dict[str, Any]) -> tuple[str, str, str, str]:
    name = Path(report["model"]).name
    if "error" in report:
        return name, "does not run here", "", report["error"]
    if report["reference_refuses"]:
        return name, "nothing to compare", "", f"LiteRT refuses it: {report['reference_refuses']}"
    compared = report["tensors"] * report["runs"]
    if not report["partings"]:
        same = report["equal"] == compared
        return name, "equal" if same else "within tolerance", f"{report['equal']}/{compared} equal", ""
    p = report["partings"][0]
    where = f"run {p['run']}, op {p['node']} {p['op']}, tensor {p['tensor']} '{p['name']}' ({p['dtype']})"
    by = f"by up to {p['difference']:.3g}, {100 * p['share']:.1f} % of its elements"
    return name, "differs", f"{report['equal']}/{compared} equal", f"{where}: {by}"
