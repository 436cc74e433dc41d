"""edge-sdk bench"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edge_sdk import bench
from edge_sdk.backends import native
from edge_sdk.cli.options import add_json, add_machine, add_model, board_of, existing_file, positive
from edge_sdk.cli.screen import Progress, emit_json, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--against", action="append", default=[], choices=["litert"], help="time it in turn with ours"
    )
    parser.add_argument("--runs", type=positive, default=50, metavar="N", help="of the steady state (50)")
    parser.add_argument("--ops", action="store_true", help="the time of each op as well")
    add_machine(parser)
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    existing_file(options.model)
    board = board_of(options)
    with Progress("timing", options.runs) as progress:
        timings = bench.measure(
            options.model, options.against, options.threads, board, options.runs, progress
        )
    steps = bench.profile(options.model, timings[0].threads) if options.ops or options.json else []
    ours = timings[0]
    ratios = {t.backend: t.p50_ms / ours.p50_ms for t in timings[1:]}
    if options.json:
        emit_json(
            {
                "model": Path(options.model).name,
                "board": board.name,
                "isa": native.isa(),
                "backends": [t.to_dict() for t in timings],
                "ratio_p50": {k: round(v, 3) for k, v in ratios.items()},
                "ops": [s.to_dict() for s in steps],
            }
        )
        return 0
    print(f"{Path(options.model).name} on {board.title}, {native.isa()}")
    print(f"{ours.threads} threads, {ours.runs} runs, times in ms")
    names = ("load_ms", "first_ms", "min_ms", "p50_ms", "p95_ms", "p99_ms")
    rows: list[list[Any]] = [[t.backend, *(getattr(t, n) for n in names)] for t in timings]
    print(table(("backend", *(n[:-3] for n in names)), rows))
    for name, ratio in ratios.items():
        print(f"{name} takes {ratio:.2f} times as long as ours (p50)")
    if steps:
        print()
        print(
            table(
                ("op", "kernel", "ms", "share %", "MMAC", "GMAC/s"),
                [(s.op, s.kernel, s.ms, 100 * s.share, s.macs / 1e6, s.gmac_per_s) for s in steps],
            )
        )
    return 0
