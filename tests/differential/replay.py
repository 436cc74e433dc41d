"""Runs recorded single-op cases in our runtime; needs numpy and edge_sdk alone, so it runs in emulators.

    python replay.py CASES.pickle

The file is a list of (name, model, inputs, outputs of the reference, tolerance). Prints what differs,
one line each, and the number of cases; the exit code says whether anything differed.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from comparison import Tolerance, difference

# So few that convolutions behind one another run as chains, a row or a few at a time.
TILE_BYTES = 600


def write(session: Any, index: int, value: np.ndarray[Any, Any]) -> None:
    """Gives a native session one input."""
    if value.dtype.kind == "O":
        session.set_strings(index, list(value.shape), list(value.flat))
    else:
        session.view(index)[...] = value


def ours(
    model: bytes, inputs: Sequence[np.ndarray[Any, Any]], threads: int = 1
) -> list[np.ndarray[Any, Any]]:
    """The outputs of the native runtime."""
    from edge_sdk import _native

    plan = _native.Plan(_native.ParsedModel.from_bytes(model), tile_bytes=TILE_BYTES)
    session = _native.Session(plan, threads)
    for index, value in zip(plan.inputs(), inputs):
        write(session, index, value)
    session.run()
    return [np.array(session.view(index)) for index in plan.outputs()]


def main(file: str) -> int:
    from edge_sdk import _native

    cases = pickle.loads(Path(file).read_bytes())
    failures = 0
    for name, model, inputs, wanted, tolerance in cases:
        if found := difference(ours(model, inputs), wanted, Tolerance(*tolerance)):
            failures += 1
            print(f"{name}: {found}")
    print(f"{len(cases)} cases, {failures} differ, EDGE_ISA {_native.isa()}")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
