"""Kernels measured to be the best for one model on one device: MODEL.tflite.tune.json beside the model.

`edge-sdk tune` writes the file, the native backend reads it when it loads the model. A file that is
damaged, or made for another model, CPU, instruction set or version, is left aside with a `TuningWarning`
that says why; results do not depend on it in any case.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge_sdk.errors import BackendError, TuningWarning
from edge_sdk.resources import TUNING_SUFFIX
from edge_sdk.version import __version__

_FORMAT = 1
_MOST_BYTES = 1 << 20  # of a file; a real one has some kilobytes


@dataclass(frozen=True)
class Tuning:
    """What was measured, and where it holds."""

    model_sha256: str  # of the model file
    cpu: str  # as `cpu_name` gives it
    isa: str  # the highest instruction set in use
    version: str  # of the package
    threads: int  # of the sessions that were measured
    kernels: Mapping[int, str]  # first node of a step -> the kernel to use, where it is not the usual one


def path_beside(model: str | os.PathLike[str]) -> Path:
    """Where the tuning of a model file is."""
    return Path(os.fspath(model) + TUNING_SUFFIX)


def cpu_name() -> str:
    """The CPU's own name, or on ARM the numbers of its kinds of core: "0x41-0xd03 0x41-0xd09"."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    names = re.findall(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    makers = re.findall(r"^CPU implementer\s*:\s*(\S+)$", text, re.MULTILINE)
    parts = re.findall(r"^CPU part\s*:\s*(\S+)$", text, re.MULTILINE)
    kinds = sorted({"-".join(pair) for pair in zip(makers, parts)} or set(names))
    return " ".join(kinds) or platform.machine()


def sha256(model: str | os.PathLike[str]) -> str:
    """Of a file's content."""
    return hashlib.sha256(Path(model).read_bytes()).hexdigest()


def here(model: str | os.PathLike[str], isa: str, threads: int, kernels: Mapping[int, str]) -> Tuning:
    """A tuning of this model file for this machine and process."""
    return Tuning(sha256(model), cpu_name(), isa, __version__, threads, dict(kernels))


def write(model: str | os.PathLike[str], tuning: Tuning) -> Path:
    """Puts the file beside the model, whole or not at all; `BackendError` if that cannot be."""
    path = path_beside(model)
    values = {"format": _FORMAT, **asdict(tuning)}
    values["kernels"] = {str(node): kernel for node, kernel in tuning.kernels.items()}
    part = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        part.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as problem:
        part.unlink(missing_ok=True)
        raise BackendError(f"{path} cannot be written: {problem.strerror}") from None
    return path


def kernels_for(model: str, isa: str) -> Mapping[int, str]:
    """The kernels to use for a model file in this process: none if it has no tuning that fits."""
    path = path_beside(model)
    if not path.is_file():
        return {}
    try:
        return _read(path, model, isa).kernels
    except (OSError, ValueError, RecursionError) as problem:
        ignored(path, str(problem))
        return {}


def ignored(path: Path, why: str) -> None:
    """Warns that a file is left aside."""
    warnings.warn(f"{path} is not used: {why}; `edge-sdk tune` makes a new one", TuningWarning, stacklevel=5)


def _read(path: Path, model: str, isa: str) -> Tuning:
    """The file's tuning; `ValueError` says what is wrong with it or where it is not for here."""
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError("it is damaged: too long for a tuning")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise ValueError(f"it is damaged: {problem}") from None
    tuning = _parsed(values)
    for what, found, wanted in (
        ("version", tuning.version, __version__),
        ("CPU", tuning.cpu, cpu_name()),
        ("instruction set", tuning.isa, isa),
    ):
        if found != wanted:
            raise ValueError(f"it is for the {what} {found!r}, this is {wanted!r}")
    if tuning.model_sha256 != sha256(model):
        raise ValueError("it is for another model: the file beside it has changed")
    return tuning


def _parsed(values: Any) -> Tuning:
    if not isinstance(values, dict):
        raise ValueError("it is damaged: no object of JSON")
    if values.pop("format", None) != _FORMAT:
        raise ValueError(f"it is damaged, or of another format than {_FORMAT}")
    kinds = {"model_sha256": str, "cpu": str, "isa": str, "version": str, "threads": int, "kernels": dict}
    for key, kind in kinds.items():
        if type(values.get(key)) is not kind:
            raise ValueError(f"it is damaged: {key} is {values.get(key)!r}")
    kernels = values["kernels"]
    if not all(re.fullmatch(r"\d{1,9}", n) and isinstance(k, str) for n, k in kernels.items()):
        raise ValueError("it is damaged: kernels is no object of node numbers and names")
    return Tuning(**{**{k: values[k] for k in kinds}, "kernels": {int(n): k for n, k in kernels.items()}})
