"""Samples from arrays, folders and sources, as a model's real values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import edge_sdk
from edge_sdk.errors import InputError
from edge_sdk.optimize.data import open_samples, random_samples, results
from edge_sdk.resources import folder

MODELS = folder("models")
FLOAT = MODELS / "fashion_mnist" / "fashion_mnist_float.tflite"
INT8 = MODELS / "fashion_mnist" / "fashion_mnist_int8.tflite"


@pytest.fixture(scope="module")
def model() -> edge_sdk.Model:
    return edge_sdk.load(FLOAT)


def test_pixels_of_a_file_become_what_a_picture_file_becomes(tmp_path: Path, model: edge_sdk.Model) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    for name, picture in zip(("Bag", "Coat", "Shirt"), pixels):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        Image.fromarray(picture).save(tmp_path / "pictures" / name / "0.png")
    np.savez(tmp_path / "samples.npz", x=pixels, y=np.array([8, 4, 6]))
    a, b = open_samples(tmp_path / "samples.npz", model), open_samples(tmp_path / "pictures", model)
    np.testing.assert_allclose(a.inputs[0], pixels[..., None] / 255, atol=1e-6)
    np.testing.assert_array_equal(a.inputs[0], b.inputs[0])
    assert a.labels is not None
    assert b.labels is not None
    assert a.labels.tolist() == b.labels.tolist() == [8, 4, 6]  # the model's own numbers


def test_folders_that_the_model_does_not_name_are_numbered_in_order(
    tmp_path: Path, model: edge_sdk.Model
) -> None:
    for name in ("cat", "ant"):
        (tmp_path / name).mkdir()
        for i in range(4):
            Image.new("L", (8, 8), i).save(tmp_path / name / f"{i}.png")
    samples = open_samples(tmp_path, model)
    assert samples.classes == ("ant", "cat")
    assert samples.labels is not None
    assert samples.labels.tolist() == [0] * 4 + [1] * 4
    few = open_samples(tmp_path, model, limit=2)
    assert few.labels is not None
    assert sorted(few.labels.tolist()) == [0, 1]


def test_the_same_samples_run_in_float_and_int8(model: edge_sdk.Model) -> None:
    samples = random_samples(model.inputs, 5)
    samples = type(samples)((np.abs(np.tanh(samples.inputs[0])),))
    (a,), (b,) = results(model, samples), results(edge_sdk.load(INT8), samples)
    assert a.shape == b.shape == (5, 10)
    assert np.abs(a - b).max() < 0.2


def test_parts_are_apart_and_whole(model: edge_sdk.Model) -> None:
    samples = type(random_samples(model.inputs, 1))((np.arange(10.0),), np.arange(10))
    first, second = samples.split(0.3)
    assert (len(first), len(second)) == (3, 7)
    assert sorted([*first.inputs[0], *second.inputs[0]]) == list(range(10))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.zeros((2, 5, 5), np.float32)}, "needs .*28, 28"),
        ({"x": np.zeros((2, 28, 28), np.float32), "y": np.zeros(3)}, "samples"),
        ({"x": np.zeros((2, 28, 28)), "z": np.zeros(2)}, "the model's inputs are"),
        ({"x": np.full((2, 28, 28), np.nan)}, "not finite"),
        ({"x": np.zeros((0, 28, 28))}, "no samples"),
    ],
)
def test_arrays_that_do_not_fit_say_why(
    tmp_path: Path, model: edge_sdk.Model, arrays: dict[str, np.ndarray], words: str
) -> None:
    np.savez(tmp_path / "samples.npz", **arrays)
    with pytest.raises(InputError, match=words):
        open_samples(tmp_path / "samples.npz", model)


def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, model: edge_sdk.Model) -> None:
    (tmp_path / "samples.npz").write_bytes(b"not an archive")
    with pytest.raises(InputError, match=r"samples\.npz"):
        open_samples(tmp_path / "samples.npz", model)
