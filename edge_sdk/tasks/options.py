"""Checks of the options that tasks share."""

from __future__ import annotations

from collections.abc import Sequence

from edge_sdk.errors import InputError
from edge_sdk.metadata import Normalization
from edge_sdk.tasks.inputs import FITS

# First lines of label files that stand for no object; "0" is the gap of a file numbered from 1.
BACKGROUND = ("background", "__background__", "???", "unlabeled", "0")


def check_fit(fit: str) -> str:
    if fit not in FITS:
        raise InputError(f"fit is {fit!r}, it must be one of: {', '.join(FITS)}")
    return fit


def normalization_from(
    mean: float | Sequence[float] | None, std: float | Sequence[float] | None
) -> Normalization | None:
    """The user's normalization; None if none is given."""
    if mean is None and std is None:
        return None
    if mean is None or std is None:
        raise InputError("give both mean and std, or neither")
    return Normalization(_floats(mean), _floats(std))


def _floats(values: float | Sequence[float]) -> tuple[float, ...]:
    if isinstance(values, Sequence):
        return tuple(map(float, values))
    return (float(values),)
