"""The samples that a command works with: not more than fit into memory beside all that is made of them."""

from __future__ import annotations

import math
import warnings

from edge_sdk.optimize.data import ModelLike, Samples, open_samples
from edge_sdk.units import size_text

_BYTES = 125_000_000  # of inputs, where nobody says how many


def samples_of(where: str, model: ModelLike, limit: int | None, usual: int | None = None) -> Samples:
    """At most `limit` samples, evenly picked; without one as many as are usual and fit."""
    if limit is not None:
        return open_samples(where, model, limit)
    each = sum(math.prod(spec.shape) * max(spec.dtype.itemsize, 4) for spec in model.inputs)
    fit = max(_BYTES // max(each, 1), 1)
    samples = open_samples(where, model, fit if usual is None else min(usual, fit))
    if len(samples) == fit:
        warnings.warn(
            f"{where}: {fit} samples, evenly picked, fill {size_text(_BYTES)}; name a limit for more",
            stacklevel=2,
        )
    return samples
