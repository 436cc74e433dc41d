"""What bench_models.py found, as tables, plots, reference figures and a summary."""

from __future__ import annotations

import json
import math
import platform
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from edge_sdk.backends import native
from edge_sdk.bench import Peak
from edge_sdk.bench.figures import machine_class

CAP = 4.0  # what a ratio counts at most, so that no single model carries the mean
BEGIN, END = "<!-- begin measured -->", "<!-- end measured -->"


@dataclass(frozen=True)
class Row:
    """One model; times in ms (best runs), ratios are LiteRT's time / ours."""

    name: str
    kind: str  # "integer" or "float"
    refused: str = ""  # why it was not measured
    ours_1: float = 0.0
    litert_1: float = 0.0
    openvino_1: float | None = None
    ours_2: float = 0.0
    litert_2: float = 0.0
    disturbed_2: float = 0.0  # LiteRT's median in turn with ours / alone, two threads
    busy: float = 0.0  # two threads' speed / one's beside a process that loads a CPU
    ours_mib: float = 0.0  # resident memory added
    litert_mib: float = 0.0
    share_of_peak: float | None = None  # one thread
    reference: float | None = None  # greatest difference from the reference kernels; codes, or relative

    @staticmethod
    def of(name: str, kind: str, one: dict, two: dict) -> Row:
        best_1 = {b["backend"]: b["min_ms"] for b in one["backends"]}
        by_2 = {b["backend"]: b for b in two["backends"]}
        if "litert" not in best_1 or "litert" not in by_2:
            return Row(name, kind, refused="; ".join(r["reason"] for r in one["cannot_run"]))
        mib = {m["backend"]: m["added_mib"] for m in one["memory"]}
        apart = {a["backend"]: a["greatest"] for a in one["agreement"]}
        return Row(
            name, kind, "", best_1["native"], best_1["litert"], best_1.get("openvino"),
            by_2["native"]["min_ms"], by_2["litert"]["min_ms"], by_2["litert"]["disturbed"],
            one["busy"]["ratio"], mib["native"], mib["litert"], one["share_of_peak"], apart.get("reference"),
        )  # fmt: skip

    @property
    def ratio_1(self) -> float:
        return self.litert_1 / self.ours_1

    @property
    def ratio_2(self) -> float:
        return self.litert_2 / self.ours_2

    def line(self) -> str:
        """The row of the table."""
        if self.refused:
            return f"| {self.name} | cannot run: {self.refused} | | | | | | | | | |"
        cells = [
            self.name, f"{self.ours_1:.3f}", f"{self.litert_1:.3f}", f"{self.ratio_1:.2f}",
            f"{self.openvino_1:.3f}" if self.openvino_1 else "-",
            f"{self.ours_2:.3f}", f"{self.litert_2:.3f}", f"{self.ratio_2:.2f}",
            f"{100 * self.share_of_peak:.0f}" if self.share_of_peak else "-",
            f"{self.ours_mib:.1f} / {self.litert_mib:.1f}", self._difference(),
        ]  # fmt: skip
        return f"| {' | '.join(cells)} |"

    def _difference(self) -> str:
        if self.reference is None:
            return "-"
        return f"{self.reference:g}" if self.reference in (0, 1) else f"{self.reference:.1e}"


@dataclass(frozen=True)
class Machine:
    """Where the figures come from."""

    name: str  # names the reference file
    cpu: str
    isa: str
    peak_1: float  # GMAC/s of int8, one thread
    peak_2: float  # two threads
    runs: int

    @staticmethod
    def here(peaks: dict[int, dict[str, Peak]], runs: int) -> Machine:
        one, two = (peaks[threads]["int8"].gmac_per_s for threads in (1, 2))
        return Machine(machine_class(), cpu_name(), native.isa(), one, two, runs)


def cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def geomean(ratios: list[float]) -> float:
    """The geometric mean, each ratio counting at most CAP; 0 of none."""
    return math.exp(sum(math.log(min(r, CAP)) for r in ratios) / len(ratios)) if ratios else 0.0


