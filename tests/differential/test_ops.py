"""Every op on random shapes and parameters: integers equal LiteRT's reference bit for bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ai_edge_litert", reason="the reference is ai-edge-litert: pip install -e '.[test]'")

from .harness import REGISTRY, cases_from_environment, load_generators, run_cases

load_generators()

SAMPLE = 15  # cases of each op and kind in the default run
FULL = 500
TWINS = (
    *("SUBTRACT", "DIVIDE", "REMAINDER", "POWER", "OR", "NEGATE", "ABS", "FLOOR", "EXPONENTIAL", "LOG"),
    *("RSQRT", "CBRT", "COSINE", "TANH", "LOGISTIC", "COMPARE", "SELECT", "CLAMP", "CONVERT", "RESHAPE"),
    *("TRANSPOSE", "CONCATENATE", "SLICE", "DYNAMIC_SLICE", "DYNAMIC_UPDATE_SLICE", "BROADCAST_IN_DIM"),
    "IOTA",
)
NOT_IN_REFERENCE = {
    *("CEIL", "Convolution2DTransposeBias"),  # test_beyond_reference.py
    # test_calls.py
    *("CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "STABLEHLO_COMPOSITE"),
    # test_stablehlo_twins.py
    *(f"STABLEHLO_{op}" for op in TWINS),
    # test_custom_vision.py
    *("PosenetDecoderOp", "Landmarks2TransformMatrix", "TransformLandmarks", "TransformTensorBilinear"),
    *("MaxPoolingWithArgmax2D", "MaxUnpooling2D", "LiteRtMaxUnpooling2D"),
    # test_custom_audio.py
    *("SignalWindow", "SignalFftAutoScale", "SignalRfft", "SignalEnergy", "SignalFilterBank", "SignalPCAN"),
    *("SignalFilterBankSquareRoot", "SignalFilterBankSpectralSubtraction", "SignalFilterBankLog"),
}


@pytest.mark.parametrize("name", REGISTRY)
def test_op(name: str) -> None:
    run_cases(REGISTRY[name], cases_from_environment(SAMPLE))


@pytest.mark.full
@pytest.mark.parametrize("name", REGISTRY)
def test_op_many_times(name: str) -> None:
    run_cases(REGISTRY[name], cases_from_environment(FULL))


@pytest.mark.parametrize("isa", ["scalar", "avx2"])
def test_ops_on_lower_isa(isa: str) -> None:
    """The same sample in a process of its own, where EDGE_ISA lowers the choice of kernels."""
    from edge_sdk import _native

    if isa not in ("scalar", *_native.detected_isas()):
        pytest.skip(f"this CPU has no {isa}")
    tests = [f"{__file__}::{name}" for name in ("test_isa_in_use", "test_op")]
    command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", *tests]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "EDGE_ISA": isa}
    result = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-1000:]


def test_every_op_is_compared() -> None:
    """An op that is added to native/ops/ops.inc needs a generator here."""
    from edge_sdk import _native

    ours = {name.removeprefix("CUSTOM:") for name in _native.op_names()}
    assert ours <= NOT_IN_REFERENCE | {generator.op for generator in REGISTRY.values()}


def test_isa_in_use() -> None:
    """EDGE_ISA is honoured: without this, the runs on a lower ISA would prove nothing."""
    from edge_sdk import _native

    wanted = os.environ.get("EDGE_ISA")
    if wanted is not None:
        assert _native.isa() == wanted
    else:
        assert _native.isa() in ("scalar", *_native.detected_isas())
