"""The audio front end of TensorFlow Lite Micro, against the same arithmetic in Python's integers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="models are built with ai-edge-litert: pip install -e '.[test]'")

from builders import GraphBuilder
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


def int16(v: int) -> int:
    return (v + 2**15) % 2**16 - 2**15


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
    assert got == [
        [min(max(int(v) * int(w) >> shift, -32768), 32767) for v, w in zip(row, window)] for row in x
    ]


@numbers
def test_fft_auto_scale(number: int) -> None:
    x = loud(Draw(number), 50)
    if -32768 in x:
        x[x == -32768] = -32767
    got, shift = Model("SignalFftAutoScale", [x], ["int16", "int32"])()
    loudest = int(np.abs(x.astype(int)).max())
    assert shift == (15 - loudest.bit_length() if loudest else 0)
    assert got == [int(v) << shift for v in x]  # type: ignore[operator]


def test_fft_auto_scale_after_a_clipped_sample() -> None:
    """-32768 has no positive in 16 bits; the original then takes the next sample for the loudest."""
    got, shift = Model("SignalFftAutoScale", [np.array([5, -32768, 3], np.int16)], ["int16", "int32"])()
    assert shift == 13
    assert got == [int16(v << 13) for v in (5, -32768, 3)]


def rounded(v: int) -> int:
    return int16((v + 2**14) >> 15)


def turn(angle: float) -> tuple[int, int]:
    return math.floor(0.5 + 32767 * math.cos(angle)), math.floor(0.5 + 32767 * math.sin(angle))


def shared(v: tuple[int, int], parts: int) -> tuple[int, int]:
    return rounded(v[0] * (32767 // parts)), rounded(v[1] * (32767 // parts))


def times(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return rounded(a[0] * b[0] - a[1] * b[1]), rounded(a[0] * b[1] + a[1] * b[0])


def fixed_fft(x: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Radix 4 while it divides the length, then 2; each stage divides by its radix."""
    n = len(x)
    if n == 1:
        return x
    radix = 4 if n % 4 == 0 else 2
    m = n // radix
    parts = [fixed_fft(x[i::radix]) for i in range(radix)]
    y = [(0, 0)] * n
    for k in range(m):
        p = [
            times(shared(parts[i][k], radix), turn(-2 * math.pi * i * k / n))
            if i
            else shared(parts[0][k], radix)
            for i in range(radix)
        ]
        if radix == 2:
            combine = [[(1, 0), (1, 0)], [(1, 0), (-1, 0)]]
        else:
            quarter = [(1, 0), (0, -1), (-1, 0), (0, 1)]
            combine = [[quarter[i * j % 4] for i in range(4)] for j in range(4)]
        for j, factors in enumerate(combine):
            re = sum(f[0] * v[0] - f[1] * v[1] for f, v in zip(factors, p))
            im = sum(f[0] * v[1] + f[1] * v[0] for f, v in zip(factors, p))
            y[j * m + k] = int16(re), int16(im)
    return y


