"""The measuring scripts: what they cut out, count and write down."""

from __future__ import annotations

import importlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CLOTHING = ROOT / "models" / "fashion_mnist" / "fashion_mnist_int8.tflite"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """script(name): a module of scripts/."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module


# --- instruction counts

FAKE_COUNTER = """#!{python}
import json, sys
command, cpu, site, module, model = sys.argv[1:]
assert command == "infer-count"
if cpu == "broken":
    sys.exit("no such cpu")
count = {{"cortex-a53": 300, "cortex-a76": 200, "max": 100}}[cpu] + (site != "-")
print("INFO: noise")
print(json.dumps({{"total": count, "dot": 7}}))
"""


@pytest.fixture
def bench_arm(tmp_path: Path) -> Any:
    """bench_arm(*arguments): the script with a counter that knows three CPUs."""
    counter = tmp_path / "counter"
    counter.write_text(FAKE_COUNTER.format(python=sys.executable))
    counter.chmod(0o755)
    (tmp_path / "site" / "edge_sdk").mkdir(parents=True)

    def run(*arguments: Any, counter: str | None = str(counter)) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "scripts" / "bench_arm.py"), *map(str, arguments)]
        command += ["--site", str(tmp_path / "site")]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "EDGE_ARMLAB": counter or ""}
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    return run


def test_the_last_line_has_whole_counts_by_cpu(bench_arm: Any) -> None:
    done = bench_arm(CLOTHING, "--twice")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "cortex-a53": {"edge": 301, "litert": 300},
        "cortex-a76": {"edge": 201, "litert": 200},
        "max": {"edge": 101, "litert": 100},
    }


def test_several_models_are_kept_apart(bench_arm: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.tflite"
    other.write_bytes(b"")
    done = bench_arm(CLOTHING, other, "--cpu", "max", "--json")
    assert json.loads(done.stdout) == {
        "fashion_mnist_int8": {"max": {"edge": 101, "litert": 100}},
        "other": {"max": {"edge": 101, "litert": 100}},
    }


def test_what_is_missing_for_counting_is_told(bench_arm: Any, tmp_path: Path) -> None:
    assert "EDGE_ARMLAB" in bench_arm(CLOTHING, counter=None).stderr
    assert "none.tflite" in bench_arm(tmp_path / "none.tflite").stderr
    broken = bench_arm(CLOTHING, "--cpu", "broken")
    assert broken.returncode == 1
    assert broken.stderr.splitlines()[-1].endswith("no such cpu")


def test_counts_are_written(script: Any, tmp_path: Path, monkeypatch: Any) -> None:
    module = script("bench_arm")
    page = tmp_path / "page.md"
    page.write_text(f"head\n{module.BEGIN}\nold\n{module.END}\ntail\n")
    monkeypatch.setattr(module, "PAGE", page)
    module.write({"m": {"max": {"edge": 20_000_000, "litert": 44_600_000}}})
    assert "| m | max | 20.0 | 44.6 | 2.23 |" in page.read_text()
    assert "old" not in page.read_text()
    assert page.read_text().endswith("tail\n")


@pytest.mark.arm
def test_counts_of_a_real_run_repeat(script: Any, arm_python: Any) -> None:
    site, armlab = ROOT / "build" / "armlab-site", os.environ["EDGE_ARMLAB"]
    module = script("bench_arm")
    first, second = (module.count(armlab, "cortex-a53", site, "edge", CLOTHING)["total"] for _ in range(2))
    assert first > 1_000_000
    assert second == pytest.approx(first, rel=1e-2)


# --- cycles of inner loops

ASSEMBLY = """
\t.text
_ZN4edge4gemm3runEv:
.LFB1:
\tmov\tx0, 0
.L2:
\tldr\tq1, [x1], 16
.L3:
\tldr\tq0, [x0], 16
\tsdot\tv2.4s, v0.16b, v1.16b
\tsmlal\tv3.8h, v0.8b, v1.8b
\tcmp\tx0, x2
\tbne\t.L3
\tcbnz\tx1, .L2
\tret
_ZN4edge4gemm4copyEv:
.L5:
\tldr\tq0, [x0], 16
\tb.ne\t.L5
.L6:
\tbl\tsmlal
\tmul\tv0.4s, v0.4s, v0.4s
\tb.ne\t.L6
"""


def test_innermost_multiplying_loops_are_cut_out(script: Any) -> None:
    (loop,) = script("mca").loops("gemm/arm_dotprod.cc", ASSEMBLY)
    assert (loop.function, loop.label, loop.isa) == ("_ZN4edge4gemm3runEv", ".L3", "dotprod")
    assert loop.instructions == 5
    assert loop.macs == 16 + 8
    assert script("mca").demangled([loop.function]) == {loop.function: "run"}


@pytest.mark.parametrize(
    ("op", "lanes", "macs"),
    [
        ("sdot", "4s", 16), ("sdot", "2s", 8), ("smmla", "4s", 32), ("smull", "8h", 8), ("smlal2", "8h", 8),
        ("smlal", "4s", 4), ("fmla", "4s", 4), ("mla", "8h", 8), ("sadalp", "4s", 0), ("smull", "2d", 0),
        ("sqrdmulh", "4s", 0), ("fmul", "4s", 0),
    ],
)  # fmt: skip
def test_products_of_an_instruction(script: Any, op: str, lanes: str, macs: int) -> None:
    assert script("mca").macs(op, lanes) == macs


def test_llvm_mca_measures_each_loop_by_itself(script: Any) -> None:
    tool = shutil.which("llvm-mca-19") or shutil.which("llvm-mca")
    if not tool:
        pytest.skip("llvm-mca is not installed")
    module = script("mca")
    chain = "\tfmla\tv0.4s, v1.4s, v2.4s\n"
    found = [module.Loop("gemm_f32/arm_neon.cc", "f", ".L1", f".L1:\n{chain * n}\tb.ne\t.L1") for n in (1, 8)]
    one, eight = module.cycles("cortex-a53", found, tool)
    assert eight == pytest.approx(8 * one, rel=0.2)  # each waits for the one before
    signed = module.Loop("gemm/arm_neon.cc", "f", ".L1", ".L1:\n\tmovi\tv0.16b, 0xffffffffffffff80\n\tb\t.L1")
    assert module.cycles("cortex-a53", [signed], tool)[0] > 0


def test_the_best_loop_of_each_file_is_written(script: Any, tmp_path: Path, monkeypatch: Any) -> None:
    module = script("mca")
    page = tmp_path / "page.md"
    page.write_text(f"head\n{module.BEGIN}\nold\n{module.END}\ntail\n")
    monkeypatch.setattr(module, "PAGE", page)
    entry = {"file": "gemm/arm_neon.cc", "loop": ".L1", "instructions": 9, "macs": 64}
    cpus = {"cortex-a53": {"cycles": 20.5, "macs_per_cycle": 3.12, "of_plain": 1.25}}
    slower = {"cortex-a53": {"cycles": 60.0, "macs_per_cycle": 1.07, "of_plain": None}}
    module.write([{**entry, "function": "slow", "cpus": slower}, {**entry, "function": "fast", "cpus": cpus}])
    text = page.read_text()
    assert "| gemm/arm_neon.cc | fast | 9 | 64 | 20.5 / 3.12 (1.25) |" in text
    assert "slow" not in text
    assert "old" not in text
    assert text.startswith("head\n")
    assert text.endswith("tail\n")


# --- tables, plots, means


def row(script: Any, name: str, kind: str = "integer", **figures: float) -> Any:
    values = {
        "ours_1": 2.0, "litert_1": 4.0, "ours_2": 1.0, "litert_2": 3.0, "disturbed_2": 1.01, "busy": 1.1,
        "ours_mib": 5.0, "litert_mib": 10.0, "share_of_peak": 0.5, "reference": 0.0,
    }  # fmt: skip
    return script("bench_report").Row(name, kind, **{**values, **figures})


def test_no_ratio_counts_more_than_four_in_the_mean(script: Any) -> None:
    report = script("bench_report")
    assert report.geomean([1.0, 100.0]) == pytest.approx(2.0)
    assert report.geomean([]) == 0
    rows = [row(script, "a", ours_1=4.0), row(script, "tf2_mobilenet_v2", litert_1=40.0)]
    refused = report.Row("c", "float", refused="no such op")
    found = report.summary([*rows, refused])
    assert found["integer"]["geomean_1"] == 2.0
    assert found["integer"]["min_1"] == 1.0
    assert found["integer"]["min_2"] == 3.0
    assert found["float"] == {**found["float"], "models": 0, "cannot_run": ["c"]}
    assert found["share_of_peak"] == {"tf2_mobilenet_v2": 0.5}


def test_page_plot_and_reference_are_written(script: Any, tmp_path: Path) -> None:
    report = script("bench_report")
    (tmp_path / "docs").mkdir()
    (tmp_path / "boards").mkdir()
    page = tmp_path / "docs" / "performance.md"
    page.write_text(f"# Title\n{report.BEGIN}\nold\n{report.END}\ntail\n")
    machine = report.Machine("toaster-neon", "Toaster", "neon", 100.0, 200.0, 10)
    rows = [row(script, "a<b"), row(script, "f", "float"), report.Row("c", "float", refused="no such op")]
    files = report.write(tmp_path, machine, rows)
    assert [f.name for f in files] == ["performance.md", "performance.svg", "toaster-neon.json"]
    text = page.read_text()
    assert text.startswith("# Title\n")
    assert text.endswith("tail\n")
    assert "old" not in text
    assert "| a<b | 2.000 | 4.000 | 2.00 |" in text
    assert "cannot run: no such op" in text
    drawing = ElementTree.parse(files[1])
    words = [t.text for t in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a<b", "2.00", "3.00"} <= set(words)
    kept = json.loads(files[2].read_text())
    assert kept["models"]["a<b"]["litert_1"] == 4.0
    assert set(kept["models"]) == {"a<b", "f"}


def test_a_model_that_does_not_load_is_a_row_with_the_reason(script: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"no model")
    found = script("bench_models").row(broken, "integer", 1)
    assert "broken.tflite" in found.refused
    assert found.line().startswith("| broken | cannot run: ")


def test_without_the_test_models_our_own_are_measured(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    command = [sys.executable, str(ROOT / "scripts" / "bench_models.py"), "fashion", "--runs", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "EDGE_SDK_TEST_MODELS": str(tmp_path / "none")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["integer"]["models"] >= 1
    refused = subprocess.run([*command, "--write"], env=environment, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "all models" in refused.stderr


def test_a_model_is_measured_into_a_row(script: Any) -> None:
    pytest.importorskip("ai_edge_litert")
    found = script("bench_models").row(CLOTHING, "float", 3)
    assert found.refused == ""
    assert found.ratio_1 > 0
    assert found.ratio_2 > 0
    assert found.reference == 0
    assert found.ours_mib > 0


# --- soak


def test_soak_sees_memory_and_files_that_stay(
    script: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    soak = script("soak")
    arguments = ["soak.py", "--minutes", "0.2", "--json", str(CLOTHING)]
    monkeypatch.setattr(sys, "argv", arguments)
    # A clock that goes on by a second a round: as many rounds on any machine.
    monkeypatch.setattr(soak, "time", SimpleNamespace(monotonic=itertools.count().__next__))
    soak.main()  # whether memory is flat depends on the allocator: a sanitizer's keeps what is freed
    report = json.loads(capsys.readouterr().out)
    assert report["rounds"] == 11
    assert report["handles"][0] == report["handles"][1]

    monkeypatch.setattr(soak, "use", lambda path: None)
    assert soak.main() == 0
    kept: list[Any] = []
    monkeypatch.setattr(soak, "use", lambda path: kept.append(os.dup(0)))
    assert soak.main() == 1
    for file in kept:
        os.close(file)

    kept = []
    monkeypatch.setattr(soak, "use", lambda path: kept.append(bytearray(b"\1" * (4 << 20))))
    assert soak.main() == 1
