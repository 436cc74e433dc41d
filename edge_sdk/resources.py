"""Where the data files of the project are: board profiles, models, example inputs."""

from __future__ import annotations

from pathlib import Path

from edge_sdk.errors import EdgeError

TUNING_SUFFIX = ".tune.json"  # of the file beside a model file that `edge_sdk.tuning` reads and writes
_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder `boards`, `models` or `examples/data`, in the installed package or else in the checkout."""
    for base in (_PACKAGE / "_data", _PACKAGE.parent):
        if (base / name).is_dir():
            return base / name
    raise EdgeError(f"{name}/ is missing beside {_PACKAGE}: install edge-sdk-runtime again")
