"""edge-sdk inspect"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edge_sdk import metadata
from edge_sdk.backends import native
from edge_sdk.cli.options import add_json, add_model, existing_file
from edge_sdk.cli.screen import emit_json, table
from edge_sdk.errors import EdgeError
from edge_sdk.units import size_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--tensors", action="store_true", help="list every tensor")
    parser.add_argument("--memory", action="store_true", help="list the places of tensors in the arena")
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    report = describe(existing_file(options.model))
    if options.json:
        emit_json(report)
        return 0
    print(f"{report['model']}: {size_text(report['bytes'])}, {report['description'] or 'no description'}")
    if report["labels"]:
        print(
            f"{len(report['labels'])} labels: {', '.join(report['labels'][:8])}"
            + " ..." * (len(report["labels"]) > 8)
        )
    for kind in ("inputs", "outputs"):
        for tensor in (report["tensors"][i] for i in report[kind]):
            print(f"{kind[:-1]:6} {_tensor(tensor)}")
    if report["missing"]:
        print(
            f"the native backend cannot run: {'; '.join(f'{o} ({why})' for _, o, why in report['missing'])}"
        )
    elif report["error"]:
        print(f"the native backend refuses it: {report['error']}")
    else:
        print(
            f"{report['macs'] / 1e6:.2f} MMAC, arena {size_text(report['arena_bytes'])}, "
            f"scratch memory {size_text(report['scratch_bytes'])} a thread, "
            f"packed weights {size_text(report['weight_bytes'])}, {report['isa']}"
        )
    print()
    steps = native.parts_of(report["steps"])
    kernels = {node: step["kernel"] for step in steps for node in step["nodes"]}
    print(
        table(
            ("node", "op", "input", "output", "MMAC", "kernel"),
            [_node(report, n, kernels) for n in report["nodes"]],
        )
    )
    if options.tensors:
        print()
        print(
            table(
                ("tensor", "name", "type", "shape", "scale", "zero point", "bytes"),
                map(_row, report["tensors"]),
            )
        )
    if options.memory:
        print()
        keys = ("tensor", "offset", "bytes", "first", "last")
        places = sorted(report["allocations"], key=lambda a: (a["offset"], a["first"]))
        print(table(keys, [[a[k] for k in keys] for a in places]))
    return 0


def describe(path: str) -> dict[str, Any]:
    """All that the file says and what the native backend would do with it, JSON-ready."""
    program = native.load(path, 1)
    parsed = program.parsed
    about = metadata.read(parsed.metadata(), parsed.appended())
    report: dict[str, Any] = {
        "model": Path(path).name,
        "bytes": Path(path).stat().st_size,
        "description": parsed.description,
        "labels": list(about.labels),
        "subgraphs": parsed.subgraph_count,
        "signatures": parsed.signatures(),
        "inputs": parsed.inputs(),
        "outputs": parsed.outputs(),
        "tensors": [_plain(t) for t in parsed.tensors()],
        "nodes": [{"node": i, **n} for i, n in enumerate(parsed.nodes())],
        "missing": parsed.missing_ops(),
        "isa": native.isa(),
        "macs": sum(n["macs"] for n in parsed.nodes()),
        "error": None,
        "steps": [],
        "allocations": [],
        "arena_bytes": 0,
        "scratch_bytes": 0,
        "weight_bytes": 0,
    }
    if not report["missing"]:
        try:
            plan = program.plan
        except EdgeError as problem:
            report["error"] = str(problem)
        else:
            report.update(
                steps=plan.steps(),
                allocations=plan.allocations(),
                arena_bytes=plan.arena_bytes,
                scratch_bytes=plan.scratch_per_worker,
                weight_bytes=plan.weight_bytes,
            )
    return report


def _plain(tensor: dict[str, Any]) -> dict[str, Any]:
    return {**tensor, "scales": tensor["scales"].tolist(), "zero_points": tensor["zero_points"].tolist()}


def _tensor(t: dict[str, Any]) -> str:
    text = f"'{t['name']}' {t['dtype']} {t['shape']}"
    if t["scales"]:
        text += f", scale {t['scales'][0]:g}, zero point {t['zero_points'][0]}"
    return text


def _row(t: dict[str, Any]) -> tuple[Any, ...]:
    per = f"{len(t['scales'])} along {t['dimension']}" if len(t["scales"]) > 1 else ""
    scale = per or (f"{t['scales'][0]:g}" if t["scales"] else "")
    zero = "" if per or not t["scales"] else str(t["zero_points"][0])
    return t["index"], t["name"][-48:], t["dtype"], t["shape"], scale, zero, t["bytes"]


def _node(report: dict[str, Any], n: dict[str, Any], kernels: dict[int, str]) -> tuple[Any, ...]:
    def shape(index: int | None) -> str:
        if index is None or index < 0:
            return ""
        t = report["tensors"][index]
        return f"{t['dtype']}{t['shape']}"

    first_in = n["inputs"][0] if n["inputs"] else None
    first_out = n["outputs"][0] if n["outputs"] else None
    planned = bool(report["steps"])
    kernel = kernels.get(n["node"], "computed at load" if planned else "") or ("plain C++" if planned else "")
    return n["node"], n["op"], shape(first_in), shape(first_out), n["macs"] / 1e6, kernel