def summary(rows: list[Row]) -> dict:
    """Means and minima for programs."""
    found: dict = {}
    for kind in ("integer", "float"):
        ran = [r for r in rows if r.kind == kind and not r.refused]
        found[kind] = {
            "models": len(ran),
            "cannot_run": [r.name for r in rows if r.kind == kind and r.refused],
            "geomean_1": round(geomean([r.ratio_1 for r in ran]), 3),
            "min_1": round(min((r.ratio_1 for r in ran), default=0.0), 3),
            "geomean_2": round(geomean([r.ratio_2 for r in ran]), 3),
            "min_2": round(min((r.ratio_2 for r in ran), default=0.0), 3),
            "litert_disturbed_max": round(max((r.disturbed_2 for r in ran), default=0.0), 3),
            "busy_min": round(min((r.busy for r in ran), default=0.0), 3),
            "memory_ratio_max": round(max((r.ours_mib / r.litert_mib for r in ran), default=0.0), 3),
        }
    found["share_of_peak"] = {r.name: r.share_of_peak for r in rows if r.name.startswith("tf2_mobilenet_v2")}
    return found


def table(rows: list[Row]) -> str:
    ran = [r for r in rows if not r.refused]
    means = [f"{geomean([getattr(r, key) for r in ran]):.2f}" for key in ("ratio_1", "ratio_2")]
    return "\n".join(
        [
            "| model | ours, 1 thread | LiteRT | ratio | OpenVINO | ours, 2 threads | LiteRT | ratio "
            "| peak % | MiB, ours / LiteRT | off by |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            *(r.line() for r in rows),
            f"| geometric mean | | | {means[0]} | | | | {means[1]} | | | |",
        ]
    )


def page(machine: Machine, rows: list[Row]) -> str:
    """What stands between the markers of docs/performance.md."""
    of = {kind: [r for r in rows if r.kind == kind] for kind in ("integer", "float")}
    ran = [r for r in rows if not r.refused]
    disturbed, busy = max(r.disturbed_2 for r in ran), min(r.busy for r in ran)
    return f"""\
{machine.cpu}, {machine.isa}, best of {machine.runs} runs, ms; ratio = LiteRT's time / ours, of which
the geometric mean counts at most {CAP:g}; peak % = share of the {machine.peak_1:.0f} GMAC/s that one thread
reaches in registers (two: {machine.peak_2:.0f}); MiB = resident memory that loading and ten runs add;
off by = greatest difference from LiteRT's reference kernels, in codes, or for floats as a share of the
greatest value.

Integer models:

{table(of["integer"])}

Float models:

{table(of["float"])}

![Ratios](performance.svg)

LiteRT in turn with ours takes at most {disturbed:.2f} of its time alone (two threads, median). Beside a
process that loads one CPU, two threads of ours reach at least {busy:.2f} of the speed of one."""


def write(root: Path, machine: Machine, rows: list[Row]) -> list[Path]:
    """Page, plot and reference figures; returns the files."""
    text, plot = root / "docs" / "performance.md", root / "docs" / "performance.svg"
    reference = root / "boards" / "reference" / f"{machine.name}.json"
    old = text.read_text()
    head, tail = old.partition(BEGIN)[0], old.partition(END)[2]
    text.write_text(f"{head}{BEGIN}\n{page(machine, rows)}\n{END}{tail}")
    plot.write_text(svg([r for r in rows if not r.refused]))
    reference.parent.mkdir(exist_ok=True)
    figures = {r.name: {k: v for k, v in asdict(r).items() if v} for r in rows if not r.refused}
    reference.write_text(json.dumps({"machine": asdict(machine), "models": figures}, indent=1) + "\n")
    return [text, plot, reference]


def svg(rows: list[Row]) -> str:
    """Two bars a model, the ratios at one and two threads; the line stands where LiteRT is."""
    left, unit, step, top = 330, 90, 30, 40
    width, height = left + int(unit * CAP) + 60, top + step * len(rows) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{left}" y="16">times as fast as LiteRT: dark with one thread, light with two</text>',
    ]
    for i, r in enumerate(rows):
        y = top + step * i
        parts.append(f'<text x="{left - 6}" y="{y + 14}" text-anchor="end">{escape(r.name[:52])}</text>')
        for ratio, dy, colour in ((r.ratio_1, 0, "#1f5f8b"), (r.ratio_2, 11, "#8fbcd9")):
            bar = unit * min(ratio, CAP)
            parts.append(f'<rect x="{left}" y="{y + dy}" width="{bar:.1f}" height="10" fill="{colour}"/>')
            parts.append(f'<text x="{left + bar + 4:.1f}" y="{y + dy + 9}">{ratio:.2f}</text>')
    for x in range(1, int(CAP) + 1):
        at = left + unit * x
        dash = "" if x == 1 else ' stroke-dasharray="2 4"'
        parts.append(f'<path d="M{at} {top - 12}V{height - 14}" stroke="#666"{dash}/>')
        parts.append(f'<text x="{at}" y="{height - 2}" text-anchor="middle">{x}</text>')
    return "\n".join([*parts, "</svg>\n"])
