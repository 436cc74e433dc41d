"""edge-sdk compare: versions of a model side by side."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import edge_sdk
from edge_sdk.cli import main
from edge_sdk.errors import InputError
from edge_sdk.optimize import gate, pareto
from edge_sdk.optimize.compare import Comparison, Row
from edge_sdk.optimize.graph import Graph
from edge_sdk.optimize.tflite_file import read, write
from edge_sdk.resources import folder

FOLDER = folder("models") / "fashion_mnist"
FLOAT, INT8 = str(FOLDER / "fashion_mnist_float.tflite"), str(FOLDER / "fashion_mnist_int8.tflite")
PICTURES = folder("examples") / "data" / "clothing"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The example pictures with their labels, which stand in their names."""
    labels = [re.sub("[ /]", "_", label.lower()) for label in edge_sdk.load(FLOAT).labels]
    files = sorted(PICTURES.glob("*.png"))
    pixels = np.stack([np.asarray(Image.open(f).convert("L")) for f in files])
    path = tmp_path_factory.mktemp("samples") / "clothing.npz"
    np.savez(path, x=pixels, y=np.array([labels.index(f.stem.partition("_")[2]) for f in files]))
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    status = main(["compare", *arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_two_versions_and_all_that_is_written_of_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, samples: str
) -> None:
    picture, page, sheet = (str(tmp_path / name) for name in ("p.png", "p.html", "p.csv"))
    worse = tmp_path / "worse.tflite"  # as large and as slow, but it always says the same
    graph = Graph(read(FLOAT))
    *_, (_, head) = graph.layers()
    graph.set_constant(graph.op_inputs(head)[2], np.array([1e6, *[0] * 9], np.float32))
    worse.write_bytes(write(graph.tree))
    status, found = run(
        capsys, FLOAT, INT8, str(worse), "--data", samples, "--png", picture, "--html", page, "--csv", sheet
    )
    assert status == 0
    first, second, third = found["rows"]
    assert [row["numbers"] for row in found["rows"]] == ["float32", "int8", "float32"]
    assert first["accuracy"]["top-1"] >= 0.9
    assert second["accuracy"]["top-1"] == 38 / 40  # as the card says
    assert second["bytes"] < first["bytes"] / 3
    assert 0 < second["arena_bytes"] < first["arena_bytes"]
    assert third["accuracy"]["top-1"] == 0.1
    assert third["beaten_by"] is not None
    assert second["beaten_by"] is None
    assert first["joules"] is None
    assert first["energy"]
    colours = Image.open(picture).convert("RGB").getcolors(1 << 20)
    assert colours is not None
    assert len(colours) > 100
    text = Path(page).read_text()
    assert text.count("<circle") == 3
    assert "http" not in text  # it needs nothing from elsewhere
    with open(sheet, newline="") as file:
        assert [row["model"] for row in csv.DictReader(file)] == [r["name"] for r in found["rows"]]


def test_without_data_it_says_what_it_cannot_tell(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = run(capsys, FLOAT, INT8)
    assert status == 0
    assert found["measure"] == "agreement"
    assert any("no --data" in note for note in found["notes"])
    assert any("no labels" in note for note in found["notes"])


def test_the_gate_decides_the_exit_status(capsys: pytest.CaptureFixture[str], samples: str) -> None:
    assert run(capsys, FLOAT, INT8, "--data", samples, "--gate", "size<=100KB drop<=50")[0] == 0
    status, found = run(capsys, FLOAT, INT8, "--data", samples, "--gate", "size<=10KB, energy<=1J")
    assert status == 1
    assert ["size<=10KB" in line for line in found["missed"]] == [True, False]
    assert "is not known" in found["missed"][1]


@pytest.mark.parametrize("text", ["", "drop", "drop<5", "speed<=5ms", "latency<=5KB", "size<=a", "drop<=1;"])
def test_a_bad_gate_is_named(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError):
        gate.parse(text)
    if text:
        assert main(["compare", FLOAT, "--gate", text]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_bounds_have_units() -> None:
    bounds = gate.parse("latency<=5ms,p95<=0.1s size<=100KiB accuracy>=90% energy<=2mJ")
    assert [b.value for b in bounds] == pytest.approx([5, 100, 102400, 0.9, 0.002])
    assert [b.least for b in bounds] == [False, False, False, True, False]


def test_models_with_other_inputs_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    other = str(folder("models") / "motion" / "motion_float.tflite")
    assert main(["compare", FLOAT, other]) == 2
    assert "motion_float takes other inputs" in capsys.readouterr().err


def row(name: str, ms: float, score: float, size: int) -> Row:
    return Row(name, "int8", size, size, ms, ms, {"top-1": score}, 1.0)


def test_the_front_is_what_no_other_beats_in_both() -> None:
    rows = row("a", 1, 0.8, 10), row("b", 2, 0.7, 5), row("c", 3, 0.9, 90), row("d", 4, 0.95, 400)
    found = Comparison(rows, 1, 10, "somewhere")
    assert [r.name for r in pareto.front(found)] == ["a", "c", "d"]


def test_labels_of_models_that_are_alike_do_not_cover_one_another() -> None:
    rows = tuple(row(f"model_{i}", 1 + 0.02 * i, 0.9 + 0.001 * i, 80_000) for i in range(4))
    plan = pareto._layout(Comparison(rows, 1, 10, "somewhere"))
    boxes = [(x, y - 13, x + 100, y + 18) for x, y in (disc.label for disc in plan.discs)]
    assert sum(pareto._overlap(a, b) > 0 for i, a in enumerate(boxes) for b in boxes[:i]) == 0
