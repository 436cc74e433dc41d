"""The order in which units go, and what a model computes when some of them are gone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_sdk.optimize.prune.channels import Channels
from edge_sdk.optimize.prune.importance import Importance
from edge_sdk.types import Array

_FLOOR = 1 / 4  # of the channels of each group stay, whatever is asked for


@dataclass(frozen=True)
class Costs:
    """Multiply-accumulates as a function of the units that are left."""

    rest: int  # of ops that lose nothing
    macs: Array  # [layers]
    outputs: Array  # [layers, 1 + units]: channels of each unit
    inputs: Array  # the same; for depthwise layers, of which outputs are inputs, all in unit 0

    def total(self, gone: Array) -> float:
        made, read = self._share(self.outputs, gone), self._share(self.inputs, gone)
        return self.rest + float((self.macs * made * read).sum())

    def saved(self, gone: Array) -> Array:
        """What each unit [1 + units] would save if it went now."""
        made = self.macs * self._share(self.inputs, gone) / self.outputs.sum(1)
        read = self.macs * self._share(self.outputs, gone) / self.inputs.sum(1)
        found: Array = made @ self.outputs + read @ self.inputs
        return found

    @staticmethod
    def _share(counts: Array, gone: Array) -> Array:
        found: Array = counts @ (~gone).astype(float) / counts.sum(1)
        return found


def costs(channels: Channels, whole: int) -> Costs:
    """`whole`: the multiply-accumulates of all ops."""

    def counts(ids: Array | None) -> Array:
        return np.bincount([0] if ids is None else ids, minlength=channels.count + 1).astype(float)

    return Costs(
        whole - sum(layer.macs for layer in channels.layers),
        np.array([layer.macs for layer in channels.layers], float),
        np.stack([counts(layer.outputs) for layer in channels.layers]),
        np.stack([counts(layer.inputs) for layer in channels.layers]),
    )


@dataclass
class _Group:
    """Units that the same layers make."""

    units: Array  # those that are left
    first: int  # how many there were
    multiple: int

    def next(self, scores: Array) -> Array:
        """The least important ones, as many as make the rest a multiple; none at the floor."""
        left = len(self.units)
        count = left - (left - 1) // self.multiple * self.multiple
        if left - count < max(1, _FLOOR * self.first):
            return self.units[:0]
        found: Array = self.units[np.argsort(scores[self.units], kind="stable")[:count]]
        return found

    def pop(self, importance: Importance, held: Array, gone: Array) -> int | None:
        """Lets the least important one go; the others' scores follow before the next is picked."""
        unit = int(self.units[np.argmin(importance.values[self.units])])
        self.units = self.units[self.units != unit]
        if not _something_left(held, gone, np.array([unit])):
            return None
        gone[unit] = True
        importance.remove(unit)
        return unit


def order(channels: Channels, importance: Importance, cost: Costs, multiple: int) -> list[Array]:
    """Units in the order in which they go, some at once: least important for what they save first.

    What is left of a group is a multiple of `multiple`, or of a smaller power of two where the group has
    few channels, since kernels compute so many at once in any case.
    """
    groups = _groups(channels, multiple)
    held = _held(channels)
    gone = np.zeros(channels.count + 1, bool)
    found: list[Array] = []
    while True:
        saved = np.maximum(cost.saved(gone), 1e-9)
        best: tuple[float, _Group, Array] | None = None
        for group in groups:
            units = group.next(importance.values)
            if not len(units) or not _something_left(held, gone, units):
                continue
            value = float(importance.values[units].sum() / saved[units].sum())
            if best is None or value < best[0]:
                best = value, group, units
        if best is None:
            return found
        _, group, units = best
        step = [group.pop(importance, held, gone) for _ in units]
        found.append(np.array([unit for unit in step if unit is not None]))


def _groups(channels: Channels, multiple: int) -> list[_Group]:
    made_by: dict[int, list[int]] = {}
    for i, layer in enumerate(channels.layers):
        for unit in np.unique(layer.outputs):
            made_by.setdefault(int(unit), []).append(i)
    groups: dict[tuple[int, ...], list[int]] = {}
    for unit in range(1, channels.count + 1):
        groups.setdefault(tuple(made_by.get(unit, ())), []).append(unit)
    return [
        _Group(np.array(units), len(units), min(multiple, 1 << max(0, (len(units) // 2).bit_length() - 1)))
        for units in groups.values()
    ]


def _held(channels: Channels) -> Array:
    """[axes, 1 + units]: which axes have channels of which units."""
    axes = {ids.tobytes(): ids for of in channels.axes.values() for ids in of.values() if ids.any()}
    return np.stack([np.bincount(ids, minlength=channels.count + 1) > 0 for ids in axes.values()])


def _something_left(held: Array, gone: Array, units: Array) -> bool:
    left = ~gone
    left[units] = False
    return bool((held & left).any(1).all())
