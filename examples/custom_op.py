"""A model with an op that the SDK lacks, run with a function of yours: python examples/custom_op.py"""

import sys
from pathlib import Path

import numpy as np

import edge_sdk

MODEL = Path(__file__).parent / "data" / "mish.tflite"


def mish(inputs: list[np.ndarray], options: bytes) -> np.ndarray:
    """Gets the inputs as arrays and the bytes that the file gives the op; returns the output."""
    (x,) = inputs
    return x * np.tanh(np.log1p(np.exp(x)))


def same_shape(inputs: list[tuple], options: bytes) -> list[tuple]:
    """A pair (shape, dtype) for each output; needed where the file leaves the shape open."""
    return inputs


edge_sdk.register_op("Mish", mish, same_shape)
model = edge_sdk.load(sys.argv[1] if len(sys.argv) > 1 else MODEL, backend="native")
x = np.linspace(-3, 3, model.inputs[0].shape[-1], dtype=np.float32).reshape(model.inputs[0].shape)
print("x   ", x)
print("mish", model.run(x)[0])
