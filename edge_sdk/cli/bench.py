"""edge-sdk bench"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk import bench
from edge_sdk.backends import native
from edge_sdk.boards import BoardProfile
from edge_sdk.cli.options import (
    add_json,
    add_machine,
    add_meter,
    add_model,
    board_of,
    existing_file,
    positive,
)
from edge_sdk.cli.screen import Progress, emit_json, table
from edge_sdk.energy import Energy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--against",
        action="extend",
        type=_peers,
        default=[],
        metavar="NAMES",
        help=f"time these in turn with ours: {','.join(bench.PEERS)} or all",
    )
    parser.add_argument("--runs", type=positive, default=50, metavar="N", help="of the steady state (50)")
    parser.add_argument("--ops", action="store_true", help="the time of each op as well")
    parser.add_argument("--memory", action="store_true", help="the resident memory that each adds as well")
    parser.add_argument(
        "--busy", action="store_true", help="one and two threads beside a process that loads a CPU as well"
    )
    parser.add_argument("--no-check", action="store_true", help="do not compare the results")
    add_meter(parser)
    add_machine(parser)
    add_json(parser)


def _peers(text: str) -> list[str]:
    names = list(bench.PEERS) if text == "all" else text.split(",")
    for name in names:
        if name not in bench.PEERS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(bench.PEERS)}, all")
    return names


@dataclass(frozen=True)
class _Report:
    comparison: bench.Comparison
    peaks: dict[str, bench.Peak]
    steps: list[bench.StepTiming]
    memory: list[bench.Memory]
    busy: bench.BusyTiming | None
    energy: Energy | None  # None: not wanted
    reference: tuple[float, float] | None  # ms of ours and LiteRT's best run, measured before

    @property
    def share_of_peak(self) -> float | None:
        """Of the whole model, measured by its best run."""
        return bench.share_of_peak(self.steps, self.comparison.timings[0].min_ms, self.peaks)

    def to_dict(self) -> dict[str, Any]:
        c = self.comparison
        return {
            "backends": [t.to_dict() for t in c.timings],
            "cannot_run": [r.to_dict() for r in c.refusals],
            "ratio_min": {k: round(v, 3) for k, v in c.ratios.items()},
            "ratio_p50": {k: round(v, 3) for k, v in c.ratios_p50.items()},
            "agreement": [a.to_dict() for a in c.agreements],
            "peaks": [p.to_dict() for p in self.peaks.values()],
            "share_of_peak": self.share_of_peak and round(self.share_of_peak, 4),
            "memory": [m.to_dict() for m in self.memory],
            "busy": self.busy and self.busy.to_dict(),
            "energy": self.energy and self.energy.to_dict(),
            "reference_ms": self.reference and {"native": self.reference[0], "litert": self.reference[1]},
            "ops": [s.to_dict() for s in self.steps],
        }


def main(options: argparse.Namespace) -> int:
    path = existing_file(options.model)
    board = board_of(options)
    report = _measure(path, options, board)
    if options.json:
        head = {"model": Path(path).name, "board": board.name, "isa": native.isa()}
        emit_json({**head, **report.to_dict()})
    else:
        print(f"{Path(path).name} on {board.title}, {native.isa()}")
        _show(report)
    return 0


def _measure(path: str, options: argparse.Namespace, board: BoardProfile) -> _Report:
    with Progress("timing", options.runs) as progress:
        found = bench.measure(
            path,
            options.against,
            options.threads,
            board,
            options.runs,
            bool(options.against) and not options.no_check,
            progress,
        )
    threads = found.timings[0].threads
    with_ops = options.ops or options.json
    peaks = bench.peaks(threads) if with_ops else {}
    steps = bench.profile(path, threads, measured=peaks) if with_ops else []
    memory = []
    if options.memory:
        with Progress("memory", len(found.timings)) as progress:
            for timing in found.timings:
                memory.append(bench.memory(path, timing.backend, threads))
                progress.tick()
    busy = None
    if options.busy:
        with Progress("beside a busy process", options.runs) as progress:
            busy = bench.busy(path, options.runs, progress)
    energy = None if options.meter == "none" else bench.energy(path, options.meter, threads, board)
    return _Report(found, peaks, steps, memory, busy, energy, bench.reference(Path(path).stem, threads))


def _show(report: _Report) -> None:
    c = report.comparison
    ours = c.timings[0]
    threads = f"{ours.threads} thread{'s' * (ours.threads > 1)}"
    print(f"{threads}, {ours.runs} runs in turn, times in ms; alone: no other runs in between")
    names = ("load", "first", "min", "p50", "p95", "p99", "alone_p50")
    rows: list[list[Any]] = [[t.backend, *(getattr(t, f"{n}_ms") for n in names)] for t in c.timings]
    print(table(("backend", *names[:-1], "alone p50"), rows))
    for name, ratio in c.ratios.items():
        print(f"{name} takes {ratio:.2f} times as long as ours (best run; {c.ratios_p50[name]:.2f} by p50)")
    for timing in c.timings[1:]:
        print(f"{timing.backend} in turn with ours takes {timing.disturbed:.2f} of its time alone (p50)")
    for refusal in c.refusals:
        print(f"{refusal.backend} cannot run: {refusal.reason}")
    for agreement in c.agreements:
        print(_agreement(agreement))
    if report.share_of_peak is not None:
        peaks = ", ".join(f"{p.kernel} {p.gmac_per_s:.1f} GMAC/s" for p in report.peaks.values())
        print(f"ours reaches {100 * report.share_of_peak:.1f} % of the measured peak ({peaks})")
    for memory in report.memory:
        print(f"{memory.backend} adds {memory.added_mib:.1f} MiB of resident memory (load and 10 runs)")
    if report.busy:
        print(
            f"beside a process that loads a CPU: {report.busy.one_ms:.3f} ms with one thread, "
            f"{report.busy.two_ms:.3f} with two, ratio {report.busy.ratio:.2f}"
        )
    if report.energy:
        print(f"energy: {report.energy.text}")
    if report.reference:
        print(
            "on {}, when the reference figures were taken: native {:.3f} ms, litert {:.3f}".format(
                bench.machine_class(), *report.reference
            )
        )
    if report.steps:
        print()
        header = ("op", "kernel", "ms", "share %", "MMAC", "GMAC/s", "peak %")
        print(table(header, [_row(s) for s in report.steps]))


def _agreement(agreement: bench.Agreement) -> str:
    whom = "LiteRT's reference kernels" if agreement.backend == "reference" else agreement.backend
    if agreement.greatest == 0:
        return f"the same results as {whom}, on {agreement.inputs} inputs"
    share = f"{agreement.greatest:.1e} of the greatest value"
    amount = f"{agreement.greatest:g} codes" if agreement.integer else share

    return f"results differ from {whom} by at most {amount}, on {agreement.inputs} inputs"


def _row(s: bench.StepTiming) -> list[Any]:
    of_peak = s.share_of_peak
    peak = "" if of_peak is None else f"{100 * of_peak:.1f}"
    return [s.op, s.kernel, s.ms, 100 * s.share, s.macs / 1e6, s.gmac_per_s, peak.rjust(6)]
