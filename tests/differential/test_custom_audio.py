"""The audio front end of TensorFlow Lite Micro, against the same arithmetic in Python's integers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="models are built with ai-edge-litert: pip install -e '.[test]'")

from builders import GraphBuilder
from expected import audio
from flatbuffers import flexbuffers

from edge_sdk import _native
from edge_sdk.errors import InputError

from .harness import Draw, cases_from_environment

Array = np.ndarray[Any, Any]
CASES = 25
numbers = pytest.mark.parametrize("number", cases_from_environment(CASES))


class Model:
    """One custom op; arrays that are no graph inputs are given as constants."""

    def __init__(self, name: str, inputs: list[Array], outputs: list[str], constants: int = 0, **o: Any):
        g = GraphBuilder()
        split = len(inputs) - constants
        operands = [g.input(x.shape, x.dtype.name) for x in inputs[:split]]
        operands += [g.constant(x) for x in inputs[split:]]
        results = [g.tensor((), dtype) for dtype in outputs]
        g.op(name, operands, results, custom_options=bytes(flexbuffers.Dumps(o)))
        self.plan = _native.Plan(_native.ParsedModel.from_bytes(g.build(results)))
        self.session = _native.Session(self.plan)
        self.inputs = inputs[:split]

    def __call__(self, *inputs: Array) -> list[list[int]]:
        for tensor, value in zip(self.plan.inputs(), inputs or self.inputs):
            self.session.view(tensor)[...] = value
        self.session.run()
        return [self.session.view(tensor).tolist() for tensor in self.plan.outputs()]


def loud(d: Draw, size: int) -> Array:
    """Samples from silence to clipping."""
    kind = d.pick("samples", ("noise", "tone", "ends", "clicks"))
    amplitude = 2.0 ** d.rng.uniform(0, 15.5)
    if kind == "ends":
        return d.rng.choice([-32768, 32767, 0], size).astype(np.int16)
    x = amplitude * np.sin(np.arange(size) * d.rng.uniform(0, 3.2))
    if kind != "tone":
        x = d.rng.normal(0, amplitude, size) * (d.rng.random(size) < (1 if kind == "noise" else 0.03))
    return np.clip(np.round(x), -32768, 32767).astype(np.int16)


def words(d: Draw, size: int, bits: int) -> list[int]:
    """Unsigned numbers of any magnitude, with the ends of the range among them."""
    values = [int(d.rng.integers(2**63)) >> int(d.rng.integers(63)) for _ in range(size)]
    ends = [0, 1, 2, 3, 2**bits - 1, 2 ** (bits - 1), 2**16 - 1, 2**16]
    return [ends[int(d.rng.integers(len(ends)))] if d.rng.random() < 0.2 else v % 2**bits for v in values]


@numbers
def test_window(number: int) -> None:
    d = Draw(number)
    size, runs, shift = d.integer("size", 1, 60), d.integer("runs", 1, 4), d.integer("shift", 0, 31)
    x, window = loud(d, size * runs).reshape(runs, size), loud(d, size)
    (got,) = Model("SignalWindow", [x, window], ["int16"], constants=1, shift=shift)()
    assert got == audio.window(x, window, shift)


@numbers
def test_fft_auto_scale(number: int) -> None:
    x = loud(Draw(number), 50)
    if -32768 in x:
        x[x == -32768] = -32767
    got, shift = Model("SignalFftAutoScale", [x], ["int16", "int32"])()
    assert (got, shift) == audio.fft_auto_scale(x)


def test_fft_auto_scale_after_a_clipped_sample() -> None:
    """-32768 has no positive in 16 bits; the original then takes the next sample for the loudest."""
    got, shift = Model("SignalFftAutoScale", [np.array([5, -32768, 3], np.int16)], ["int16", "int32"])()
    assert shift == 13
    assert got == [audio.int16(v << 13) for v in (5, -32768, 3)]


@numbers
def test_rfft(number: int) -> None:
    d = Draw(number)
    length = d.pick("length", (4, 8, 16, 32, 64, 128, 512))
    runs, size = d.integer("runs", 1, 2), d.integer("size", 1, length)
    x = loud(d, runs * size).reshape(runs, size)
    (got,) = Model("SignalRfft", [x], ["int16"], T=7, fft_length=length)()
    for row, result in zip(x, got):
        wanted = audio.rfft(row, length)
        assert result == [part for pair in wanted for part in pair]  # type: ignore[comparison-overlap]
        true = np.fft.rfft(row, length) / length
        if np.abs(row.astype(int)).max() < 30000:  # it may wrap at the ends
            np.testing.assert_allclose(np.array(wanted) @ [1, 1j], true, atol=8)


@numbers
def test_energy(number: int) -> None:
    d = Draw(number)
    bins = d.integer("bins", 1, 80)
    x = loud(d, 2 * bins)
    start, end = d.integer("start", 0, bins), d.integer("end", 0, bins)
    (got,) = Model("SignalEnergy", [x], ["uint32"], start_index=start, end_index=end)()
    assert got == audio.energy(x, start, end)


@numbers
def test_filter_bank(number: int) -> None:
    d = Draw(number)
    channels, bins, weights = d.integer("channels", 1, 12), d.integer("bins", 20, 60), 30
    energy = np.array(words(d, bins, 32), np.uint32)
    w, u = loud(d, weights), loud(d, weights)
    widths = d.rng.integers(0, 10, channels + 1).astype(np.int16)
    starts = np.array([d.rng.integers(0, bins - n + 1) for n in widths], np.int16)
    at = np.array([d.rng.integers(0, weights - n + 1) for n in widths], np.int16)
    inputs = [energy, w, u, starts, at, widths]
    (got,) = Model("SignalFilterBank", inputs, ["uint64"], constants=5, num_channels=channels)()
    assert got == audio.filter_bank(*inputs)


@numbers
def test_filter_bank_square_root(number: int) -> None:
    d = Draw(number)
    x = words(d, 200, 64)
    x[:3] = [2**32 - 1, 2**64 - 1, (2**32 - 1) ** 2 - 1]
    model = Model("SignalFilterBankSquareRoot", [np.array(x, np.uint64), np.array(0, np.int32)], ["uint32"])
    shift = d.integer("shift", 0, 40)
    (got,) = model(np.array(x, np.uint64), np.array(shift, np.int32))
    assert got == [audio.square_root(v, shift) for v in x]
    with pytest.raises(InputError, match="shift"):
        model(np.array(x, np.uint64), np.array(-1, np.int32))


@numbers
def test_spectral_subtraction_keeps_its_estimate(number: int) -> None:
    d = Draw(number)
    channels = d.integer("channels", 1, 9)
    bits, smoothing_bits = d.integer("bits", 0, 16), d.integer("smoothing_bits", 0, 12)
    odd, even, least = (int(v) for v in d.rng.integers(0, 2**bits + 1, 3))
    options = {
        "num_channels": channels, "smoothing": even, "one_minus_smoothing": 2**bits - even,
        "alternate_smoothing": odd, "alternate_one_minus_smoothing": 2**bits - odd,
        "min_signal_remaining": least, "clamping": d.chance("clamping", 0.5),
        "smoothing_bits": smoothing_bits, "spectral_subtraction_bits": bits,
    }  # fmt: skip
    zeros = np.zeros(channels, np.uint32)
    model = Model("SignalFilterBankSpectralSubtraction", [zeros], ["uint32", "uint32"], **options)
    for _ in range(2):
        noise = [0] * channels
        for _ in range(4):
            x = words(d, channels, 32)
            got, estimate = model(np.array(x, np.uint32))
            wanted, noise = audio.subtract_noise(x, noise, options)
            assert got == wanted
            assert estimate == noise
        model.session.reset()


@numbers
def test_pcan(number: int) -> None:
    d = Draw(number)
    channels, shift = d.integer("channels", 1, 40), d.integer("shift", 0, 40)
    table = d.rng.integers(-32768, 32768, d.integer("size", 125, 130)).astype(np.int16)
    x, noise = words(d, channels, 32), words(d, channels, 32)
    inputs = [np.array(x, np.uint32), np.array(noise, np.uint32), table]
    (got,) = Model("SignalPCAN", inputs, ["uint32"], constants=1, snr_shift=shift)()
    assert got == [audio.pcan(v, n, table.tolist(), shift) for v, n in zip(x, noise)]


@numbers
def test_filter_bank_log(number: int) -> None:
    d = Draw(number)
    correction, scale = d.integer("correction", 0, 12), d.pick("scale", (1, 64, 1000, 65536))
    x = words(d, 300, 32)
    (got,) = Model(
        "SignalFilterBankLog", [np.array(x, np.uint32)], ["int16"], input_correction_bits=correction,
        output_scale=scale,
    )()  # fmt: skip
    for v, result in zip(x, got):
        assert result == audio.filter_bank_log(v, correction, scale)
        if (scaled := v << correction & audio.WORD) > 1:
            assert audio.natural_log(scaled) / 2**16 == pytest.approx(math.log(scaled), abs=0.003)


def test_preprocessor_of_speech_commands(stash: Any) -> None:
    """Two files of one front end: what one says in int8 the other says in float32."""
    folder = stash / "real" / "tensorflow+tflite-micro"
    models = [(folder / f"audio_preprocessor_{kind}.tflite").read_bytes() for kind in ("int8", "float")]
    plans = [_native.Plan(_native.ParsedModel.from_bytes(m)) for m in models]
    sessions = [_native.Session(plan) for plan in plans]
    d, seen = Draw(1), set()
    for _ in range(50):
        x = loud(d, 480)
        results = []
        for plan, session in zip(plans, sessions):
            session.view(plan.inputs()[0])[...] = x
            session.run()
            results.append(np.array(session.view(plan.outputs()[0])).ravel())
        seen.update(results[0].tolist())
        np.testing.assert_allclose(results[0], np.clip(results[1] * 256 / 26 - 128, -128, 127), atol=1)
    assert len(seen) > 50
