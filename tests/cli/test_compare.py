"""edge-sdk compare: versions of a model side by side."""

from __future__ import annotations

import csv
import functools
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import edge_sdk
from edge_sdk import energy
from edge_sdk.cli import main
from edge_sdk.errors import InputError
from edge_sdk.optimize import compare, gate, pareto
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
    written = "--png", picture, "--html", page, "--csv", sheet, "--meter", "none"
    status, found = run(capsys, FLOAT, INT8, str(worse), "--data", samples, *written)
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
    assert (first["joules"], first["energy"]["joules"]) == (None, None)
    assert first["energy"]["reason"] == "nobody asked for it"
    assert any("40 samples tell top-1 to about 8.5 points" in note for note in found["notes"])
    colours = Image.open(picture).convert("RGB").getcolors(1 << 20)
    assert colours is not None
    assert len(colours) > 100
    text = Path(page).read_text()
    assert text.count("<circle") == 3
    assert "http" not in text  # it needs nothing from elsewhere
    with open(sheet, newline="") as file:
        assert [row["model"] for row in csv.DictReader(file)] == [r["name"] for r in found["rows"]]


def test_energy_is_a_column_where_there_is_a_meter(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = functools.partial(energy.measure, seconds=0.02, idle_s=0.02)
    monkeypatch.setattr("edge_sdk.cli.compare.measure", short)
    rising = "".join(f"{t / 100},{(t / 100) ** 2}\n" for t in range(10_000))  # above idle at any time
    (tmp_path / "meter.csv").write_text(f"time_s,joule\n{rising}")
    meter = "--meter", f"replay:{tmp_path}/meter.csv"
    status, found = run(capsys, FLOAT, INT8, *meter, "--gate", "energy<=1uJ")
    assert status == 1
    for row in found["rows"]:
        known = row["energy"]
        above = (known["watts"] - known["idle_watts"]) * known["seconds"] / known["runs"]
        assert row["joules"] == pytest.approx(above)
        assert known["method"] == "energy counter read at both ends"
    assert "misses energy<=1uJ: it is" in found["missed"][0]
    assert main(["compare", FLOAT, *meter]) == 0
    said = capsys.readouterr().out
    assert "mJ per inference above idle (replay: " in said
    assert main(["compare", FLOAT, "--meter", "abacus"]) == 2
    assert "no meter is named 'abacus'" in capsys.readouterr().err


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
    assert "misses energy<=1J: it was not measured" in found["missed"][1]


def test_a_drop_of_accuracy_is_not_known_without_labels(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = run(capsys, FLOAT, FLOAT, "--gate", "drop<=100")
    assert status == 1
    assert "misses drop<=100: there are no labels to tell it by" in found["missed"][0]


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


def test_models_with_other_results_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, samples: str
) -> None:
    graph = Graph(read(FLOAT))
    before_softmax = graph.op_inputs(graph.ops[-4])[0]  # a picture's features, no classes
    graph.main.outputs = np.array([before_softmax], np.int32)
    (tmp_path / "features.tflite").write_bytes(write(graph.tree))
    assert main(["compare", FLOAT, str(tmp_path / "features.tflite"), "--data", samples]) == 2
    assert "features gives other results than fashion_mnist_float" in capsys.readouterr().err


def test_integers_that_are_slower_than_floats_are_named() -> None:
    slow, quick = replace(row("a", 2.0, 0.9, 10)), replace(row("b", 1.0, 0.9, 10), numbers="float32")
    assert compare._slower([slow, quick]) == ["a is quantized, but slower than b: 2.000, 1.000 ms"]
    assert compare._slower([replace(slow, p50_ms=1.01), quick]) == []


def test_what_is_beaten_is_beaten_in_everything() -> None:
    best, large, slow, wrong = (
        row("best", 1, 0.9, 10), row("large", 1, 0.9, 11), row("slow", 1.1, 0.9, 10), row("wrong", 1, 0.8, 10)
    )  # fmt: skip
    quick, small = row("quick", 0.5, 0.8, 90), row("small", 3, 0.5, 5)
    rows = [best, large, slow, wrong, quick, small]
    beaten = {r.name: compare._beaten_by(r, rows) for r in rows}
    assert beaten == {
        "best": None,
        "large": "best",
        "slow": "best",
        "wrong": "best",
        "quick": None,
        "small": None,
    }
    costly = replace(best, name="costly", energy=replace(energy.not_measured(""), joules=2.0))
    thrifty = replace(slow, name="thrifty", energy=replace(energy.not_measured(""), joules=1.0))
    assert compare._beaten_by(thrifty, [costly, thrifty]) is None
    assert compare._beaten_by(slow, [costly, slow]) == "costly"  # what is not known of both does not count
    assert compare._beaten_by(costly, [costly, best]) is None
    assert compare._beaten_by(best, [best, replace(best, name="litert", arena_bytes=None)]) is None


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


def test_times_far_apart_have_a_logarithmic_axis() -> None:
    def discs(*times: float) -> tuple[list[float], str]:
        plan = pareto._layout(Comparison(tuple(row(f"m{t}", t, 0.9, 10) for t in times), 1, 10, "somewhere"))
        return [disc.x for disc in plan.discs], plan.x_title

    (a, b, c), title = discs(0.1, 1, 10)
    assert b - a == pytest.approx(c - b)
    assert "logarithmic" in title
    (a, b, c), title = discs(1, 2, 3)
    assert b - a == pytest.approx(c - b)
    assert "logarithmic" not in title
