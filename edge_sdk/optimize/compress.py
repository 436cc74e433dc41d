"""The whole recipe: from a float model to the most accurate version that keeps to a budget.

Steps go from what costs least accuracy to what costs most, and stop at the first version that keeps to all
bounds: int8, a mix with int4, fewer channels in four steps (each learns from the original where PyTorch is
installed, and is quantized), at last a student that the original teaches. Each step leaves its file in a
folder and is not done again: an interrupted run goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edge_sdk.errors import EdgeError, InputError
from edge_sdk.optimize import gate
from edge_sdk.optimize.compare import Comparison, MeasureEnergy, Row, compare
from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.prune import FineTune, Target, prune
from edge_sdk.optimize.quantize import Settings, quantize
from edge_sdk.version import __version__

SHARES = (0.7, 0.5, 0.35, 0.25)  # of the multiply-accumulates that pruning leaves, one step after another
HELD_OUT = 0.2  # of the samples, where there are none to judge by
_MIX_DROP = 1.0  # percentage points for the mix, where the budget bounds no drop

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """How far to go."""

    epochs: float = 3.0  # of fine-tuning after each pruning; 0 leaves it out
    student: str | None = None  # what `distill` takes; None leaves that step out
    student_epochs: float = 10.0
    seed: int = 0
    augment: tuple[str, ...] = ()  # of `train.AUGMENTS`: what is done to pictures while training


@dataclass(frozen=True)
class Compressed:
    """What came of it."""

    comparison: Comparison  # of the original and all versions that were made
    chosen: str  # name of the best version
    file: Path
    missed: tuple[str, ...]  # the bounds that it does not keep, in words
    left_out: tuple[str, ...]  # steps that were not possible, and why

    def to_dict(self) -> dict[str, Any]:
        return {
            **self.comparison.to_dict(),
            **{k: getattr(self, k) for k in ("chosen", "missed", "left_out")},
        }


@dataclass(frozen=True)
class _Work:
    """What all steps share."""

    original: Path
    samples: Samples
    test: Samples
    folder: Path
    recipe: Recipe
    digest: str  # of the original and the samples
    tell: Tell

    def step(self, name: str, options: dict[str, Any], make: Callable[[], bytes]) -> Path:
        """The step's file; made only if there is none of the same original, samples and options."""
        path, note = self.folder / f"{name}.tflite", self.folder / f"{name}.json"
        key = hashlib.sha256(json.dumps([self.digest, name, options], sort_keys=True).encode()).hexdigest()
        if path.exists() and note.exists() and _key_of(note) == key:
            self.tell(f"{name}: made before")
            return path
        self.tell(name)
        content = make()
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
        note.write_text(json.dumps({"key": key, "options": options}) + "\n")
        return path


def compress(
    model: str | os.PathLike[str],
    samples: Samples,
    budget: tuple[gate.Bound, ...],
    folder: str | os.PathLike[str],
    test: Samples | None = None,
    recipe: Recipe | None = None,
    threads: int | None = 1,
    energy: MeasureEnergy | None = None,
    tell: Tell = lambda text: None,
) -> Compressed:
    """Makes versions of a float `.tflite` in `folder` until one keeps to `budget`.

    `test` are the samples that versions are judged by; by default a fifth of `samples`, which then takes no
    part in making them. Raises `InputError` where there are too few samples, and what the steps raise for
    the first of them; a later step that is not possible is left out and named.
    """
    if len(samples) < 10:
        raise InputError(f"{samples.origin} holds {len(samples)} samples: compressing needs ten at the least")
    judged = samples if test is None else test
    blind = [b.text for b in budget if b.what in gate.NEED_LABELS]
    if blind and judged.labels is None:
        raise InputError(f"{blind[0]} needs labels, and {judged.origin} has none: bound the agreement")
    recipe = recipe or Recipe()
    if test is None:
        test, samples = samples.split(HELD_OUT, recipe.seed)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    work = _Work(Path(model), samples, test, place, recipe, _digest(Path(model), samples), tell)
    files, left_out = [work.original], []
    found: Comparison | None = None
    for name, make in _steps(work, budget):
        try:
            files.append(make())
        except EdgeError as problem:
            if len(files) == 1:
                raise
            left_out.append(f"{name}: {problem}")
            continue
        tell("comparing")
        found = compare(files, test, threads, energy)
        if not gate.misses(budget, found, found.rows[-1]):
            break
    assert found is not None
    best = min(range(1, len(files)), key=lambda i: _distance(budget, found, found.rows[i]))
    row = found.rows[best]
    missed = tuple(gate.misses(budget, found, row))
    return Compressed(found, row.name, files[best], missed, tuple(left_out))


