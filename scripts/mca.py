"""Cycles of the ARM kernels' inner loops, by llvm-mca: mca.py [WORD...] [--cpu CPU] [--json] [--write]

Compiles native/kernels/*/arm_*.cc as the aarch64 build does, cuts out every innermost loop that multiplies,
and asks llvm-mca how many cycles a turn takes if all data lie in the L1 cache. WORDs choose the loops whose
file or function has one of them. Branches inside of a loop are taken as not taken.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.cli.screen import Progress, table

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
TURNS = 200
# The CPUs whose model knows the ISA; llvm-mca has one model for Cortex-A57, A72 and A76: Neoverse N1's.
CPUS = {
    "neon": ("cortex-a53", "cortex-a55", "neoverse-n1"),
    "dotprod": ("cortex-a55", "neoverse-n1"),
    "i8mm": ("neoverse-n2",),
}
COLUMNS = ("cortex-a53", "cortex-a55", "neoverse-n1", "neoverse-n2")
# MAC per cycle of plain loops: sdot on a tile of 4x16; smull, smlal2, sadalp.
PLAIN = {
    ("dotprod", "cortex-a55"): 9.5,
    ("dotprod", "neoverse-n1"): 32.0,
    ("neon", "cortex-a53"): 2.5,
    ("neon", "cortex-a55"): 2.3,
    ("neon", "neoverse-n1"): 8.0,
}
LANES = {"16b": 16, "8b": 8, "8h": 8, "4h": 4, "4s": 4, "2s": 2}
BEGIN, END = "<!-- begin mca -->", "<!-- end mca -->"
BRANCH = re.compile(r"\s+(?:b\.?\w*|cbn?z|tbn?z)\s.*?(\.L\w+)\s*$")
MULTIPLY = re.compile(r"^\s+(\w+)\s+v\d+\.(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Loop:
    """One innermost loop that multiplies."""

    file: str  # from native/kernels/
    function: str
    label: str
    body: str  # assembly, from the label to the branch back

    @property
    def isa(self) -> str:
        return Path(self.file).stem.split("_")[1]

    @property
    def instructions(self) -> int:
        return len(re.findall(r"^\t[a-z]", self.body, re.MULTILINE))

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one turn."""
        return sum(macs(op, lanes) for op, lanes in MULTIPLY.findall(self.body))


def macs(op: str, lanes: str) -> int:
    """Products that one instruction adds up, by its name and the arrangement of its destination."""
    count = LANES.get(lanes, 0)
    if op in ("sdot", "udot", "usdot", "sudot"):
        return 4 * count
    if op in ("smmla", "ummla", "usmmla"):
        return 8 * count
    # smull starts the sum that smlal goes on with; to 64 bits it belongs to requantization.
    return count if re.fullmatch(r"[su]ml[as]l2?|[su]mull2?|f?ml[as]", op) else 0


def loops(file: str, assembly: str) -> Iterator[Loop]:
    """The innermost loops of a file's assembly that multiply."""
    function, lines, labels, backward = "", assembly.splitlines(), {}, []
    functions: dict[int, str] = {}
    for i, line in enumerate(lines):
        if label := re.match(r"(\.L\w+):", line):
            labels[label[1]] = i
        elif start := re.match(r"(\w+):", line):
            function, labels = start[1], {}
        elif (branch := BRANCH.match(line)) and branch[1] in labels:
            backward.append((labels[branch[1]], i))
            functions[labels[branch[1]]] = function
    for first, last in backward:
        inside = [b for b in backward if first <= b[0] and b[1] <= last and b != (first, last)]
        body = "\n".join(line for line in lines[first : last + 1] if not line.startswith("\t."))
        if not inside and "\tbl\t" not in body:
            loop = Loop(file, functions[first], lines[first].rstrip(":"), body)
            if re.search(r"^\t\w*(mul|mla|mls|dot)", body, re.MULTILINE):
                yield loop


def compiled(build: Path) -> Iterator[tuple[str, str]]:
    """Each ARM kernel file of a configured build, from native/kernels/, and its assembly."""
    kernels = ROOT / "native" / "kernels"
    for unit in json.loads((build / "compile_commands.json").read_text()):
        file = Path(unit["file"])
        if not re.search(r"arm_\w+\.cc$", file.name) or kernels not in file.parents:
            continue
        command = shlex.split(unit["command"])
        command[command.index("-o") + 1] = "-"
        command[command.index("-c")] = "-S"
        done = subprocess.run(
            [*command, "-g0"], cwd=unit["directory"], check=True, capture_output=True, text=True
        )
        yield str(file.relative_to(kernels)), done.stdout


def demangled(names: list[str]) -> dict[str, str]:
    """Function names without namespaces and parameters."""
    command = ["c++filt", "-p", *names]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return dict(zip(names, (re.sub(r"\w+::|\(anonymous namespace\)::|^void ", "", x) for x in lines)))


