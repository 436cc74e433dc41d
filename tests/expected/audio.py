"""The audio front end of TensorFlow Lite Micro in Python's integers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
WORD = 0xFFFFFFFF


def int16(v: int) -> int:
    return (v + 2**15) % 2**16 - 2**15


def window(x: Array, weights: Array, shift: int) -> list[list[int]]:
    """Of [runs, size]."""
    return [[min(max(int(v) * int(w) >> shift, -32768), 32767) for v, w in zip(row, weights)] for row in x]


def fft_auto_scale(x: Array) -> tuple[list[int], int]:
    """Of samples above -32768, which has no positive in 16 bits."""
    loudest = int(np.abs(x.astype(int)).max())
    shift = 15 - loudest.bit_length() if loudest else 0
    return [int(v) << shift for v in x], shift


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


def rfft(x: Sequence[int], length: int) -> list[tuple[int, int]]:
    """Real and imaginary parts of length / 2 + 1 bins."""
    padded = [int(v) for v in x] + [0] * (length - len(x))
    z = fixed_fft(list(zip(padded[::2], padded[1::2])))
    m = length // 2
    first = shared(z[0], 2)
    bins = [(0, 0)] * (m + 1)
    bins[0], bins[m] = (int16(first[0] + first[1]), 0), (int16(first[0] - first[1]), 0)
    for k in range(1, m // 2 + 1):
        a, b = shared(z[k], 2), shared((z[m - k][0], int16(-z[m - k][1])), 2)
        even = int16(a[0] + b[0]), int16(a[1] + b[1])
        odd = times((int16(a[0] - b[0]), int16(a[1] - b[1])), turn(-math.pi * (k / m + 0.5)))
        bins[k] = int16((even[0] + odd[0]) >> 1), int16((even[1] + odd[1]) >> 1)
        bins[m - k] = int16((even[0] - odd[0]) >> 1), int16((odd[1] - even[1]) >> 1)
    return bins


def energy(x: Array, start: int, end: int) -> list[int]:
    pairs = [(int(a), int(b)) for a, b in x.reshape(-1, 2)]
    return [a * a + b * b if start <= i < end else 0 for i, (a, b) in enumerate(pairs)]


def filter_bank(x: Array, w: Array, u: Array, starts: Array, at: Array, widths: Array) -> list[int]:
    def weighed(by: Array, i: int) -> int:
        return sum(int(by[at[i] + k]) * int(x[starts[i] + k]) for k in range(widths[i]))

    return [(weighed(w, i) + weighed(u, i - 1)) % 2**64 for i in range(1, len(widths))]


def square_root(v: int, shift: int) -> int:
    floor = math.isqrt(v)
    largest = WORD if v >> 32 else 2**16 - 1
    nearest = floor + (v - floor * floor > floor and floor != largest)
    return nearest >> shift


def subtract_noise(
    x: Sequence[int], noise: list[int], options: dict[str, Any]
) -> tuple[list[int], list[int]]:
    """What remains of the channels, and the estimate of their noise for the next call."""
    bits, smoothing_bits = options["spectral_subtraction_bits"], options["smoothing_bits"]
    remains, estimates = [], []
    for i, v in enumerate(x):
        prefix = "alternate_" if i % 2 else ""
        share, rest = options[f"{prefix}smoothing"], options[f"{prefix}one_minus_smoothing"]
        signal = v << smoothing_bits & WORD
        estimate = (signal * share + noise[i] * rest >> bits) & WORD
        capped = min(estimate, signal)
        estimates.append(capped if options["clamping"] else estimate)
        least = (v * options["min_signal_remaining"] >> bits) & WORD
        remains.append(max((signal - capped) >> smoothing_bits, least))
    return remains, estimates


def wide_gain(x: int, table: Sequence[int]) -> int:
    if x <= 2:
        return table[x]
    bit = x.bit_length()
    base = 4 * bit - 6
    place = (x << (11 - bit) if bit < 11 else x >> (bit - 11)) & 0x3FF
    slope = (table[base + 2] * place >> 5) + table[base + 1] * 32
    product = (slope * place + 2**14 + 2**31) % 2**32 - 2**31
    return int16((product >> 15) + table[base])


def pcan(x: int, noise: int, table: Sequence[int], shift: int) -> int:
    gain = wide_gain(noise, table) % 2**32
    snr = (x * gain >> shift) & WORD
    return snr * snr >> 20 if snr < 8192 else (snr >> 6) - 64


LOG_STEPS = [round((math.log2(1 + i / 128) - i / 128) * 2**16) for i in range(129)]


def natural_log(scaled: int) -> int:
    """Of a number above 1, times 2^16."""
    whole = scaled.bit_length() - 1
    fraction = (scaled << 16 >> whole) - 2**16
    i, rest = divmod(fraction, 512)
    log2 = (whole << 16) + fraction + LOG_STEPS[i] + ((LOG_STEPS[i + 1] - LOG_STEPS[i]) * rest >> 16)
    return (45426 * log2 + 2**15) >> 16


def filter_bank_log(v: int, correction: int, scale: int) -> int:
    scaled = v << correction & WORD
    if scaled <= 1:
        return 0
    return min((scale * natural_log(scaled) + 2**15 & WORD) >> 16, 32767)
