"""Resident memory that a runtime adds to a process: python -m edge_sdk.bench.resident RUNTIME MODEL N."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge_sdk.bench.inputs import random_inputs
from edge_sdk.bench.peers import model_file, open_peer
from edge_sdk.errors import BackendError, EdgeError

RUNS = 10
_IMPORTS = {"litert": "ai_edge_litert.interpreter", "mnn": "MNN"}


@dataclass(frozen=True)
class Memory:
    """Resident memory of a fresh process with one model; mebibytes."""

    backend: str
    threads: int
    added_mib: float  # by loading the model and RUNS runs, above numpy and the runtime's import
    peak_mib: float  # of the whole process until then

    def to_dict(self) -> dict[str, Any]:
        return {k: round(v, 2) if isinstance(v, float) else v for k, v in asdict(self).items()}


def memory(path: str | os.PathLike[str], backend: str = "native", threads: int = 1) -> Memory:
    """What `backend` ("native" or one of `PEERS`) adds, measured in a process of its own.

    Raises `BackendError` with what that process said if the runtime cannot run the model.
    """
    command = [sys.executable, "-m", "edge_sdk.bench.resident", backend, os.fspath(path), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise BackendError(lines[-1] if lines else f"{backend} ends the process, status {done.returncode}")
    return Memory(**json.loads(done.stdout.splitlines()[-1]))


def _resident_mib(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) / 1024
    raise BackendError(f"/proc/self/status has no {field}")


def _main(backend: str, path: str, threads: int) -> None:
    model = model_file(path)
    inputs = random_inputs(model.inputs)
    if backend != "native":
        __import__(_IMPORTS.get(backend, backend))
    before = _resident_mib("VmRSS")
    peer = open_peer(backend, model, threads)
    for _ in range(RUNS):
        peer.write(inputs)
        peer.run()
    added = _resident_mib("VmRSS") - before
    print(json.dumps(Memory(backend, threads, added, _resident_mib("VmHWM")).to_dict()))


if __name__ == "__main__":
    try:
        _main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    except (EdgeError, ImportError) as problem:
        sys.exit(str(problem))
