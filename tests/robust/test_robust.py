"""Whatever a file holds, the answer is a good run or an error of ours: never a signal, never a hang."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="models are built with ai-edge-litert: pip install -e '.[test]'")

from .child import outcome, outcomes
from .models import MODELS
from .mutants import change_field, cut, flip
from .structure import change_structure

LIMIT = "but Limits.memory_bytes is"  # of a BackendError: the model is sound, and too large
GOOD = ("ran", "planned", "ModelError", "InputError")  # the last: an op refuses a value while running
SMALL_REAL = ("real/mlcommons+tiny/kws_ref_model", "real/espressif+esp-tflite-micro/hello_world")


def assert_survives(mutants: Iterable[tuple[str, bytes]]) -> list[str]:
    """All outcomes are good ones; returns them."""
    names, models = zip(*mutants)
    found = list(outcomes(models))
    bad = [f"{name}: {o}" for name, o in zip(names, found) if not o.startswith(GOOD) and LIMIT not in o]
    assert not bad, f"{len(bad)} of {len(found)}:\n" + "\n".join(bad[:10])
    return found


def mutants(name: str, model: bytes, count: int) -> list[tuple[str, bytes]]:
    """Cuts, and `count` each of flips, changed fields and changed structures; the same ones every time."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    fields = [change_field(model, rng) for _ in range(count)]
    return [
        *cut(model, 40, rng),
        *(flip(model, rng) for _ in range(count)),
        *(f for f in fields if f is not None),
        *(change_structure(model, rng) for _ in range(count)),
    ]


@pytest.mark.parametrize("name", MODELS)
def test_undamaged_model_runs(name: str) -> None:
    assert outcome(MODELS[name]()) == "ran"


@pytest.mark.parametrize("name", MODELS)
def test_damaged_model_is_survived(name: str) -> None:
    found = assert_survives(mutants(name, MODELS[name](), 200))
    assert sum(o.startswith("ModelError") for o in found) > 50  # the damage is damage


@pytest.mark.full
@pytest.mark.parametrize("name", MODELS)
def test_damaged_model_is_survived_many_times(name: str) -> None:
    assert_survives(mutants(f"{name} full", MODELS[name](), 3000))


@pytest.mark.full
@pytest.mark.parametrize("name", SMALL_REAL)
def test_damaged_real_model_is_survived(name: str, stash: Path) -> None:
    file = stash / f"{name}.tflite"
    assert_survives(mutants(name, file.read_bytes(), 1000))


@pytest.mark.full
def test_every_real_file_is_survived(stash: Path) -> None:
    """Among them are models of ops that we lack, encrypted ones, and some made to crash a reader."""
    assert_survives((file.name, file.read_bytes()) for file in sorted(stash.rglob("*.tflite")))


@pytest.mark.parametrize(
    "content", [b"", b"TFL3", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(1000), b"\xff" * 1000]
)
def test_what_is_no_model_is_a_model_error(content: bytes) -> None:
    assert outcome(content).startswith("ModelError: ")
