"""The training loop: what a network should give for samples, the loss, the schedule, the best epoch."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Callable

import numpy as np
import torch
from torch.nn import functional as F

from edge_sdk import model as models
from edge_sdk.errors import InputError
from edge_sdk.optimize.data import Progress, Samples, results
from edge_sdk.optimize.metrics import is_probabilities
from edge_sdk.optimize.train.lessons import NO_LABEL, Lesson, class_numbers, lesson
from edge_sdk.optimize.train.torch_graph import TorchGraph
from edge_sdk.types import Array

HELD_OUT = 0.1  # of the samples, to pick the best epoch
RATES = (1e-3, 3e-3, 1e-2, 3e-2)  # what fine-tuning tries
TRIAL = 0.1  # of the steps: how long it tries each
SHIFT = 0.07  # of a picture's side: how far `shift` moves it at most
_EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Settings:
    """How a network is trained."""

    rate: float = 1e-3  # the peak of the one-cycle schedule of AdamW
    decay: float = 0.01  # of weights, a step, times the rate
    temperature: float = 2.0  # teacher's and student's scores are divided by it
    alpha: float = 0.9  # share of the teacher in the loss of a sample that has a label
    augment: tuple[str, ...] = ()  # of `train.AUGMENTS`
    batch: int = 64
    clip: float = 1.0  # greatest norm of the gradient


def loss_of(outputs: tuple[Any, ...], want: Lesson, settings: Settings) -> Any:
    """One number: the mean over the samples of a batch."""
    if want.values:
        parts = zip(outputs, want.values, want.spread)
        return sum(F.mse_loss(y.reshape(v.shape), v) / spread for y, v, spread in parts)
    (scores,) = outputs
    if want.labels is not None:
        labelled = want.labels != NO_LABEL
        hard = F.cross_entropy(scores, want.labels.clamp_min(0), reduction="none")
    if want.scores is None:
        return hard.mean()
    t = settings.temperature
    soft = t * t * F.kl_div(
        F.log_softmax(scores / t, -1),
        F.log_softmax(want.scores / t, -1),
        reduction="none",
        log_target=True,
    ).sum(-1)  # fmt: skip
    if want.labels is None:
        return soft.mean()
    return torch.where(labelled, settings.alpha * soft + (1 - settings.alpha) * hard, soft).mean()


def outputs_of(net: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a network gives for all samples, in evaluation mode."""
    net.eval()
    with torch.no_grad():
        parts = [
            _scores(net, tuple(x[i : i + _EVALUATION_BATCH] for x in inputs))
            for i in range(0, len(inputs[0]), _EVALUATION_BATCH)
        ]
    return tuple(torch.cat(part) for part in zip(*parts))


def quality(net: Any, want: Lesson) -> tuple[float, float]:
    """(share of right classes or 0, minus the loss): greater is better."""
    outputs = outputs_of(net, want.inputs)
    loss = float(loss_of(outputs, want, Settings(temperature=1, alpha=0.5)))
    loss = loss if math.isfinite(loss) else math.inf
    if want.values:
        return 0.0, -loss
    right = float((outputs[0].argmax(-1) == want.truth()).float().mean())
    return right, -loss


