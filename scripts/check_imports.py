"""Imports in edge_sdk/ point upwards in the table of docs/architecture.md: check_imports.py [EDGE_SDK]."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

# A module or subpackage and what it may import of the package; the composition roots import anything.
BASE = {"errors", "lazy", "types", "units", "version", "resources"}
MODEL = BASE | {"model", "backends", "boards", "labels", "metadata", "tuning"}
MAY_IMPORT = {
    "errors": set(),
    "version": set(),
    "units": set(),
    "lazy": {"errors"},
    "resources": {"errors"},
    "types": {"errors"},
    "boards": BASE,
    "labels": BASE,
    "tuning": BASE,
    "metadata": BASE | {"labels"},
    "backends": MODEL,
    "model": MODEL,
    "interpreter": MODEL,
    "compat": MODEL | {"interpreter"},
    "tasks": BASE | {"labels", "metadata"},
    "sources": BASE,
    "publish": BASE,
    "pipeline": MODEL | {"energy", "tasks", "sources", "publish"},
    "energy": BASE | {"boards"},
    "doctor": BASE | {"boards"},
    "bench": MODEL | {"energy"},
    "optimize": MODEL | {"energy", "sources", "tasks"},
}
ROOTS = {"__init__", "__main__", "cli", "demo", "web"}


def imports(file: Path, package: Path) -> Iterator[str]:
    """The dotted names below the package that the file imports, those inside of functions too."""
    parents = ["edge_sdk", *file.relative_to(package).parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = parents[: len(parents) + 1 - node.level] if node.level else []
            names = [".".join([*start, *filter(None, [node.module]), alias.name]) for alias in node.names]
        else:
            continue
        yield from (name[len("edge_sdk.") :] for name in names if name.startswith("edge_sdk."))


def faults(package: Path) -> list[str]:
    found = []
    units = {f.stem if f.is_file() else f.name for f in package.iterdir()} | {"_native"}
    for file in sorted(package.rglob("*.py")):
        place = file.relative_to(package)
        home = place.parts[0].removesuffix(".py")
        if home in ROOTS:
            continue
        for name in imports(file, package):
            target = name.split(".")[0]
            if target == "_native":
                if place != Path("backends", "native.py"):
                    found.append(f"{file}: only backends/native.py imports _native")
            elif target != home and target in units and target not in MAY_IMPORT.get(home, set()):
                found.append(f"{file}: {home} may not import {target}")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(faults(Path(*sys.argv[1:] or ["edge_sdk"]))) or None)
