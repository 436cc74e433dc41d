"""Instructions of one inference on 64-bit ARM: bench_arm.py [MODEL...] [--cpu CPU] [--site FOLDER] [--json]

Counts ours (the package in build/armlab-site, from `make arm-site`) and LiteRT 2.1.0 with XNNPACK under
emulation, one thread: a run of three inferences less a run of one, halved. What Python does around them
moves the counts by some hundredths of a per mille; `--twice` fails if they move by more than one per mille.
They say nothing about cycles: for those see `make mca`.

The last line is JSON, {"cortex-a53": {"edge": N, "litert": N}, ...}, of the first model; `--json` prints
only JSON, by model where several are named.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from edge_sdk.cli.screen import Progress, table

ROOT = Path(__file__).resolve().parent.parent
STASH = Path(os.environ.get("EDGE_SDK_TEST_MODELS") or ROOT.parent / "shared" / "models")
MODEL = STASH / "real" / "google-coral+test_data" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- begin arm -->", "<!-- end arm -->"
CPUS = ("cortex-a53", "cortex-a76", "max")
RUNTIMES = {"edge": "edge_sdk", "litert": "ai_edge_litert.interpreter"}


class CountError(Exception):
    """The tool or the program under it failed; carries the last words of either."""


def count(armlab: str, cpu: str, site: Path, runtime: str, model: Path) -> dict[str, int]:
    """Instructions of one inference by kind, "total" among them."""
    place = str(site) if runtime == "edge" else "-"
    command = [armlab, "infer-count", cpu, place, RUNTIMES[runtime], str(model)]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise CountError((done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1])
    return {kind: int(n) for kind, n in json.loads(lines[-1]).items()}


def write(found: dict[str, dict[str, dict[str, int]]]) -> None:
    """Puts millions of instructions by model and CPU into docs/performance.md."""
    lines = ["| model | CPU | ours | LiteRT | LiteRT / ours |", "|---|---|---|---|---|"]
    for model, cpus in found.items():
        for cpu, n in cpus.items():
            ours, theirs = n["edge"] / 1e6, n["litert"] / 1e6
            lines.append(f"| {model} | {cpu} | {ours:.1f} | {theirs:.1f} | {theirs / ours:.2f} |")
    page = PAGE.read_text()
    head, tail = page.partition(BEGIN)[0], page.partition(END)[2]
    PAGE.write_text(head + BEGIN + "\n" + "\n".join(lines) + "\n" + END + tail)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path, default=[MODEL], metavar="MODEL")
    parser.add_argument("--cpu", action="append", metavar="CPU", help=f"of {', '.join(CPUS)}; all by default")
    parser.add_argument("--site", type=Path, default=ROOT / "build" / "armlab-site")
    parser.add_argument("--twice", action="store_true", help="count twice and compare")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    armlab = os.environ.get("EDGE_ARMLAB", "")
    if not armlab or not os.access(armlab, os.X_OK):
        parser.error("EDGE_ARMLAB names no tool that counts aarch64 instructions")
    if not (options.site / "edge_sdk").is_dir():
        parser.error(f"{options.site} holds no package: run `make arm-site`")
    for model in options.models:
        if not model.is_file():
            parser.error(f"there is no file {model}")
    cpus = options.cpu or CPUS
    jobs = [(m, c, r) for m in options.models for c in cpus for r in RUNTIMES]
    found: dict[str, dict[str, dict[str, int]]] = {}
    rows = []
    with Progress("counting", len(jobs)) as progress:
        for model, cpu, runtime in jobs:
            try:
                counts = count(armlab, cpu, options.site, runtime, model)
                if options.twice:
                    again = count(armlab, cpu, options.site, runtime, model)["total"]
                    if abs(again - counts["total"]) > counts["total"] / 1000:
                        raise CountError(f"counted {counts['total']}, then {again}")
            except CountError as problem:
                print(f"bench_arm: {runtime} on {cpu}, {model.name}: {problem}", file=sys.stderr)
                return 1
            total = counts["total"]
            found.setdefault(model.stem, {}).setdefault(cpu, {})[runtime] = total
            most = sorted((k for k in counts if k != "total"), key=lambda k: -counts[k])[:6]
            kinds = ", ".join(f"{k} {counts[k] / 1e6:.1f}" for k in most)
            rows.append((model.stem, cpu, runtime, total / 1e6, kinds))
            progress.tick()
    if not options.json:
        print(table(("model", "cpu", "runtime", "M instructions", "of them (M)"), rows))
    if options.write:
        write(found)
    several = options.json and len(found) > 1
    print(json.dumps(found if several else next(iter(found.values()))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