def cycles(cpu: str, found: list[Loop], mca: str) -> list[float]:
    """Cycles of one turn of each loop."""
    regions = []
    for i, loop in enumerate(found):
        # Labels of their own, and bytes as llvm's assembler takes them: GCC extends their sign.
        body = re.sub(r"\b0xf{14}(\w\w)\b", r"0x\1", loop.body.replace(".L", f".R{i}_L"))
        regions.append(f"/* LLVM-MCA-BEGIN {i} */\n{body}\n/* LLVM-MCA-END {i} */\n")
    command = [mca, "-mtriple=aarch64", f"-mcpu={cpu}", f"-iterations={TURNS}", "-json"]
    done = subprocess.run(command, input="".join(regions), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"mca: llvm-mca for {cpu}: {done.stderr.strip().splitlines()[0]}")
    start = done.stdout.index("{")
    regions_of = json.loads(done.stdout[start:])["CodeRegions"]
    return [region["SummaryView"]["TotalCycles"] / TURNS for region in regions_of]


def report(found: list[Loop], cpus: list[str], mca: str) -> list[dict]:
    """For each loop its figures on each of the CPUs that know its ISA."""
    names = demangled([loop.function for loop in found])
    turns: dict[Loop, dict[str, float]] = {loop: {} for loop in found}
    pairs = [(isa, cpu) for isa, known in CPUS.items() for cpu in known if not cpus or cpu in cpus]
    with Progress("llvm-mca", len(pairs)) as progress:
        for isa, cpu in pairs:
            of_isa = [loop for loop in found if loop.isa == isa]
            for loop, turn in zip(of_isa, cycles(cpu, of_isa, mca) if of_isa else []):
                turns[loop][cpu] = turn
            progress.tick()
    return [
        {
            "file": loop.file,
            "function": names[loop.function],
            "loop": loop.label,
            "instructions": loop.instructions,
            "macs": loop.macs,
            "cpus": {cpu: figures(loop, cpu, turn) for cpu, turn in of_cpu.items()},
        }
        for loop, of_cpu in turns.items()
    ]


def figures(loop: Loop, cpu: str, turn: float) -> dict:
    plain = None if "\tfml" in loop.body else PLAIN.get((loop.isa, cpu))
    rate = loop.macs / turn
    of_plain = round(rate / plain, 2) if plain and loop.macs else None
    return {"cycles": round(turn, 1), "macs_per_cycle": round(rate, 2), "of_plain": of_plain}


def rows(entries: list[dict]) -> list[list]:
    """Cells of a table: per CPU cycles, MAC per cycle, in brackets the latter relative to a plain loop."""
    found = []
    for e in entries:
        cells = [e["file"], e["function"], e["loop"], e["instructions"], e["macs"]]
        for cpu in COLUMNS:
            f = e["cpus"].get(cpu)
            plain = f" ({f['of_plain']:.2f})" if f and f["of_plain"] else ""
            cells.append(f"{f['cycles']:g} / {f['macs_per_cycle']:g}{plain}" if f else "")
        found.append(cells)
    return found


def write(entries: list[dict]) -> None:
    """Puts each file's best loop, by MAC per cycle on the first CPU that has it, into docs/performance.md."""
    best: dict[str, dict] = {}
    for e in entries:
        rate = max(f["macs_per_cycle"] for f in e["cpus"].values())
        known = best.get(e["file"])
        if rate >= 1 and (known is None or rate > max(f["macs_per_cycle"] for f in known["cpus"].values())):
            best[e["file"]] = e
    lines = [
        "| file | function | instructions | MAC | " + " | ".join(COLUMNS) + " |",
        "|---" * (4 + len(COLUMNS)) + "|",
    ]
    for file, function, _, *cells in rows(list(best.values())):
        lines.append(f"| {file} | {function} | {' | '.join(map(str, cells))} |")
    page = PAGE.read_text()
    head, tail = page.partition(BEGIN)[0], page.partition(END)[2]
    PAGE.write_text(head + BEGIN + "\n" + "\n".join(lines) + "\n" + END + tail)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--cpu", action="append", default=[], choices=COLUMNS)
    parser.add_argument(
        "--write", action="store_true", help="the best loop of each file into docs/performance.md"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    mca = shutil.which("llvm-mca-19") or shutil.which("llvm-mca")
    if not mca:
        parser.error("llvm-mca is not installed: scripts/apt-packages.sh mca")
    subprocess.run(["cmake", "--preset", "aarch64"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    found = [loop for file, text in compiled(ROOT / "build" / "aarch64") for loop in loops(file, text)]
    if options.words:
        found = [x for x in found if any(w in f"{x.file} {x.function}" for w in options.words)]
    entries = report(found, options.cpu, mca)
    if options.json:
        print(json.dumps(entries))
        return 0
    header = ("file", "function", "loop", "instr", "MAC", *COLUMNS)
    print("per CPU: cycles of a turn / MAC per cycle (as a multiple of a plain loop's)")
    print(table(header, rows(entries)))
    if options.write:
        write(entries)
    return 0


if __name__ == "__main__":
    sys.exit(main())
