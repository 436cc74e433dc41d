"""PyTorch models as float .tflite: what the network computes is what the file computes; mistakes are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="not run for want of PyTorch (pip install '.[train]')")
pytest.importorskip("litert_torch", reason="not run for want of litert-torch (pip install '.[train]')")

import edge_sdk  # noqa: E402
from edge_sdk.cli import main  # noqa: E402
from edge_sdk.errors import EdgeError  # noqa: E402
from edge_sdk.optimize.train import from_torch  # noqa: E402

NETWORK = """
import torch
from torch import nn
from sizes import CLASSES

def model(input_shape=(1, 3, 12, 10)):
    print("a word to the user")
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5),
        nn.Linear(16 * 10 * 8, CLASSES),
    )
    net(torch.rand(8, 3, 12, 10))  # the batch norm gets a mean and a variance
    return net
"""


class Two(torch.nn.Module):  # type: ignore[misc]
    """Two inputs and two outputs that tell which is which."""

    def forward(self, a: Any, b: Any) -> tuple[Any, Any]:
        return a * 2, b.sum(-1)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NETWORK)
    Path("sizes.py").write_text("CLASSES = 4")
    x = np.random.default_rng(0).random((60, 3, 12, 10), np.float32)
    np.savez("data.npz", x=x)
    np.savez("nhwc.npz", x=x.transpose(0, 2, 3, 1))
    return tmp_path


def test_a_py_file_becomes_the_network_that_it_returns(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = edge_sdk.load(from_torch("net.py"))
    (given,), (made,) = model.inputs, model.outputs
    assert (given.name, given.shape, made.name, made.shape) == ("input", (1, 3, 12, 10), "output", (1, 4))
    monkeypatch.syspath_prepend(str(here))
    scope: dict[str, Any] = {}
    exec(NETWORK, scope)
    x = torch.rand(1, 3, 12, 10)
    with torch.no_grad():
        want = scope["model"]().eval()(x).numpy()  # without dropout, with the trained batch norm
    np.testing.assert_allclose(model.run(x.numpy())[0], want, atol=1e-6)


def test_quantize_prune_and_compress_take_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("litert_quantizer", reason="not run for want of litert-quantizer ('.[optimize]')")
    assert main(["quantize", "net.py", "-o", "q.tflite", "--data", "data.npz", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)  # and nothing of what the user's code prints
    assert told["model"] == "net.py"
    assert told["quality"]["measure"] == "difference"
    assert told["quality"]["after"] < 5
    assert edge_sdk.load("q.tflite").inputs[0].dtype == np.int8
    assert main(["prune", "net.py", "-o", "p.tflite", "--macs", "0.6", "--data", "data.npz"]) == 0
    assert edge_sdk.load("p.tflite").inputs[0].shape == (1, 3, 12, 10)
    words = ["--data", "data.npz", "--budget", "size<=12KB", "--epochs", "0", "--json"]
    assert main(["compress", "net.py", "-o", "c.tflite", *words]) == 0
    capsys.readouterr()
    assert Path("c.tflite.steps/net_float.tflite").exists()
    assert main(["quantize", "net.py", "-o", "x.tflite", "--data", "nhwc.npz"]) == 2
    assert "needs [samples, 3, 12, 10], the same sizes in this order of axes" in capsys.readouterr().err


def test_a_pt2_file_with_several_inputs_and_an_open_batch(here: Path) -> None:
    count = torch.export.Dim("count", min=1, max=64)
    examples = torch.zeros(4, 3), torch.zeros(4, 2, 5)
    program = torch.export.export(Two(), examples, dynamic_shapes=({0: count}, {0: count}))
    torch.export.save(program, "two.pt2")
    model = edge_sdk.load(from_torch("two.pt2"))
    assert [(s.name, s.shape) for s in model.inputs] == [("input_0", (1, 3)), ("input_1", (1, 2, 5))]
    assert [(s.name, s.shape) for s in model.outputs] == [("output_0", (1, 3)), ("output_1", (1, 2))]
    a, b = np.float32([[1, 2, 3]]), np.arange(10, dtype=np.float32).reshape(1, 2, 5)
    found = model.run({"input_0": a, "input_1": b})
    np.testing.assert_allclose(found[0], 2 * a)
    np.testing.assert_allclose(found[1], b.sum(-1))
    fixed = torch.export.export(Two(), (torch.zeros(4, 3), torch.zeros(4, 2, 5)))
    torch.export.save(fixed, "fixed.pt2")
    assert edge_sdk.load(from_torch("fixed.pt2")).inputs[0].shape == (4, 3)


def test_several_input_shapes_in_a_py_file(here: Path) -> None:
    code = "import torch\nclass Sum(torch.nn.Module):\n  def forward(self, a, b): return a + b\n"
    Path("sum.py").write_text(code + "def model(input_shape=[(1, 4), (1, 1)]): return Sum()\n")
    assert [s.shape for s in edge_sdk.load(from_torch("sum.py")).inputs] == [(1, 4), (1, 1)]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def model(input_shape=(1, 2):", "SyntaxError"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("raise SystemExit('usage: net.py')", "SystemExit: usage: net.py"),
        ("def net(): ...", "has no function model(input_shape="),
        ("def model(): ...", "does not say what shape its input has"),
        ("def model(input_shape): ...", "does not say what shape its input has"),
        ("def model(input_shape=(1, -3)): ...", "(1, -3) is no input shape"),
        ("def model(input_shape='1,3'): ...", "is no input shape"),
        ("def model(input_shape=(1, 3)): return {'w': 1}", "model() gives dict, not a torch.nn.Module"),
        ("def model(input_shape=(1, 3)): return open('no.pth')", "FileNotFoundError"),
        ("import torch\ndef model(input_shape=(1, 8, 8, 3)): return torch.nn.Conv2d(3, 4, 1)",
         "but got 8 channels instead; networks of torch mostly take [1, channels, height, width]"),
        ("import torch\ndef model(input_shape=(1, 3)): return torch.nn.Linear(4, 2)", "fails on [1, 3]"),
    ],
)  # fmt: skip
def test_mistakes_in_a_py_file_are_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], code: str, words: str
) -> None:
    Path("bad.py").write_text(code)
    assert main(["quantize", "bad.py", "-o", "out.tflite", "--mode", "dynamic"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("edge-sdk: quantize: bad.py")
    assert words in told
    assert told.count("\n") == 1
    assert not Path("out.tflite").exists()


def test_what_is_no_program_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"weight": torch.zeros(3)}, "weights.pt2")
    with pytest.raises(EdgeError, match=r"weights.pt2 is no program that torch.export.save has written"):
        from_torch("weights.pt2")
    Path("text.pt2").write_text("no archive")
    assert main(["prune", "text.pt2", "-o", "out.tflite", "--macs", "0.5"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