def _steps(work: _Work, budget: tuple[gate.Bound, ...]) -> Iterator[tuple[str, Callable[[], Path]]]:
    """Name and maker of each version, the least costly in accuracy first."""
    recipe, original = work.recipe, work.original.read_bytes()
    drop = min((b.value for b in budget if b.what == "drop"), default=_MIX_DROP)

    def small(name: str, source: Callable[[], bytes], settings: Settings) -> Path:
        return work.step(
            name, asdict(settings), lambda: quantize(source(), work.samples, settings, work.tell).model
        )

    yield "int8", lambda: small("int8", lambda: original, Settings())
    if any(b.what == "size" for b in budget):  # a mix is smaller, but not faster
        yield "mixed", lambda: small("mixed", lambda: original, Settings(max_drop=drop))
    trained = recipe.epochs > 0 and find_spec("torch") is not None
    for share in SHARES:
        name = f"pruned_{round(100 * share)}"
        options: dict[str, Any] = {"share": share, "epochs": recipe.epochs if trained else 0}
        options |= {"seed": recipe.seed, "augment": recipe.augment}

        def thin(share: float = share, name: str = name, options: dict[str, Any] = options) -> bytes:
            tune = FineTune(recipe.epochs, recipe.seed, recipe.augment) if trained else None

            def make() -> bytes:
                return prune(
                    original, Target("macs", share), work.samples, fine_tune=tune, progress=work.tell
                ).model

            return work.step(name, options, make).read_bytes()

        def both(name: str = name, thin: Callable[[], bytes] = thin) -> Path:
            return small(f"{name}_int8", thin, Settings())

        yield name, both
    if recipe.student is not None:
        yield "student", lambda: small("student_int8", lambda: _student(work, original), Settings())


def _student(work: _Work, teacher: bytes) -> bytes:
    recipe = work.recipe
    assert recipe.student is not None
    options = {"student": recipe.student, "epochs": recipe.student_epochs, "seed": recipe.seed}
    options |= {"augment": recipe.augment}

    def make() -> bytes:
        from edge_sdk.optimize import train

        train.need_torch()
        from edge_sdk.optimize.train.distill import distill

        return distill(
            teacher, str(recipe.student), work.samples, work.test, recipe.student_epochs, seeds=1,
            augment=recipe.augment,
            say=lambda what, done, total: work.tell(what) if not done else None,
        ).model  # fmt: skip

    return work.step("student", options, make).read_bytes()


def _distance(budget: tuple[gate.Bound, ...], found: Comparison, row: Row) -> tuple[float, float]:
    """How far a version is from the budget, and among those within it how much accuracy is lost."""
    return max((b.excess(found, row) for b in budget), default=0.0), -row.score


def _digest(model: Path, samples: Samples) -> str:
    digest = hashlib.sha256(model.read_bytes() + __version__.encode())
    for array in (*samples.inputs, *([] if samples.labels is None else [samples.labels])):
        digest.update(str((array.dtype, array.shape)).encode())
        digest.update(memoryview(array.tobytes()))
    return digest.hexdigest()


def _key_of(note: Path) -> str | None:
    try:
        found = json.loads(note.read_text())
    except (OSError, ValueError):
        return None
    return found.get("key") if isinstance(found, dict) else None
