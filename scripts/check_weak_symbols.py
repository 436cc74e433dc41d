"""No SIMD leaks out of the files with ISA flags: check_weak_symbols.py BUILD (a configured build folder).

An inline function that a -mavx2 file shares with a plain one leaves a copy in both, and the linker keeps
either: old CPUs then die of SIGILL. Compiled without optimization every such copy shows as a weak symbol.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ISA_FILE = re.compile(r"[/_](x86|arm)_[a-z0-9_]+\.cc$")


def nm(build: Path) -> str:
    """The nm of the build's compiler, which may be a cross compiler."""
    match = re.search(r"^CMAKE_NM:\w+=(.+)$", (build / "CMakeCache.txt").read_text(), re.MULTILINE)
    return match[1] if match else "nm"


def main(build: Path) -> int:
    commands = json.loads((build / "compile_commands.json").read_text())
    units = [c for c in commands if ISA_FILE.search(c["file"])]
    bad = 0
    for unit in units:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "unit.o")
            subprocess.run(f"{unit['command']} -O0 -o {out}", shell=True, cwd=unit["directory"], check=True)
            listing = subprocess.run(
                [nm(build), "--defined-only", "--demangle", out], check=True, capture_output=True, text=True
            ).stdout
        for line in listing.splitlines():
            if re.match(r"\S+ [uvVwW] ", line):
                bad += 1
                print(f"{unit['file']}: weak symbol {line.split(maxsplit=2)[2]}; make it static")
    print(f"{len(units)} files with ISA flags, {bad} weak symbols")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
