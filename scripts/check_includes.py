"""Includes in native/ point upwards in the table of docs/architecture.md: check_includes.py [NATIVE]."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ENGINE = {"base", "graph", "reader", "kernels", "ops", "passes", "runtime"}
MAY_INCLUDE = {
    "base": set(),
    "graph": {"base"},
    "reader": {"base", "graph"},
    "kernels": {"base"},
    "ops": {"base", "graph", "kernels"},
    "passes": {"base", "graph", "ops"},
    "runtime": ENGINE,
    "delegate": ENGINE,
    "capi": ENGINE,
    "fuzz": ENGINE,
    "python": ENGINE,
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
ISA_FILE = re.compile(r"^(x86|arm)_")
TEST_FILE = re.compile(r"^(.*_)?test\.cc$")  # no part of the engine: may include what it tests with


def faults(native: Path) -> list[str]:
    found = []
    for file in sorted(f for f in native.rglob("*") if f.suffix in {".cc", ".h", ".inc"}):
        home, *_ = file.relative_to(native).parts
        if TEST_FILE.match(file.name):
            continue
        for name in INCLUDE.findall(file.read_text()):
            if not (native / name).is_file():
                found.append(f"{file}: {name} is not a path from native/")
            elif (target := Path(name).parts[0]) != home and target not in MAY_INCLUDE[home]:
                found.append(f"{file}: {home}/ may not include {target}/ ({name})")
            elif ISA_FILE.match(file.name) and not (
                (native / name).parent == file.parent or ISA_FILE.match(Path(name).name)
            ):
                found.append(f"{file}: ISA files include their family's headers and ISA headers, not {name}")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(faults(Path(*sys.argv[1:] or ["native"]))) or None)
