"""The model that commands make smaller: a float .tflite, or one of PyTorch that becomes one."""

from __future__ import annotations

import argparse

from edge_sdk.cli.options import existing_file
from edge_sdk.optimize import tflite_file, train


def add_float_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a float .tflite, which is not changed; or of PyTorch: a .py file with model(input_shape=...), "
        "or a .pt2 file",
    )


def float_model(path: str) -> bytes:
    """The .tflite that the option names, or what litert-torch makes of the PyTorch model."""
    existing_file(path)
    return train.from_torch(path) if is_torch(path) else tflite_file.raw(path)


def is_torch(path: str) -> bool:
    return path.lower().endswith(train.TORCH_FILES)
