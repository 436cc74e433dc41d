"""Files aim at 300 lines and never pass 800: check_lengths.py [ROOT]."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDERS = ("edge_sdk", "examples", "models", "native", "scripts", "tests")
SUFFIXES = {".py", ".cc", ".h", ".inc", ".sh"}
AIM, LIMIT = 300, 800


def main(root: Path) -> int:
    files = [f for folder in FOLDERS for f in (root / folder).rglob("*") if f.suffix in SUFFIXES]
    lengths = {f: len(f.read_text().splitlines()) for f in files}
    for file, lines in sorted(lengths.items()):
        if lines > AIM:
            print(f"{file}: {lines} lines, {'the limit' if lines > LIMIT else 'the aim'} is "
                  f"{LIMIT if lines > LIMIT else AIM}")  # fmt: skip
    return int(any(lines > LIMIT for lines in lengths.values()))


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:])))
