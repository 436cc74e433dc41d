"""edge-sdk distill: mistakes are told in one line, before any work. Needs no PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_sdk.cli import main
from edge_sdk.errors import BackendError
from edge_sdk.optimize import train
from edge_sdk.optimize.data import random_samples
from edge_sdk.resources import folder

TEACHER = str(folder("models") / "motion" / "motion_float.tflite")
USUAL = {"--teacher": TEACHER, "--student": "mlp", "--data": "data.npz", "-o": "out.tflite"}


def told(capsys: pytest.CaptureFixture[str], **changed: str) -> str:
    """What the command says on its one line; option names without dashes."""
    options = {**USUAL, **{f"--{name}": value for name, value in changed.items()}}
    words = [word for pair in options.items() for word in pair]
    with pytest.raises(SystemExit) as end:  # as the script does, and argparse by itself
        sys.exit(main(["distill", *words]))
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(("name", "value", "says"), [
    ("teacher", "none.tflite", "there is no file none.tflite"),
    ("student", "none.py", "there is no file none.py"),
    ("student", "none.tflite", "there is no file none.tflite"),
    ("output", "no/such/out.tflite", "there is no folder no/such to write to"),
    ("quantize", "no/such/int8.tflite", "there is no folder no/such to write to"),
    ("epochs", "0", "--epochs 0: more than 0 is needed"),
    ("epochs", "nan", "--epochs nan: more than 0 is needed"),
    ("trials", "0", "'0' is no integer from 1 on"),
    ("augment", "shift,turn", "'shift,turn': it is one or more of shift, mirror"),
])  # fmt: skip
def test_mistakes(capsys: pytest.CaptureFixture[str], name: str, value: str, says: str) -> None:
    assert says in told(capsys, **{name: value})


def test_without_the_extra_the_line_to_type(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "pip install 'edge-sdk-runtime[train]'" in told(capsys)
    samples = random_samples((), 0)
    with pytest.raises(BackendError, match=r"PyTorch.*edge-sdk-runtime\[train\]"):
        train.fine_tune(Path(TEACHER).read_bytes(), samples)


def test_nothing_loads_torch_before_it_trains() -> None:
    show = (
        "import sys, edge_sdk.optimize.train, edge_sdk.cli.distill, edge_sdk.optimize.train.export; "
        "print([m for m in ('torch', 'litert_torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
