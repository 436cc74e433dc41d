"""Without the extras [optimize] and [train]: one line with what to type, status 2, and nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import edge_sdk
from edge_sdk.resources import folder

FLOAT = str(folder("models") / "fashion_mnist" / "fashion_mnist_float.tflite")
HIDDEN = (
    "import sys\n"
    "sys.modules.update(dict.fromkeys(sys.argv[1].split(',')))\n"  # None: importing it fails
    "from edge_sdk.cli import main\n"
    "sys.exit(main(sys.argv[2:]))\n"
)
FILES, QUANTIZER, TORCH = "ai_edge_litert,litert_quantizer", "litert_quantizer", "torch,litert_torch"


def without(modules: str, where: Path, *command: str) -> subprocess.CompletedProcess[str]:
    np.savez(where / "data.npz", x=np.random.default_rng(0).random((20, 28, 28, 1), np.float32))
    (where / "net.py").write_text(
        "import torch\ndef model(input_shape=(1, 3)): return torch.nn.Linear(3, 2)\n"
    )
    (where / "net.pt2").write_bytes(b"")
    run = [sys.executable, "-c", HIDDEN, modules, *command]
    tested = {**os.environ, "PYTHONPATH": str(Path(edge_sdk.__file__).parents[1])}
    return subprocess.run(run, cwd=where, env=tested, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("modules", "command", "words"),
    [
        (QUANTIZER, ["quantize", FLOAT, "--data", "data.npz"], "litert-quantizer"),
        (QUANTIZER, ["quantize", FLOAT, "--mode", "float16"], "litert-quantizer"),
        (QUANTIZER, ["compress", FLOAT, "--data", "data.npz", "--budget", "size<=1KB"], "litert-quantizer"),
        (FILES, ["quantize", FLOAT, "--mode", "dynamic"], "ai-edge-litert"),
        (FILES, ["prune", FLOAT, "--macs", "0.5"], "ai-edge-litert"),
        (FILES, ["prune", FLOAT, "--sparsity", "block"], "ai-edge-litert"),
        (TORCH, ["quantize", "net.py", "--mode", "dynamic"], "PyTorch"),
        (TORCH, ["quantize", "net.pt2", "--mode", "dynamic"], "PyTorch"),
        (TORCH, ["prune", "net.py", "--macs", "0.5"], "PyTorch"),
        (TORCH, ["compress", "net.py", "--data", "data.npz", "--budget", "size<=1KB"], "PyTorch"),
        (TORCH, ["prune", FLOAT, "--macs", "0.5", "--data", "data.npz", "--fine-tune"], "PyTorch"),
        (TORCH, ["prune", FLOAT, "--macs", "0.5", "--data", "data.npz", "--importance", "taylor"], "PyTorch"),
        (TORCH, ["distill", "--teacher", FLOAT, "--student", "mlp", "--data", "data.npz"], "PyTorch"),
    ],
)
def test_the_line_to_type(tmp_path: Path, modules: str, command: list[str], words: str) -> None:
    done = without(modules, tmp_path, *command, "-o", "out.tflite")
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    extra = "train" if modules == TORCH else "optimize"
    assert words in line
    assert line.endswith(f"pip install 'edge-sdk-runtime[{extra}]'")
    assert done.stdout == ""
    assert not (tmp_path / "out.tflite").exists()


def test_a_converter_that_is_missing_beside_torch(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="not run for want of PyTorch (pip install '.[train]')")
    done = without("litert_torch", tmp_path, "quantize", "net.py", "-o", "out.tflite", "--mode", "dynamic")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "litert-torch, which writes networks of PyTorch" in line
    assert line.endswith("pip install 'edge-sdk-runtime[train]'")


def test_distilling_to_int8_is_refused_before_the_training(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="not run for want of PyTorch (pip install '.[train]')")
    words = ["--teacher", FLOAT, "--student", "mlp", "--data", "data.npz", "--quantize", "int8.tflite"]
    done = without(QUANTIZER, tmp_path, "distill", *words, "-o", "out.tflite")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("pip install 'edge-sdk-runtime[optimize]'")


def test_compress_goes_without_training(tmp_path: Path) -> None:
    """PyTorch is a gain for it, no need: pruned versions are not fine-tuned, the student is left out."""
    pytest.importorskip("litert_quantizer", reason="compressing quantizes: pip install -e '.[optimize]'")
    words = ["--data", "data.npz", "--budget", "size<=1KB", "--student", "mlp"]
    done = without(TORCH, tmp_path, "compress", FLOAT, *words, "-o", "out.tflite")
    assert done.returncode == 3, done.stderr
    assert "left out: student: training needs PyTorch" in done.stdout
    assert done.stderr == ""
    assert (tmp_path / "out.tflite").exists()
