"""edge-sdk tune"""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_sdk import bench, tuning
from edge_sdk.cli.options import add_json, add_machine, add_model, board_of, existing_file, positive
from edge_sdk.cli.screen import Progress, emit_json, table
from edge_sdk.model import thread_count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--runs", type=positive, default=30, metavar="N", help="of each kernel (30)")
    add_machine(parser)
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    path = existing_file(options.model)
    threads = thread_count(options.threads, board_of(options))
    with Progress("measuring", 2 * options.runs) as progress:
        found = bench.tune(path, threads, options.runs, progress)
    file = tuning.write(path, found.tuning)
    if options.json:
        emit_json({"model": Path(path).name, "file": str(file), "threads": threads, **found.to_dict()})
        return 0
    if found.choices:
        header = ("op", "node", "usual kernel", "ms", "chosen kernel", "ms")
        rows = [(c.op, c.node, c.usual, c.usual_ms, c.chosen, c.chosen_ms) for c in found.choices]
        print(table(header, rows))
    print(
        f"{found.measured} steps had a choice, {len(found.choices)} changed: {found.usual_ms:.3f} ms "
        f"with the usual kernels, {found.tuned_ms:.3f} with those chosen; kept in {file}"
    )
    return 0
