"""Loads, runs and unloads models in turn for a while: memory and open files must stay as they are.

soak.py [--minutes M] [--json] [MODEL ...]. Without models: those made here, and those of EDGE_SDK_TEST_MODELS
that the runtime runs, of all sizes up to 8 MiB, twenty together. Exits with 1 where resident memory grows by
more than 2 MiB or 1 % between the first tenth of the rounds and the later half, or a file stays open.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from pathlib import Path

import edge_sdk
from edge_sdk.bench import random_inputs
from edge_sdk.errors import EdgeError

ROOT = Path(__file__).resolve().parent.parent
STASH = Path(os.environ.get("EDGE_SDK_TEST_MODELS", ROOT.parent / "shared" / "models"))
MODELS = 20
LARGEST = 8 << 20  # bytes: rounds should be short


def rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def handles() -> int:
    return len(os.listdir("/proc/self/fd"))


def use(path: Path) -> None:
    """One life of a model: two sessions with different numbers of threads, several runs, a reset."""
    model = edge_sdk.load(path, backend="native", threads=2)
    arrays = random_inputs(model.inputs)
    for _ in range(2):
        session = model.session()
        for _ in range(3):
            session.run(arrays)
        session.reset()


def runs(path: Path) -> bool:
    try:
        use(path)
    except EdgeError:
        return False
    return True


def chosen() -> list[Path]:
    own = sorted(ROOT.glob("models/*/*.tflite"))
    files = sorted(STASH.glob("real/**/*.tflite"), key=lambda f: (f.stat().st_size, f))
    # Spread over all sizes, so that every kind of model is among them.
    fitting = [f for f in files if f.stat().st_size <= LARGEST]
    wanted = MODELS - len(own)
    return own + [f for f in fitting[:: max(1, len(fitting) // (2 * wanted))] if runs(f)][:wanted]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    models = options.models or chosen()
    for path in models:
        use(path)
    gc.collect()
    start, files = rss(), handles()
    samples, rounds, deadline = [start], 0, time.monotonic() + 60 * options.minutes
    while time.monotonic() < deadline:
        for path in models:
            use(path)
        gc.collect()
        samples.append(rss())
        rounds += 1
        if sys.stderr.isatty():
            print(f"\r{rounds} rounds, {samples[-1] / 2**20:.1f} MiB", end="", file=sys.stderr)
    # The later half against the first rounds: a leak grows, an allocator's reserve does not.
    half = samples[len(samples) // 2 :]
    grown = sum(half) / len(half) - max(samples[: max(1, len(samples) // 10)])
    flat = grown <= max(2 << 20, start // 100) and handles() <= files
    report = {
        "models": len(models),
        "rounds": rounds,
        "minutes": options.minutes,
        "first_mib": round(start / 2**20, 2),
        "last_mib": round(samples[-1] / 2**20, 2),
        "greatest_mib": round(max(samples) / 2**20, 2),
        "handles": [files, handles()],
        "flat": flat,
    }
    print(json.dumps(report) if options.json else "\n".join(f"{k}: {v}" for k, v in report.items()))
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