@numbers
def test_rfft(number: int) -> None:
    d = Draw(number)
    length = d.pick("length", (4, 8, 16, 32, 64, 128, 512))
    runs, size = d.integer("runs", 1, 2), d.integer("size", 1, length)
    x = loud(d, runs * size).reshape(runs, size)
    (got,) = Model("SignalRfft", [x], ["int16"], T=7, fft_length=length)()
    for row, result in zip(x, got):
        padded = [int(v) for v in row] + [0] * (length - size)
        z = fixed_fft(list(zip(padded[::2], padded[1::2])))
        m = length // 2
        first = shared(z[0], 2)
        wanted = [(0, 0)] * (m + 1)
        wanted[0], wanted[m] = (int16(first[0] + first[1]), 0), (int16(first[0] - first[1]), 0)
        for k in range(1, m // 2 + 1):
            a, b = shared(z[k], 2), shared((z[m - k][0], int16(-z[m - k][1])), 2)
            even = int16(a[0] + b[0]), int16(a[1] + b[1])
            odd = times((int16(a[0] - b[0]), int16(a[1] - b[1])), turn(-math.pi * (k / m + 0.5)))
            wanted[k] = int16((even[0] + odd[0]) >> 1), int16((even[1] + odd[1]) >> 1)
            wanted[m - k] = int16((even[0] - odd[0]) >> 1), int16((odd[1] - even[1]) >> 1)
        assert result == [part for pair in wanted for part in pair]  # type: ignore[comparison-overlap]
        true = np.fft.rfft(padded) / length
        if np.abs(padded).max() < 30000:  # it may wrap at the ends
            np.testing.assert_allclose(np.array(wanted) @ [1, 1j], true, atol=8)


@numbers
def test_energy(number: int) -> None:
    d = Draw(number)
    bins = d.integer("bins", 1, 80)
    x = loud(d, 2 * bins)
    start, end = d.integer("start", 0, bins), d.integer("end", 0, bins)
    (got,) = Model("SignalEnergy", [x], ["uint32"], start_index=start, end_index=end)()
    pairs = [(int(a), int(b)) for a, b in x.reshape(bins, 2)]
    assert got == [a * a + b * b if start <= i < end else 0 for i, (a, b) in enumerate(pairs)]


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

    def weighed(by: Array, i: int) -> int:
        return sum(int(by[at[i] + k]) * int(energy[starts[i] + k]) for k in range(widths[i]))

    assert got == [(weighed(w, i) + weighed(u, i - 1)) % 2**64 for i in range(1, channels + 1)]


@numbers
def test_filter_bank_square_root(number: int) -> None:
    d = Draw(number)
    x = words(d, 200, 64)
    x[:3] = [2**32 - 1, 2**64 - 1, (2**32 - 1) ** 2 - 1]
    model = Model("SignalFilterBankSquareRoot", [np.array(x, np.uint64), np.array(0, np.int32)], ["uint32"])
    shift = d.integer("shift", 0, 40)
    (got,) = model(np.array(x, np.uint64), np.array(shift, np.int32))
    for v, root in zip(x, got):
        floor = math.isqrt(v)
        largest = 2**32 - 1 if v >> 32 else 2**16 - 1
        nearest = floor + (v - floor * floor > floor and floor != largest)
        assert root == nearest >> shift
    with pytest.raises(InputError, match="shift"):
        model(np.array(x, np.uint64), np.array(-1, np.int32))


@numbers
def test_spectral_subtraction_keeps_its_estimate(number: int) -> None:
    d = Draw(number)
    channels = d.integer("channels", 1, 9)
    bits, smoothing_bits = d.integer("bits", 0, 16), d.integer("smoothing_bits", 0, 12)
    odd, even, least = (int(v) for v in d.rng.integers(0, 2**bits + 1, 3))
    clamping = d.chance("clamping", 0.5)
    model = Model(
        "SignalFilterBankSpectralSubtraction", [np.zeros(channels, np.uint32)], ["uint32", "uint32"],
        num_channels=channels, smoothing=even, one_minus_smoothing=2**bits - even, alternate_smoothing=odd,
        alternate_one_minus_smoothing=2**bits - odd, min_signal_remaining=least, clamping=clamping,
        smoothing_bits=smoothing_bits, spectral_subtraction_bits=bits,
    )  # fmt: skip
    for _ in range(2):
        noise = [0] * channels
        for _ in range(4):
            x = words(d, channels, 32)
            got, estimate = model(np.array(x, np.uint32))
            wanted = []
            for i, v in enumerate(x):
                signal, share = v << smoothing_bits & 0xFFFFFFFF, odd if i % 2 else even
                noise[i] = (signal * share + noise[i] * (2**bits - share) >> bits) & 0xFFFFFFFF
                capped = min(noise[i], signal)
                noise[i] = capped if clamping else noise[i]
                wanted.append(max((signal - capped) >> smoothing_bits, (v * least >> bits) & 0xFFFFFFFF))
            assert got == wanted
            assert estimate == noise
        model.session.reset()


def wide_gain(x: int, table: list[int]) -> int:
    if x <= 2:
        return table[x]
    bit = x.bit_length()
    base = 4 * bit - 6
    place = (x << (11 - bit) if bit < 11 else x >> (bit - 11)) & 0x3FF
    slope = (table[base + 2] * place >> 5) + table[base + 1] * 32
    product = (slope * place + 2**14 + 2**31) % 2**32 - 2**31
    return int16((product >> 15) + table[base])


@numbers
def test_pcan(number: int) -> None:
    d = Draw(number)
    channels, shift = d.integer("channels", 1, 40), d.integer("shift", 0, 40)
    table = d.rng.integers(-32768, 32768, d.integer("size", 125, 130)).astype(np.int16)
    x, noise = words(d, channels, 32), words(d, channels, 32)
    inputs = [np.array(x, np.uint32), np.array(noise, np.uint32), table]
    (got,) = Model("SignalPCAN", inputs, ["uint32"], constants=1, snr_shift=shift)()
    for i in range(channels):
        gain = wide_gain(noise[i], table.tolist()) % 2**32
        snr = (x[i] * gain >> shift) & 0xFFFFFFFF
        assert got[i] == (snr * snr >> 20 if snr < 8192 else (snr >> 6) - 64)


@numbers
def test_filter_bank_log(number: int) -> None:
    d = Draw(number)
    correction, scale = d.integer("correction", 0, 12), d.pick("scale", (1, 64, 1000, 65536))
    x = words(d, 300, 32)
    (got,) = Model(
        "SignalFilterBankLog", [np.array(x, np.uint32)], ["int16"], input_correction_bits=correction,
        output_scale=scale,
    )()  # fmt: skip
    steps = [round((math.log2(1 + i / 128) - i / 128) * 2**16) for i in range(129)]
    for v, result in zip(x, got):
        scaled = v << correction & 0xFFFFFFFF
        if scaled <= 1:
            assert result == 0
            continue
        whole = scaled.bit_length() - 1
        fraction = (scaled << 16 >> whole) - 2**16
        i, rest = divmod(fraction, 512)
        log2 = (whole << 16) + fraction + steps[i] + ((steps[i + 1] - steps[i]) * rest >> 16)
        natural = (45426 * log2 + 2**15) >> 16
        assert result == min((scale * natural + 2**15 & 0xFFFFFFFF) >> 16, 32767)
        assert natural / 2**16 == pytest.approx(math.log(scaled), abs=0.003)


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
