"""Fourier transforms and complex numbers."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from builders import GraphBuilder
from flatbuffers import flexbuffers

from .harness import Case, Draw, differential


def complex_values(d: Draw, shape: tuple[int, ...], dtype: str = "complex64") -> np.ndarray[Any, Any]:
    values = (d.values(shape, "float32") + 1j * d.values(shape, "float32")).astype(dtype)
    if values.size and d.chance("extremes", 0.3):
        values.flat[0] = d.pick("extreme", (1e30 + 1e30j, complex(np.inf, 1), complex(np.nan, 2), 0, 1e-30j))
    return values


# Transforms sum up to 64 * 256 numbers of a size around 8, and LiteRT adds them in another order.
@differential("RFFT2D", "float32", absolute=2e-4, relative=1e-5)
def rfft2d(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    height = d.pick("height", (1, 1, 2, 4, 8, 64))
    width = d.pick("width", (2, 4, 8, 16, 64, 256))
    lead = d.shape("lead", 0, 2, 12)
    shape = d.note("shape", (*lead, d.integer("rows", 1, height + 2), d.integer("columns", 1, width + 3)))
    x = g.input(shape, "float32")
    y = g.tensor((), "complex64")
    g.op("RFFT2D", [x, g.constant(np.array([height, width], np.int32))], [y])
    return Case(g, [y], [d.values(shape, "float32")])


def part(op: str, d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 0, 4)
    x = g.input(shape, kind)
    y = g.tensor(shape, "float32" if kind == "complex64" else "float64")
    g.op(op, [x], [y])
    return Case(g, [y], [complex_values(d, shape, kind)])


for name in ("COMPLEX_ABS", "REAL", "IMAG"):
    differential(name, "complex64", "complex128", relative=1e-7)(partial(part, name))


CASTS = ("float32", "int32", "int64", "uint8", "int16", "bool", "complex64")


@differential("CAST", "to_complex64", "of_complex64")
def cast(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    shape = d.shape("shape", 0, 4)
    other = d.pick("other", CASTS)
    source, target = (other, "complex64") if kind == "to_complex64" else ("complex64", other)
    x, y = g.input(shape, source), g.tensor(shape, target)
    g.op("CAST", [x], [y], inDataType=source, outDataType=target)
    if source != "complex64":
        return Case(g, [y], [d.values(shape, source)])
    # Numbers that every target holds: what others become is the CPU's choice in LiteRT.
    values = d.rng.uniform(0, 127, shape) + 1j * d.rng.uniform(0, 127, shape)
    return Case(g, [y], [values.astype(np.complex64)])


@differential("AudioSpectrogram", "float32", absolute=1e-3, relative=1e-4)
def audio_spectrogram(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    size = d.pick("window_size", (2, 3, 5, 16, 30, 64, 400))
    samples, channels = d.integer("samples", max(1, size - 20), 2 * size + 50), d.integer("channels", 1, 3)
    options = {
        "window_size": size,
        "stride": d.integer("stride", 1, 40),
        "magnitude_squared": d.chance("squared", 0.5),
    }
    x, y = g.input((samples, channels), "float32"), g.tensor((), "float32")
    g.op("AudioSpectrogram", [x], [y], custom_options=bytes(flexbuffers.Dumps(options)))
    return Case(g, [y], [d.rng.normal(0, 1, (samples, channels)).astype(np.float32)])


@differential("Mfcc", "float32", absolute=1e-3, relative=1e-4)
def mfcc(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    rate, bins = d.pick("rate", (8000, 16000, 44100)), d.pick("bins", (2, 17, 65, 257))
    bands = d.pick("filterbank_channel_count", (1, 5, 20, 40, 80))
    options = {
        "upper_frequency_limit": d.integer("upper", 300, rate // 2),
        "lower_frequency_limit": d.integer("lower", 0, 299),
        "filterbank_channel_count": bands,
        "dct_coefficient_count": d.integer("dct_coefficient_count", 1, bands),
    }
    shape = d.note("shape", (d.integer("channels", 1, 2), d.integer("frames", 1, 4), bins))
    spectra = (d.rng.random(shape) * 2.0 ** d.rng.uniform(-20, 10)).astype(np.float32)
    if d.chance("silence", 0.2):
        spectra[:, 0] = 0
    x, y = g.input(shape, "float32"), g.tensor((), "float32")
    operands = [x, g.constant(np.array(rate, np.int32))]
    g.op("Mfcc", operands, [y], custom_options=bytes(flexbuffers.Dumps(options)))
    return Case(g, [y], [spectra])
