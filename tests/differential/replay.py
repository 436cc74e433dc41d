"""Runs recorded single-op cases in our runtime; needs numpy and edge_sdk alone, so it runs in emulators.

    python replay.py CASES.pickle

The file is a list of (name, model, inputs, outputs of the reference, tolerance). Prints what differs,
one line each, and the number of cases; the exit code says whether anything differed.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from comparison import Tolerance, difference

from edge_sdk import _native


def main(file: str) -> int:
    cases = pickle.loads(Path(file).read_bytes())
    failures = 0
    for name, model, inputs, wanted, tolerance in cases:
        plan = _native.Plan(_native.ParsedModel.from_bytes(model), tile_bytes=600)  # as harness.TILE_BYTES
        session = _native.Session(plan, 1)
        for tensor, value in zip(plan.inputs(), inputs):
            session.view(tensor)[...] = value
        session.run()
        got = [np.array(session.view(tensor)) for tensor in plan.outputs()]
        if found := difference(got, wanted, Tolerance(*tolerance)):
            failures += 1
            print(f"{name}: {found}")
    print(f"{len(cases)} cases, {failures} differ, EDGE_ISA {_native.isa()}")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
