"""edge-sdk prune"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import edge_sdk
from edge_sdk.cli.distill import add_augment
from edge_sdk.cli.float_model import add_float_model, float_model
from edge_sdk.cli.options import add_json, positive
from edge_sdk.cli.samples import samples_of
from edge_sdk.cli.screen import emit_json, table
from edge_sdk.errors import InputError
from edge_sdk.optimize import prune
from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.judge import Quality
from edge_sdk.optimize.prune.sparsity import reasons
from edge_sdk.units import KB

_MISSED = 3  # exit status: written, but the target could not be met
_UNITS = {"k": 1e3, "M": 1e6, "G": 1e9, "ms": 1.0}
_HELD_BACK = 0.2  # of --data, to judge by where there is no --test


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_float_model(parser)
    parser.add_argument("-o", "--output", required=True, metavar="OUT.tflite", help="the file to write")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--macs", type=_amount, metavar="0.5|3M", help="multiply-accumulates to keep")
    target.add_argument("--bytes", type=_amount, metavar="0.5|200k", help="size of the file")
    target.add_argument("--latency", type=_amount, metavar="0.6|2ms", help="time of a run on this machine")
    target.add_argument("--sparsity", choices=prune.PATTERNS, help="zero blocks of weights instead")
    parser.add_argument("--share", type=float, default=0.5, help="--sparsity: of the blocks (0.5)")
    parser.add_argument("--data", metavar="WHERE", help="samples to prune by: .npz, a folder, any source")
    parser.add_argument("--test", metavar="WHERE", help="samples to judge by; a fifth of --data by default")
    parser.add_argument("--limit", type=positive, metavar="N", help="take at most N samples of each")
    parser.add_argument("--importance", choices=("activation", "taylor", "weights"), default="",
                        help="what channels are ranked by: activation where there is --data")  # fmt: skip
    parser.add_argument("--multiple", type=positive, default=prune.MULTIPLE, metavar="N",
                        help=f"of channels that layers are left with ({prune.MULTIPLE})")  # fmt: skip
    parser.add_argument("--rounds", type=positive, default=1, metavar="N", help="go there in N steps (1)")
    parser.add_argument("--fine-tune", type=float, nargs="?", const=1.0, metavar="EPOCHS",
                        help="let it learn from the original after each round (1 epoch)")  # fmt: skip
    add_augment(parser)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of fine-tuning and the split (0)")
    parser.add_argument("--threads", type=positive, default=1, metavar="N", help="to time with (1)")
    add_json(parser)


def _amount(text: str) -> tuple[float, bool]:
    """A number, and whether it is a share: one without a unit, up to 1."""
    unit = next((u for u in _UNITS if text.endswith(u)), "")
    try:
        number = float(text[: len(text) - len(unit)])
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a share such as 0.5 nor an amount such as 3M")
    return number * _UNITS.get(unit, 1.0), not unit and number <= 1


def main(options: argparse.Namespace) -> int:
    """0, or 3 where what was asked for cannot be reached: then the nearest there is is written."""
    if os.path.realpath(options.model) == os.path.realpath(options.output):
        raise InputError("the output is the input: give it another name")
    model = float_model(options.model)
    data, test = _samples(model, options)
    if options.sparsity:
        if options.fine_tune is not None:
            raise InputError("--fine-tune would fill the zeros of --sparsity again: tune first")
        sparse = prune.sparsify(model, options.share, options.sparsity, data, test, options.threads)
        _write(options.output, sparse.model)
        _tell(options, sparse.to_dict(), _sparse_text(sparse))
        return 0
    what = next(name for name in ("macs", "bytes", "latency") if getattr(options, name))
    fine_tune = None
    if options.fine_tune is not None:
        fine_tune = prune.FineTune(options.fine_tune, options.seed, options.augment)
    pruned = prune.prune(
        model,
        prune.Target(what, *getattr(options, what)),
        data,
        test,
        options.importance,
        options.multiple,
        options.rounds,
        fine_tune,
        options.threads,
        _doing,
    )
    _write(options.output, pruned.model)
    _tell(options, pruned.to_dict(), _pruned_text(pruned))
    return 0 if pruned.reached else _MISSED


def _samples(content: bytes, options: argparse.Namespace) -> tuple[Samples | None, Samples | None]:
    """Those to prune by and those to judge by."""
    if not options.data and not options.test:
        return None, None
    model = edge_sdk.load(content)
    data = samples_of(options.data, model, options.limit) if options.data else None
    if options.test:
        return data, samples_of(options.test, model, options.limit)
    assert data is not None
    if len(data) < 2:
        raise InputError(f"{options.data} holds one sample: pruning by data needs more")
    judged, used = data.split(_HELD_BACK, options.seed)
    return used, judged


def _write(path: str, model: bytes) -> None:
    try:
        Path(path).write_bytes(model)
    except OSError as problem:
        raise InputError(f"cannot write {path}: {problem.strerror}") from problem


def _doing(what: str) -> None:
    if sys.stderr.isatty():
        print(f"{what} ...", file=sys.stderr)


def _tell(options: argparse.Namespace, report: dict[str, Any], text: list[str]) -> None:
    if options.json:
        emit_json({"model": Path(options.model).name, "output": options.output, **report})
    else:
        print("\n".join([*text, f"written to {options.output}"]))


def _pruned_text(p: prune.Pruned) -> list[str]:
    header = ("layer", "op", "channels", "left", "MMAC", "left", "KB", "left")
    rows = [
        (y.name, y.op, *y.channels, *(m / 1e6 for m in y.macs), *(b / KB for b in y.bytes)) for y in p.layers
    ]
    text = [
        table(header, rows),
        "",
        f"multiply-accumulates {_pair(p.macs, 1e6, 'M')}",
        f"size                 {_pair(p.bytes, KB, ' KB')}",
        f"latency              {_pair(p.latency_ms, 1, ' ms')}, best of runs in turn, "
        f"{p.threads or 'all'} thread{'s' * (p.threads != 1)}",
        *_quality(p.quality),
    ]
    if not p.reached:
        limit = f"{p.target.limit:g}{' of the original' if p.target.share else ''}"
        text.append(f"MISSED: {p.target.what} of {limit} cannot be reached; this is the nearest there is")
    return text


def _sparse_text(s: prune.Sparsified) -> list[str]:
    rows = [(y.name, y.blocks, y.zero, y.zero / y.blocks) for y in s.layers]
    text = [table(("layer", "blocks", "zero", "share"), rows), ""]
    text += reasons(s.left_alone)
    text.append(f"latency {_pair(s.latency_ms, 1, ' ms')}, best of runs in turn")
    if not s.faster:
        text.append("NO GAIN on this machine: int8 kernels skip zeros, where a layer has enough of them")
    return text + _quality(s.quality)


def _pair(values: tuple[float, float], unit: float, name: str) -> str:
    before, after = values
    return f"{before / unit:.3f}{name} -> {after / unit:.3f}{name}, ratio {after / before:.3f}"


def _quality(q: Quality | None) -> list[str]:
    return [] if q is None else [str(q)]
