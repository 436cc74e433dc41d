"""Damaged versions of a model: cut short, bytes flipped, fields set to what they must not be."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from edge_sdk.optimize import tflite_file

EXTREMES = (-(2**31), -(2**31) + 1, -2, -1, 0, 1, 2, 3, 127, 255, 2**15, 2**16 + 1, 2**30, 2**31 - 1)


def cut(model: bytes, count: int, rng: np.random.Generator) -> list[tuple[str, bytes]]:
    """The model cut at its first bytes, at its last ones and at random places."""
    ends = {*range(0, 40), *range(len(model) - 20, len(model)), *rng.integers(0, len(model), count).tolist()}
    return [(f"cut at byte {end}", model[:end]) for end in sorted(ends) if 0 <= end < len(model)]


def flip(model: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """One to four bytes or words replaced."""
    data = bytearray(model)
    told = []
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, len(data) - 4))
        if rng.random() < 0.5:
            data[at] = int(rng.integers(256))
        else:
            at &= ~3
            data[at : at + 4] = struct.pack("<i", EXTREMES[int(rng.integers(len(EXTREMES)))])
        told.append(f"[{at}]={data[at : at + 4].hex()}")
    return f"bytes {' '.join(told)}", bytes(data)


def change_field(model: bytes, rng: np.random.Generator) -> tuple[str, bytes] | None:
    """One field anywhere in the file's tree set to another value; None if that cannot be written."""
    tree = tflite_file.read(model)
    owner, key, path = _pick(tree, "", rng)
    value = getattr(owner, key) if isinstance(key, str) else owner[key]
    new = _other(value, rng)
    if isinstance(key, str):
        setattr(owner, key, new)
    else:
        owner[key] = new
    try:
        return f"{path} = {str(new)[:80]}", tflite_file.write(tree)
    except Exception:  # the writer refuses what the format cannot hold
        return None


def _pick(node: Any, path: str, rng: np.random.Generator) -> tuple[Any, Any, str]:
    """A random walk down the tree: (object or list, attribute or index, path in words)."""
    while True:
        if isinstance(node, list):
            key: Any = int(rng.integers(len(node)))
            path += f"[{key}]"
            child = node[key]
        else:
            names = [n for n, v in vars(node).items() if v is not None or rng.random() < 0.2] or list(
                vars(node)
            )
            key = names[int(rng.integers(len(names)))]
            path += f".{key}"
            child = getattr(node, key)
        deeper = bool(child) if isinstance(child, list) else bool(getattr(child, "__dict__", None))
        if not deeper or rng.random() < 0.1:
            return node, key, path
        node = child


def _other(value: Any, rng: np.random.Generator) -> Any:
    extreme = EXTREMES[int(rng.integers(len(EXTREMES)))]
    if isinstance(value, np.ndarray) and value.size:
        choice = rng.random()
        if choice < 0.15:
            return None
        if choice < 0.3:
            return value[: int(rng.integers(value.size))]
        if choice < 0.4:
            return np.concatenate([value, value])
        changed = value.copy()
        special = (np.nan, np.inf, 0.0, -1.0, 1e-38, 1e38)
        changed[int(rng.integers(value.size))] = (
            special[int(rng.integers(len(special)))]
            if value.dtype.kind == "f"
            else np.int64(extreme).astype(value.dtype)
        )
        return changed
    if isinstance(value, list) and value:
        choice = rng.random()
        if choice < 0.2:
            return []
        if choice < 0.4:
            return value + value
        if choice < 0.6:
            return value[:-1]
        return [value[int(i)] for i in rng.permutation(len(value))]
    if isinstance(value, float):
        return float(rng.choice([np.nan, np.inf, -1.0, 0.0, 1e38]))
    if isinstance(value, (bool, np.bool_)):
        return not value
    if isinstance(value, (int, np.integer)):
        return extreme if rng.random() < 0.5 else int(rng.integers(-1, 150))
    if isinstance(value, (bytes, str)):
        return ("", "\udcff", "x" * 5000, "%s%n")[int(rng.integers(4))]
    return np.array([extreme], np.int32) if value is None else None
