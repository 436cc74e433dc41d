"""Finds the smallest mix of numbers per layer that keeps a model within an allowed drop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_sdk.errors import EdgeError
from edge_sdk.model import load
from edge_sdk.optimize.judge import Judge, Quality
from edge_sdk.optimize.quantize.candidates import Candidates
from edge_sdk.optimize.quantize.layers import Layer
from edge_sdk.optimize.quantize.recipes import quantizable
from edge_sdk.units import size_text

_SWEEP_SAMPLES = 128  # that a layer's sensitivity is measured on
_RESTORE_SAMPLES = 48  # that an op's is, with int8 all around it
_EXTRA_TRIES = 12  # of layers beyond the first that did not fit

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Mix:
    """What the search settled on."""

    choices: dict[int, str]  # position of an op -> its numbers, where they are not int8
    model: bytes  # in normal form
    quality: Quality
    why: dict[int, str]
    met: bool


class _Search:
    def __init__(self, candidates: Candidates, judge: Judge, target: float, tell: Tell) -> None:
        self.candidates, self.judge, self.target, self.tell = candidates, judge, target, tell
        self.limit = len(candidates.model.finish(candidates.model.content())) // 2  # as float16 would do
        self.best: tuple[float, int] | None = None  # drop and size of `nearest`
        self.nearest: tuple[dict[int, str], bytes, Quality] | None = None

    def fits(self, choices: dict[int, str]) -> bool:
        """Whether the model keeps within the target. Remembers the smallest that does, else the nearest."""
        try:
            model = self.candidates.make(choices)
            quality = self.judge(load(model, threads=1))
        except EdgeError:
            return False  # a mix that litert-quantizer or the runtime does not take
        # Sizes are compared as users get them: what is left over in normal form is dropped there.
        size = len(self.candidates.model.finish(model))
        if choices and size > self.limit:
            return False
        rank = max(quality.drop - self.target, 0.0), size
        if self.best is None or rank < self.best:
            self.best, self.nearest = rank, (choices, model, quality)
        return quality.drop <= self.target


def search(candidates: Candidates, judge: Judge, target: float, tell: Tell = lambda text: None) -> Mix:
    """The smallest model whose drop on the judge's samples is at most `target`, else the nearest to it.

    None that leaves so much float that float16 weights would do the same.
    """
    state = _Search(candidates, judge, target, tell)
    why: dict[int, str] = {}
    if state.fits({}):
        _shrink(state, why)
    else:
        _restore(state, why)
    if state.nearest is None:
        raise EdgeError("no mix of this model can be made and run")
    choices, model, quality = state.nearest
    return Mix(choices, model, quality, why, quality.drop <= target)


def _shrink(state: _Search, why: dict[int, str]) -> None:
    """int8 fits: makes as many weights int4 as possible, those first that cost least for their bytes."""
    candidates, judge = state.candidates, state.judge
    layers = [layer for layer in candidates.layers if candidates.can_be_int4(layer)]
    cost: dict[int, float] = {}
    for done, layer in enumerate(layers):
        state.tell(f"sensitivity {done + 1}/{len(layers)}")
        cost[layer.position] = judge.error(
            load(candidates.simulated(layer, "int4"), threads=1), _SWEEP_SAMPLES
        )
    ranked = sorted(layers, key=lambda layer: cost[layer.position] / _bytes(state, layer))
    for rank, layer in enumerate(ranked):
        why[layer.position] = (
            f"int4 weights alone change the output by {cost[layer.position]:.2%} of its variance and save "
            f"{size_text(_bytes(state, layer))}: {rank + 1}. of {len(ranked)}"
        )

    def mix(chosen: Sequence[Layer]) -> dict[int, str]:
        return {layer.position: "int4" for layer in chosen}

    state.tell("how many layers can be int4")
    count = _most(len(ranked), lambda count: state.fits(mix(ranked[:count])))
    chosen = ranked[:count]
    for layer in ranked[count + 1 : count + 1 + _EXTRA_TRIES]:
        state.tell("more layers one by one")
        if state.fits(mix([*chosen, layer])):
            chosen = [*chosen, layer]


def _restore(state: _Search, why: dict[int, str]) -> None:
    """int8 loses too much: gives as few ops as possible more exact numbers, those first that err most."""
    candidates, judge = state.candidates, state.judge
    gain: dict[int, float] = {}
    lost = judge.error(load(candidates.make({}), threads=1), _RESTORE_SAMPLES)
    ops = quantizable(candidates.model)
    for done, position in enumerate(ops):
        state.tell(f"sensitivity {done + 1}/{len(ops)}")
        try:
            model = load(candidates.make({position: "int16"}), threads=1)
            gain[position] = lost - judge.error(model, _RESTORE_SAMPLES)
        except EdgeError:
            continue
    ranked = sorted(gain, key=lambda position: -gain[position])
    for rank, position in enumerate(ranked):
        part = gain[position] / lost if lost else 0.0
        why[position] = f"with int16 here alone the output errs {part:.0%} less: {rank + 1}. of {len(ranked)}"
    for choice in ("int16", "float"):
        state.tell(f"how many layers need {choice}")

        def fits(left: int, choice: str = choice) -> bool:
            return state.fits(dict.fromkeys(ranked[: len(ranked) - left], choice))

        left = _most(len(ranked), fits)
        if left or fits(0):
            return


def _bytes(state: _Search, layer: Layer) -> int:
    """What int4 saves of a layer's weights."""
    shape = state.candidates.model.graph.shape(layer.weights)
    size = 1
    for n in shape:
        size *= n
    return max(size // 2, 1)


def _most(count: int, fits: Callable[[int], bool]) -> int:
    """The greatest number up to `count` that fits, by halving; 0 is known to, or the last resort."""
    low, high = 0, count
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
