"""edge-sdk compare"""

from __future__ import annotations

import argparse
import contextlib
import csv
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import edge_sdk
from edge_sdk.boards import detect
from edge_sdk.cli.options import add_json, add_meter, existing_file, meter_or_reason, positive
from edge_sdk.cli.samples import samples_of
from edge_sdk.cli.screen import Progress, emit_json, table
from edge_sdk.energy import measure, not_measured
from edge_sdk.errors import InputError
from edge_sdk.optimize import gate, pareto
from edge_sdk.optimize.compare import Comparison, MeasureEnergy, compare
from edge_sdk.units import KB


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", nargs="+", metavar="MODEL", help=".tflite files; the first is the original")
    parser.add_argument("--data", metavar="WHERE", help="samples: a folder, FILE.npz or any source")
    parser.add_argument("--limit", type=positive, metavar="N", help="take at most N samples")
    parser.add_argument("--threads", type=positive, default=1, metavar="N", help="to run with (1)")
    parser.add_argument("--gate", metavar="BOUNDS", help="exit 1 unless all models but the first keep to "
                        "them: 'drop<=0.5 latency<=5ms size<=100KB'")  # fmt: skip
    parser.add_argument("--png", metavar="FILE", help="write the picture of the trade-off")
    parser.add_argument("--html", metavar="FILE", help="write picture and table as a page")
    parser.add_argument("--csv", metavar="FILE", help="write the table")
    add_meter(parser)
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """0, or 1 where a model does not pass the gate."""
    bounds = gate.parse(options.gate) if options.gate else ()
    paths = [existing_file(path) for path in options.models]
    samples = samples_of(options.data, edge_sdk.load(paths[0]), options.limit) if options.data else None
    bars: dict[str, Progress] = {}

    def tell(what: str, done: int, total: int) -> None:
        bars.setdefault(what, Progress(what, total))(done)
        if done == total:
            bars[what].close()

    with energy_by(options.meter) as energy:
        found = compare(paths, samples, options.threads, energy, tell)
    title = f"{found.rows[0].name} and its versions"
    if options.png:
        _write(options.png, lambda path: pareto.png(found, path))
    if options.html:
        _write(options.html, lambda path: Path(path).write_text(pareto.page(found, title), encoding="utf-8"))
    if options.csv:
        _write(options.csv, lambda path: _csv(found, path))
    missed = [line for row in found.rows[1:] or found.rows for line in gate.misses(bounds, found, row)]
    if options.json:
        emit_json({**found.to_dict(), "missed": missed})
    else:
        print("\n".join([table_of(found), "", *_words(found), *missed]))
    return 1 if missed else 0


@contextlib.contextmanager
def energy_by(where: str | None) -> Iterator[MeasureEnergy]:
    """What measures the energy of runs: the meter that `--meter` names, or one that says why it cannot."""
    board = detect()
    meter = meter_or_reason(where, board)
    if isinstance(meter, str):
        yield lambda run: not_measured(meter)
    else:
        with meter:
            yield functools.partial(measure, meter=meter, board=board)


def _write(path: str, write: Callable[[str], object]) -> None:
    try:
        write(path)
    except (OSError, ValueError) as problem:
        raise InputError(f"cannot write {path}: {problem}") from problem


def table_of(found: Comparison) -> str:
    """The figures of all models, one a row."""
    measures = tuple(found.rows[0].accuracy)
    figures = ("agreement %", "KB", "arena KB", "p50 ms", "p95 ms", "mJ", "beaten by")
    header = ("model", "numbers", *(f"{m} %" for m in measures), *figures)
    rows = [
        (
            row.name,
            row.numbers,
            *(f"{100 * row.accuracy[m]:.2f}" for m in measures),
            f"{100 * row.agreement:.2f}",
            f"{row.bytes / KB:.1f}",
            "-" if row.arena_bytes is None else f"{row.arena_bytes / KB:.1f}",
            row.p50_ms,
            row.p95_ms,
            "-" if row.joules is None else f"{row.joules * 1e3:.3f}",
            row.beaten_by or "",
        )
        for row in found.rows
    ]
    return table(header, rows)


def _words(found: Comparison) -> list[str]:
    return [
        f"{found.samples} samples from {found.origin}; {found.threads} thread(s), runs in turn",
        *found.energy(),
        *found.notes,
    ]


def _csv(found: Comparison, path: str) -> None:
    measures = tuple(found.rows[0].accuracy)
    names = ("bytes", "arena_bytes", "p50_ms", "p95_ms", "joules", "beaten_by")
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["model", "numbers", *measures, "agreement", "drop", *names, "energy"])
        for row in found.rows:
            scores = [row.accuracy[m] for m in measures]
            rest = [getattr(row, name) for name in names]
            out.writerow(
                [row.name, row.numbers, *scores, row.agreement, found.drop(row), *rest, row.energy.text]
            )