def fit(
    net: Any,
    want: Lesson,
    settings: Settings,
    steps: int,
    seed: int,
    progress: Progress = lambda done: None,
    every: int = 0,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Trains `net` in place; `progress` gets the number of steps, `look` is called each `every` steps."""
    with _reproducible(seed):
        optimizer = torch.optim.AdamW(net.parameters(), lr=settings.rate, weight_decay=settings.decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: share_of_rate(done, steps))
        batches = _batches(len(want), settings.batch)
        for step in range(1, steps + 1):
            net.train()
            part = want.take(next(batches))
            inputs = tuple(augmented(x, settings.augment) for x in part.inputs)
            loss = loss_of(_scores(net, inputs), part, settings)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), settings.clip)
            optimizer.step()
            schedule.step()
            progress(step)
            if every and step % every == 0:
                look()


def share_of_rate(done: int, steps: int) -> float:
    """One cycle: up over the first tenth of the steps, then down to 0 along a cosine."""
    rise = max(0.1 * steps, 1)
    if done < rise:
        return (done + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (done - rise) / max(steps - rise, 1)))


def fine_tune(
    model: bytes,
    samples: Samples,
    teacher: bytes | None,
    epochs: float,
    seed: int,
    progress: Progress,
    augment: tuple[str, ...] = (),
) -> bytes:
    """See `edge_sdk.optimize.train.fine_tune`."""
    net = TorchGraph(model)
    taught = None if teacher is None else results(models.load(teacher), samples)
    want = lesson(_targets(net, samples), taught, _classes(net, samples, taught))
    batch = min(64, max(len(samples) // 8, 4))
    if len(want) < 2:
        raise InputError("training needs at least two samples: one is held out")
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(want)))
    held = max(round(HELD_OUT * len(want)), 1)
    kept, studied = want.take(order[:held]), want.take(order[held:])
    each = math.ceil(len(studied) / batch)
    steps = max(round(epochs * each), 1)
    start = copy.deepcopy(net.state_dict())
    best = quality(net, kept), start
    gone = 0

    def look() -> None:
        nonlocal best
        found = quality(net, kept)
        if found > best[0]:
            best = found, copy.deepcopy(net.state_dict())

    def trained(rate: float, count: int) -> tuple[float, float]:
        nonlocal gone
        net.load_state_dict(start)
        fit(net, studied, Settings(rate, batch=batch, augment=augment), count, seed, tell, each, look)
        gone += count
        look()
        return quality(net, kept)

    # How much a model bears differs by a factor of ten: short trials tell the rate.
    trial = max(round(TRIAL * steps), 1)
    total = steps + trial * len(RATES)

    def tell(done: int) -> None:
        progress(round(epochs * len(samples) * (gone + done) / total))

    rate = max(RATES, key=lambda rate: trained(rate, trial))
    trained(rate, steps)
    net.load_state_dict(best[1])
    return net.written()


def augmented(x: Any, ways: tuple[str, ...]) -> Any:
    """A batch of pictures [n, h, w, c], half of them mirrored, all moved by the same few pixels."""
    if not ways or x.ndim != 4:
        return x
    if "mirror" in ways:
        x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(2), x)
    if "shift" in ways:
        most = [max(round(SHIFT * n), 1) for n in x.shape[1:3]]
        top, left = (int(torch.randint(0, 2 * m + 1, ())) for m in most)
        padded = F.pad(x.permute(0, 3, 1, 2), (most[1], most[1], most[0], most[0]), mode="replicate")
        x = padded.permute(0, 2, 3, 1)[:, top : top + x.shape[1], left : left + x.shape[2]]
    return x


def _scores(net: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    if isinstance(net, TorchGraph):
        found: tuple[Any, ...] = net.scores(*inputs)
        return found
    given = net(*inputs)
    return given if isinstance(given, tuple) else (given,)


def _classes(net: TorchGraph, samples: Samples, taught: tuple[Array, ...] | None) -> int:
    """The number of classes of which one is to be told; 0 where a value is to be met."""
    labels = samples.labels
    numbered = labels is not None and labels.dtype.kind in "iu" and labels.ndim == 1
    told = taught is not None and len(taught) == 1 and is_probabilities(taught[0])
    if net.ending == "SOFTMAX" or (net.ending == "" and (told or (taught is None and numbered))):
        return net.output_shapes[0][-1]
    return 0


def _targets(net: TorchGraph, samples: Samples) -> Samples:
    """Class numbers as one value a class, for a model in which each class is a yes or no of its own."""
    labels = samples.labels
    if net.ending != "LOGISTIC" or labels is None or labels.dtype.kind not in "iu":
        return samples
    width = net.output_shapes[0][-1]
    if width == 1 or labels.ndim > 1:
        return samples
    numbers = class_numbers(labels, width)
    return replace(samples, labels=np.eye(width)[numbers] if NO_LABEL not in numbers else None)


def _batches(count: int, size: int) -> Iterator[Any]:
    """Indices, all samples in a new order each time; the rest that fills no batch is left out."""
    size = min(size, count)
    while True:
        order = torch.randperm(count)
        yield from order[: count // size * size].reshape(-1, size)


@contextmanager
def _reproducible(seed: int) -> Iterator[None]:
    """Random numbers and algorithms that give the same each time; the caller's state comes back."""
    before = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before)
