"""Damage to the structure of a file: offsets, lengths, fields and vtables, by the fuzzers' own mutator."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SOURCE = Path(__file__).parents[2] / "native" / "fuzz" / "mutate.cc"


@cache
def _library() -> Any:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("not run for want of a C++ compiler, which builds native/fuzz/mutate.cc")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "mutate.so"
        include = f"-I{SOURCE.parents[1]}"
        flags = ["-std=c++17", "-O1", "-shared", "-fPIC", include]
        subprocess.run([compiler, *flags, "-o", str(library), str(SOURCE)], check=True)
        mutate = ctypes.CDLL(str(library)).edge_mutate
    mutate.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint32]
    mutate.restype = ctypes.c_size_t
    return mutate


def change_structure(model: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """One to three places of a model's structure changed."""
    seed = int(rng.integers(2**32))
    data = ctypes.create_string_buffer(model, len(model))
    assert _library()(data, len(model), seed) == len(model)
    return f"structure, seed {seed}", data.raw
