"""What `edge_sdk.bench` reports: the order of runs, the judgement of results, who cannot run and why."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import GraphBuilder

from edge_sdk import bench
from edge_sdk.bench import peers
from edge_sdk.bench.inputs import difference
from edge_sdk.bench.neighbour import neighbour
from edge_sdk.bench.peers.native import Native
from edge_sdk.bench.rounds import INPUTS
from edge_sdk.errors import BackendError, InputError, ModelError

ROOT = Path(__file__).resolve().parent.parent.parent
CLOTHING = ROOT / "models" / "fashion_mnist" / "fashion_mnist_int8.tflite"


class Witness(Native):
    """Our own runtime, which writes down what is done to it, and whose results are off by `error`."""

    seen: list[tuple[str, bytes]] = []  # noqa: RUF012
    error = 0

    def __init__(self, model: peers.ModelFile, threads: int) -> None:
        super().__init__(model, threads)
        self.invoke, self.run = self.run, self.note

    def write(self, arrays: Sequence[Any]) -> None:
        super().write(arrays)
        self.written = b"".join(a.tobytes() for a in arrays)

    def note(self) -> None:
        self.seen.append((type(self).__name__, self.written))
        self.invoke()

    def outputs(self) -> list[Any]:
        first, *others = super().outputs()
        first.flat[0] += self.error * (1 if first.flat[0] < 0 else -1)
        return [first, *others]


class Ours(Witness):
    """The one under test."""


class Liar(Witness):
    """Wrong by three codes in one element."""

    error = 3


@pytest.fixture
def witnesses(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    monkeypatch.setitem(peers._OWN, "native", f"{__name__}:Ours")
    monkeypatch.setitem(peers.PEERS, "liar", f"{__name__}:Liar")
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _this())
    monkeypatch.setattr(Witness, "seen", [])
    return Witness.seen


def _this() -> Any:
    """This module, which pytest keeps out of sys.modules."""
    module = type(sys)(__name__)
    vars(module).update(globals())
    return module


def test_runtimes_take_turns_on_the_same_changing_inputs(witnesses: list[tuple[str, bytes]]) -> None:
    found = bench.measure(CLOTHING, ["liar"], threads=1, runs=6, check=False)
    assert [t.backend for t in found.timings] == ["native", "liar"]
    assert [t.runs for t in found.timings] == [6, 6]
    rounds = witnesses[2:14]  # after the first run of each
    assert [who for who, _ in rounds] == ["Ours", "Liar"] * 6
    inputs = [data for _, data in rounds]
    assert inputs[::2] == inputs[1::2]
    assert len(set(inputs)) == INPUTS
    # Then each by itself.
    assert [who for who, _ in witnesses[14:]] == ["Ours"] * 7 + ["Liar"] * 7


def test_a_wrong_result_is_told_in_codes(witnesses: list[tuple[str, bytes]]) -> None:
    found = bench.measure(CLOTHING, ["liar"], threads=1, runs=1)
    (liar,) = [a for a in found.agreements if a.backend == "liar"]
    assert liar.greatest == 3
    assert liar.inputs == INPUTS


def test_integers_equal_those_of_the_reference_kernels() -> None:
    pytest.importorskip("ai_edge_litert")
    found = bench.measure(CLOTHING, ["litert"], threads=1, runs=2)
    of = {a.backend: a for a in found.agreements}
    assert of["reference"].integer
    assert of["reference"].greatest == 0
    assert of["litert"].greatest <= 1
    assert found.ratios["litert"] > 0
    assert found.refusals == ()


@pytest.mark.parametrize(("name", "suffix"), [("onnxruntime", ".onnx"), ("ncnn", ".param")])
def test_a_runtime_that_reads_no_tflite_says_what_it_needs(
    name: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, type(sys)(name))
    found = bench.measure(CLOTHING, [name], threads=1, runs=1, check=False)
    assert [t.backend for t in found.timings] == ["native"]
    (refusal,) = found.refusals
    assert refusal.backend == name
    assert "reads no .tflite" in refusal.reason
    assert refusal.reason.endswith(f"fashion_mnist_int8{suffix}")


@pytest.mark.parametrize("name", ["openvino", "mnn", "ncnn", "onnxruntime"])
def test_a_runtime_that_is_not_installed_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, {"mnn": "MNN"}.get(name, name), None)  # makes the import fail
    (refusal,) = bench.measure(CLOTHING, [name], threads=1, runs=1, check=False).refusals
    assert "pip install" in refusal.reason


def test_openvino_runs_the_model() -> None:
    pytest.importorskip("openvino")
    found = bench.measure(CLOTHING, ["openvino"], threads=1, runs=2)
    assert [t.backend for t in found.timings] == ["native", "openvino"]
    assert any(a.backend == "openvino" for a in found.agreements)


def test_mnn_runs_the_model_or_says_why_not() -> None:
    pytest.importorskip("MNN")
    found = bench.measure(CLOTHING, ["mnn"], threads=1, runs=2)
    told = [*found.timings[1:], *(r for r in found.refusals if r.reason)]
    assert [x.backend for x in told] == ["mnn"]


RELU = "7767517\n2 2\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0\n"


def test_ncnn_runs_the_converted_model_beside(tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    g = GraphBuilder()
    x, y = g.input((1, 4, 5, 3), "float32"), g.tensor((1, 4, 5, 3), "float32")
    g.op("RELU", [x], [y])
    (tmp_path / "m.tflite").write_bytes(g.build(outputs=[y]))
    (tmp_path / "m.param").write_text(RELU)
    (tmp_path / "m.bin").write_bytes(b"")
    found = bench.measure(tmp_path / "m.tflite", ["ncnn"], threads=1, runs=2)
    assert found.refusals == ()
    (ncnn,) = [a for a in found.agreements if a.backend == "ncnn"]
    assert ncnn.greatest == 0


def test_whatever_a_runtime_raises_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peers.PEERS, "odd", "json:loads")  # a TypeError: it takes no model
    (refusal,) = bench.measure(CLOTHING, ["odd"], threads=1, runs=1, check=False).refusals
    assert refusal.backend == "odd"
    assert refusal.reason


def test_unknown_runtimes_and_missing_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="toaster"):
        bench.measure(CLOTHING, ["toaster"])
    with pytest.raises(ModelError, match=r"none\.tflite"):
        bench.measure(tmp_path / "none.tflite")


@pytest.mark.parametrize(
    ("ours", "theirs", "apart"),
    [
        (np.int8([1, -128]), np.int8([1, 127]), 255),
        (np.uint8([0, 255]), np.uint8([0, 255]), 0),
        (np.float32([1, 2]), np.float32([1, 4]), 0.5),
        (np.float32([np.nan, np.inf]), np.float32([np.nan, np.inf]), 0),
        (np.float32([np.nan, 1]), np.float32([2, 1]), np.inf),
        (np.float32([np.inf]), np.float32([-np.inf]), np.inf),
        (np.zeros((1, 2)), np.zeros((2, 1)), np.inf),
        (np.zeros(0), np.zeros(0), 0),
    ],
)  # fmt: skip
def test_difference(ours: Any, theirs: Any, apart: float) -> None:
    assert difference([ours], [theirs]) == apart


def test_the_profile_covers_every_step_and_knows_the_peak_of_its_type() -> None:
    peaks = {"int8": bench.Peak("int8", "k", 1, 1000.0)}
    steps = bench.profile(CLOTHING, threads=1, runs=2, measured=peaks)
    assert sum(s.share for s in steps) == pytest.approx(1)
    conv = next(s for s in steps if s.op == "CONV_2D")
    assert conv.share_of_peak == pytest.approx(conv.gmac_per_s / 1000)
    assert conv.macs > 0
    assert all(s.share_of_peak is None for s in steps if not s.kernel)


@pytest.mark.parametrize(
    ("kernels", "share"),
    [(["gemm_f32_8x48_avx512vnni", "average_i8_avx2"], 0.5), (["gemm_x8w8_6x64c4_avx512vnni", ""], 0.05)],
)
def test_the_share_of_the_whole_model_is_that_of_its_own_type(kernels: list[str], share: float) -> None:
    peaks = {t: bench.Peak(t, "k", 1, rate) for t, rate in (("int8", 200.0), ("float32", 20.0))}
    macs = (9_000_000, 1_000_000)
    steps = [
        bench.StepTiming("OP", k, (i,), n, 0.5, 0.5, None) for i, (k, n) in enumerate(zip(kernels, macs))
    ]
    assert bench.share_of_peak(steps, 1.0, peaks) == pytest.approx(share)
    assert bench.share_of_peak(steps, 1.0, {}) is None
    assert bench.share_of_peak([], 1.0, peaks) is None


def test_peaks_name_kernel_and_threads() -> None:
    peaks = bench.peaks(1)
    assert peaks["int8"].gmac_per_s > 0
    assert peaks["int8"].kernel.startswith("peak_")
    assert {p.threads for p in peaks.values()} == {1}


def test_memory_is_that_of_another_process() -> None:
    found = bench.memory(CLOTHING, "native", 1)
    assert 0 < found.added_mib < found.peak_mib
    with pytest.raises(BackendError, match=r"none\.tflite"):
        bench.memory("none.tflite")


def test_reference_figures_are_those_of_this_class_of_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = bench.machine_class()
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    monkeypatch.setattr("edge_sdk.resources.folder", lambda _: tmp_path)
    assert bench.reference("m", 1) is None
    (tmp_path / "reference").mkdir()
    figures = {"m": {"ours_1": 1.5, "litert_1": 3.0, "ours_2": 1.0, "litert_2": 2.0}}
    (tmp_path / "reference" / f"{name}.json").write_text(json.dumps({"machine": {}, "models": figures}))
    assert bench.reference("m", 1) == (1.5, 3.0)
    assert bench.reference("m", 2) == (1.0, 2.0)
    assert bench.reference("m", 4) is None
    assert bench.reference("other", 1) is None


def test_the_neighbour_loads_its_cpu_and_leaves() -> None:
    cpu = max(os.sched_getaffinity(0))
    with neighbour() as pid:
        assert os.sched_getaffinity(pid) == {cpu}
        before = os.times().elapsed, spent(pid)
        while spent(pid) == before[1]:
            assert os.times().elapsed < before[0] + 30, "the neighbour does nothing"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def spent(pid: int) -> int:
    """Clock ticks of user time that a process has had."""
    return int(Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[11])


def test_busy_gives_both_thread_counts() -> None:
    found = bench.busy(CLOTHING, runs=3)
    assert found.runs == 3
    assert found.ratio == pytest.approx(found.one_ms / found.two_ms)
