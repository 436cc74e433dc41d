"""edge-sdk distill"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import edge_sdk
from edge_sdk.cli.options import add_json, existing_file, positive
from edge_sdk.cli.samples import samples_of
from edge_sdk.cli.screen import Progress, emit_json, table
from edge_sdk.errors import BackendError, InputError
from edge_sdk.optimize.data import Samples
from edge_sdk.optimize.train import AUGMENTS, need_torch
from edge_sdk.units import KB, size_text

_TEST_SHARE = 0.2  # of the labelled samples, where there is no --test
_NO_LABEL = -1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--teacher", required=True, metavar="T.tflite", help="any model; it is only run")
    parser.add_argument("--student", required=True, metavar="S",
                        help="a preset (tiny_cnn, ds_cnn, resnet8, mlp; with a width: ds_cnn:16), "
                        "a .py file with student(input_shape, outputs) giving a torch module, "
                        "or a float .tflite")  # fmt: skip
    parser.add_argument("--data", required=True, metavar="WHERE",
                        help="samples: .npz (label -1: none), a folder, any source")  # fmt: skip
    parser.add_argument("--unlabelled", metavar="WHERE", help="more samples, whose labels are not looked at")
    parser.add_argument("--test", metavar="WHERE", help="samples to judge by; a fifth of --data by default")
    parser.add_argument("--limit", type=positive, metavar="N", help="take at most N samples of each")
    parser.add_argument("-o", "--output", required=True, metavar="OUT.tflite", help="the file to write")
    parser.add_argument("--quantize", metavar="INT8.tflite", help="write it in int8 as well")
    parser.add_argument("--epochs", type=float, default=10, metavar="N", help="passes over the samples (10)")
    parser.add_argument(
        "--trials", type=positive, default=6, metavar="N", help="short trainings to tune each way by (6)"
    )
    parser.add_argument(
        "--seeds", type=positive, default=3, metavar="N", help="trainings to take the mean of (3)"
    )
    add_augment(parser)
    parser.add_argument("--threads", type=positive, metavar="N", help="CPUs to train with; all by default")
    add_json(parser)


def add_augment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--augment", type=_augment, default=(), metavar="shift,mirror", help="change pictures while training"
    )


def _augment(text: str) -> tuple[str, ...]:
    ways = tuple(text.split(","))
    if not set(ways) <= set(AUGMENTS):
        raise argparse.ArgumentTypeError(f"{text!r}: it is one or more of {', '.join(AUGMENTS)}")
    return ways


def main(options: argparse.Namespace) -> int:
    """0; 1 where the student does no better than without its teacher, or than it did before."""
    teacher = existing_file(options.teacher)
    if options.student.endswith((".py", ".tflite")):
        existing_file(options.student)
    for path in filter(None, (options.output, options.quantize)):
        if not os.path.isdir(os.path.dirname(path) or "."):
            raise InputError(f"there is no folder {os.path.dirname(path)} to write to")
    if not options.epochs > 0:
        raise InputError(f"--epochs {options.epochs:g}: more than 0 is needed")
    need_torch()
    if options.quantize and find_spec("litert_quantizer") is None:
        raise BackendError("--quantize needs litert-quantizer: pip install 'edge-sdk-runtime[optimize]'")
    import torch

    from edge_sdk.optimize.train.distill import distill

    if options.threads:
        torch.set_num_threads(options.threads)
    samples, test = _samples(options)
    found = distill(
        Path(teacher).read_bytes(),
        options.student,
        samples,
        test,
        options.epochs,
        options.trials,
        options.seeds,
        options.augment,
        bool(options.quantize),
        _Bars(),
    )
    Path(options.output).write_bytes(found.model)
    if found.quantized is not None:
        Path(options.quantize).write_bytes(found.quantized)
    report = {"teacher": Path(teacher).name, "output": options.output, **found.to_dict()}
    report["int8"] = options.quantize
    if options.json:
        emit_json(report)
    else:
        print("\n".join(_text(report)))
    return int(not found.helped)


def _samples(options: argparse.Namespace) -> tuple[Samples, Samples]:
    """Those to learn from and those to judge by."""
    model = edge_sdk.load(options.teacher)
    data = samples_of(options.data, model, options.limit)
    if options.test:
        test = samples_of(options.test, model, options.limit)
    else:
        data, test = _split(data)
    if options.unlabelled:
        more = samples_of(options.unlabelled, model, options.limit)
        inputs = tuple(np.concatenate(pair) for pair in zip(data.inputs, more.inputs))
        labels = data.labels
        if labels is not None:
            labels = np.concatenate([labels, np.full((len(more), *labels.shape[1:]), _NO_LABEL)])
        data = replace(data, inputs=inputs, labels=labels)
    return data, test


def _split(data: Samples) -> tuple[Samples, Samples]:
    """A fifth of the samples for the test, of those with labels where some have one."""
    labels = data.labels
    numbered = labels is not None and labels.dtype.kind in "iu" and labels.ndim == 1
    known = np.flatnonzero(labels != _NO_LABEL) if numbered else np.arange(len(data))
    if len(known) < 10:
        raise InputError(f"{data.origin}: {len(known)} samples to train and test with; give --test or more")
    chosen = np.random.default_rng(0).permutation(known)[: max(round(_TEST_SHARE * len(known)), 1)]
    rest = np.setdiff1d(np.arange(len(data)), chosen)
    return data.take(rest), data.take(np.sort(chosen))


class _Bars:
    """One bar after another on stderr."""

    def __init__(self) -> None:
        self._what, self._bar = "", Progress("")

    def __call__(self, what: str, done: int, total: int) -> None:
        if what != self._what:
            self._bar.close()
            self._what, self._bar = what, Progress(what, total, sys.stderr)
        self._bar(done)
        if done == total:
            self._bar.close()


def _text(r: dict[str, Any]) -> list[str]:
    taught, control, metric = r["taught"], r["control"], r["metric"]
    rows = [("teacher", r["teacher_score"], "", r["bytes"][0] / KB, r["macs"][0] / 1e6)]
    if r["before_score"] is not None:
        rows.append(("student, before", r["before_score"], "", r["bytes"][1] / KB, r["macs"][1] / 1e6))
    for name, arm in (("student, from labels alone", control), ("student, taught", taught)):
        if arm is not None:
            rows.append((name, arm["mean"], f"{arm['spread']:.3f}", r["bytes"][1] / KB, r["macs"][1] / 1e6))
    lines = [
        table(("", metric, "spread", "KB", "MMAC"), rows),
        "",
        f"{r['samples']} samples, {r['labelled']} with labels; {r['test_samples']} to test; "
        f"{r['steps']} steps a training, {len(taught['scores'])} seeds",
        f"taught:  {_settings(taught)}",
    ]
    if control is None:
        lines.append("no control: there are no labels to learn from without the teacher")
    else:
        lines.append(f"control: {_settings(control)}")
        closed = r["gap_closed"]
        lines.append(
            "the control is as good as the teacher: there is no gap to close"
            if closed is None
            else f"the teacher closes {100 * closed:.0f} % of the gap between it and the control"
        )
    if r["spoilt"]:
        lines.append(
            f"NOT TAUGHT: {metric} was {r['before_score']:.4f} before and {r['first_seed_score']:.4f} after, "
            "so the student is written as it came; more samples, epochs or trials may help"
        )
    lines.append(f"{metric} of the file: {r['file_score']:.4f}; written to {r['output']}")
    if r["int8"]:
        size = size_text(r["quantized_bytes"])
        lines.append(f"in int8: {r['quantized_score']:.4f}, {size}; written to {r['int8']}")
    return lines


def _settings(arm: dict[str, Any]) -> str:
    s = arm["settings"]
    teacher = f"temperature {s['temperature']:g}, alpha {s['alpha']:g}, " if arm["from_teacher"] else ""
    augment = ",".join(s["augment"]) or "none"
    rates = f"rate {s['rate']:g}, weight decay {s['decay']:g}"
    return f"{teacher}{rates}, augment {augment}; best of {arm['trials']} trials"
