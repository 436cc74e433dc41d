"""Whether a second thread still helps, or at least does not hurt, while something else loads a core."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_sdk.bench.inputs import random_inputs
from edge_sdk.bench.peers import model_file, open_peer
from edge_sdk.bench.rounds import Progress

_LOOP = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); print(flush=True)\nwhile True: pass"


@dataclass(frozen=True)
class BusyTiming:
    """One and two threads beside a process that takes all it can get of one CPU; milliseconds."""

    one_ms: float  # median with one thread
    two_ms: float  # median with two threads
    runs: int

    @property
    def ratio(self) -> float:
        """Above 1 two threads are the faster."""
        return self.one_ms / self.two_ms

    def to_dict(self) -> dict[str, Any]:
        values = {**asdict(self), "ratio": self.ratio}
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}


@contextmanager
def neighbour(cpu: int | None = None) -> Iterator[int]:
    """Gives the id of a process that spins on `cpu`, by default the last one that this process may use."""
    chosen = max(os.sched_getaffinity(0)) if cpu is None else cpu
    process = subprocess.Popen([sys.executable, "-c", _LOOP, str(chosen)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it spins from here on
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def busy(path: str | os.PathLike[str], runs: int = 50, progress: Progress = lambda done: None) -> BusyTiming:
    """Times the native runtime with one and with two threads in turn while another process loads a CPU.

    `progress` is called with the number of rounds done. Raises what `edge_sdk.load` raises.
    """
    model = model_file(path)
    peers = [open_peer("native", model, threads) for threads in (1, 2)]
    times: list[list[float]] = [[], []]
    for peer in peers:
        peer.write(random_inputs(model.inputs))
        peer.run()
    with neighbour():
        for done in range(runs):
            for peer, taken in zip(peers, times):
                start = time.perf_counter_ns()
                peer.run()
                taken.append((time.perf_counter_ns() - start) / 1e6)
            progress(done + 1)
    one, two = (float(np.median(t)) for t in times)
    return BusyTiming(one, two, runs)
