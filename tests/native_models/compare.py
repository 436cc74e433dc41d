"""Runs a model in our runtime and compares it with recorded outputs; needs numpy and edge_sdk alone.

    python compare.py MODEL CASES.npz THREADS...

CASES holds `in<run>_<i>` and `out<run>_<i>` for each run and tensor, `tensor<index>` for what stood
between the ops in run 0, and `tolerance` (absolute, relative). All runs share one session per thread
count, which carries state from one to the next; then it is reset, and the first is repeated. Prints
what differs, one line each; the exit code says whether anything did.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from comparison import Tolerance, difference

from edge_sdk import _native


def main(model: str, cases: str, *threads: str) -> int:
    recorded = np.load(cases)
    tolerance = Tolerance(*(float(v) for v in recorded["tolerance"]))
    parsed = _native.ParsedModel.from_path(model)
    plan = _native.Plan(parsed)
    runs = 1 + max(int(name[3:].split("_")[0]) for name in recorded.files if name.startswith("out"))

    def run(session: Any, number: int) -> None:
        for i, tensor in enumerate(plan.inputs()):
            session.view(tensor)[...] = recorded[f"in{number}_{i}"]
        session.run()

    found = []
    for count in threads:
        session = _native.Session(plan, int(count))
        for number in (*range(runs), 0):
            if number == 0:
                session.reset()
            run(session, number)
            got = [np.array(session.view(tensor)) for tensor in plan.outputs()]
            wanted = [recorded[f"out{number}_{i}"] for i in range(len(got))]
            if words := difference(got, wanted, tolerance):
                found.append(f"threads={count} run {number}: {words}")
    # Final outputs say little where a softmax ends the model: look between the ops too.
    everything = _native.Plan(parsed, preserve_all=True)
    session = _native.Session(everything, int(threads[-1]))
    run(session, 0)
    for name in recorded.files:
        if name.startswith("tensor") and everything.tensor(int(name[6:])) is not None:
            words = difference([session.view(int(name[6:]))], [recorded[name]], tolerance)
            if words:
                found.append(f"{name} (first of those that differ): {words}")
                break
    for line in found:
        print(f"EDGE_ISA={_native.isa()} {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
