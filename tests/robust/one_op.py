"""Models of a single op, for what a file can ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from builders import GraphBuilder

F32 = np.float32


def model(op: str, inputs: Sequence[Any], outputs: Sequence[Any], **options: Any) -> bytes:
    """Inputs are arrays (constants), None, or (shape, dtype, ...); outputs are dtypes or the latter."""
    g = GraphBuilder()
    tensors = [None if x is None else g.input(*x) if isinstance(x, tuple) else g.constant(x) for x in inputs]
    results = [g.tensor(*(y if isinstance(y, tuple) else ((1,), y))) for y in outputs]
    g.op(op, tensors, results, **options)
    return g.build(results)


def zeros(*shape: int) -> np.ndarray[Any, Any]:
    return np.zeros(shape, F32)


def i(values: Any) -> np.ndarray[Any, Any]:
    return np.array(values, np.int32)
