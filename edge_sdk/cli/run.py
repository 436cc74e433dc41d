"""edge-sdk run"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from edge_sdk import labels, model, publish, sources, tasks
from edge_sdk.cli.conventions import Sensors, add_conventions, check_conventions, conventions_of, tracker_of
from edge_sdk.cli.mqtt_options import add_publisher, publisher_of
from edge_sdk.cli.options import add_json, add_machine, add_meter, board_of, meter_or_reason, positive
from edge_sdk.cli.screen import Progress, emit_json
from edge_sdk.energy import not_measured
from edge_sdk.pipeline import Pipeline, Summary
from edge_sdk.publish.base import all_of
from edge_sdk.sources import masks
from edge_sdk.types import Detection, Event

# How often the wait for an absent broker is told.
_TELL_EVERY_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, metavar="FILE", help="a .tflite file")
    parser.add_argument("--source", required=True, metavar="WHERE",
                        help="a picture, a folder, a glob, FILE.csv, or synthetic:")  # fmt: skip
    parser.add_argument("--task", choices=sorted(tasks.TASKS), help="what the model does; guessed by default")
    parser.add_argument("--labels", metavar="FILE", help="class names; those inside of the model by default")
    parser.add_argument("--top-k", type=positive, metavar="N", help="classes per frame (5)")
    parser.add_argument("--threshold", type=float, metavar="SCORE", help="lowest score (0.5 for detections)")
    parser.add_argument("--publish", metavar="WHERE", action="append", default=[],
                        help="mqtt[s]://host:port/topic, stdout, FILE.jsonl; repeatable")  # fmt: skip
    add_publisher(parser)
    add_conventions(parser)
    add_meter(parser)
    parser.add_argument("--wait", type=float, default=60.0, metavar="S",
                        help="how long to wait at the end for a broker that is away (60)")  # fmt: skip
    parser.add_argument("--mask", metavar="X,Y,W,H", action="append", default=[],
                        help="pixels to blacken before anything sees the picture; repeatable")  # fmt: skip
    parser.add_argument("--frames", type=positive, metavar="N", help="stop after so many")
    parser.add_argument(
        "--window", type=positive, metavar="ROWS", help="csv: rows of a window; the model's by default"
    )
    parser.add_argument("--stride", type=positive, metavar="ROWS", help="csv: rows between windows")
    parser.add_argument("--columns", metavar="A,B,..", help="csv: the channels")
    parser.add_argument("--truth", metavar="COLUMN", help="csv: the column of the true label")
    parser.add_argument("--backend", choices=("auto", "native", "litert"), default="auto")
    parser.add_argument(
        "--delegate", action="append", default=[], metavar="NAME", help="edgetpu, or a library file"
    )
    parser.add_argument("--require", choices=("warn", "strict", "allow"), default="warn",
                        help="when ops fall back to another backend (warn)")  # fmt: skip
    add_machine(parser)
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    board = board_of(options)
    loaded = model.load(
        options.model,
        threads=options.threads,
        board=board,
        backend=options.backend,
        delegates=options.delegate,
        require=options.require,
    )
    task = tasks.for_model(
        loaded,
        options.task,
        labels.from_file(options.labels) if options.labels else (),
        **_given(top_k=options.top_k, threshold=options.threshold),
    )
    check_conventions(options)
    meter = meter_or_reason(options.meter, board)
    tracker, sensors = tracker_of(options, task), Sensors(board, options.meter)
    destination = _connect(options, lambda: conventions_of(options, task, sensors))
    source = sources.open_source(options.source, **_source_options(options, loaded))
    with source, destination, Progress(loaded.name, options.frames) as progress:

        def on_event(event: Event) -> None:
            if not options.publish and not options.json:
                print(line_of(event))
            progress.tick()
            sensors.read()

        try:
            pipeline = Pipeline(source, loaded, task, destination, tracker)
            if isinstance(meter, str):
                summary = pipeline.run(options.frames, on_event)
                if options.meter != "none":
                    summary = replace(summary, energy=not_measured(meter))
            else:
                with meter:
                    summary = pipeline.run(options.frames, on_event, meter)
        finally:
            left = _deliver(destination, options.wait)
    return _report(options, summary, left, source.reasons)


def line_of(event: Event) -> str:
    """One frame's results for people."""
    found = []
    for r in event.results:
        where = ""
        if isinstance(r, Detection):
            where = " at " + ",".join(f"{v:.0f}" for v in (r.box.xmin, r.box.ymin, r.box.xmax, r.box.ymax))
        found.append(f"{r.label} {r.score:.3f}{where}")
    return f"{event.frame_id}: {'; '.join(found) or 'nothing'}"


def _given(**options: Any) -> dict[str, Any]:
    """The options that the user gave; what is left out keeps the class's own default."""
    return {k: v for k, v in options.items() if v is not None}


def _source_options(options: argparse.Namespace, loaded: model.Model) -> dict[str, Any]:
    given = _given(window=options.window, stride=options.stride, label=options.truth)
    if options.columns:
        given["columns"] = options.columns.split(",")
    if options.mask:
        given["masks"] = [masks.parse(text) for text in options.mask]
    if options.source.startswith("synthetic:"):
        shape = loaded.inputs[0].shape
        given["shape"] = (*shape[1:3], 3) if len(shape) == 4 else shape[-2:]
    elif options.source.lower().endswith(".csv") and "window" not in given:
        # A window has as many readings as the model takes: [1, time, channels].
        shape = loaded.inputs[0].shape
        given["window"] = shape[1] if len(shape) >= 3 else shape[0]
    return given


class _All:
    """Several publishers as one; none at all takes everything and keeps nothing."""

    def __init__(self, publishers: list[publish.Publisher]) -> None:
        self._publishers = publishers

    def send(self, payload: Any) -> None:
        for p in self._publishers:
            p.send(payload)

    def send_nowait(self, payload: Any) -> Future[None]:
        return all_of([p.send_nowait(payload) for p in self._publishers])

    def flush(self, timeout_s: float) -> int:
        end = time.monotonic() + timeout_s
        return sum(p.flush(max(0.0, end - time.monotonic())) for p in self._publishers)

    def close(self) -> None:
        for p in self._publishers:
            p.close()

    def __enter__(self) -> _All:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _connect(options: argparse.Namespace, conventions: Callable[[], dict[str, Any]]) -> _All:
    publishers = []
    for url in options.publish:
        more: dict[str, Any] = {}
        if url.startswith(("mqtt", "ws")):
            more = {**publisher_of(options), **conventions()}
        publishers.append(publish.connect(url, **more))
    return _All(publishers)


def _deliver(destination: _All, wait_s: float) -> int:
    """Waits until all is delivered, at most `wait_s`, and says what it waits for; how many are left."""
    end = time.monotonic() + wait_s
    while True:
        left = destination.flush(max(0.0, min(_TELL_EVERY_S, end - time.monotonic())))
        if left == 0 or time.monotonic() >= end:
            return left
        print(
            f"edge-sdk run: {left} results wait for the broker, {end - time.monotonic():.0f} s more",
            file=sys.stderr,
        )


def _report(options: argparse.Namespace, summary: Summary, left: int, reasons: list[str]) -> int:
    fps = summary.frames / summary.seconds if summary.seconds else 0.0
    if options.json:
        emit_json(
            {
                "frames": summary.frames,
                "published": summary.published if options.publish else 0,
                "undelivered": left,
                "dropped": summary.dropped,
                "refused": summary.refused,
                "skipped": summary.skipped,
                "reasons": reasons,
                "seconds": round(summary.seconds, 3),
                "fps": round(fps, 2),
                "energy": summary.energy and summary.energy.to_dict(),
            }
        )
    else:
        text = f"{summary.frames} frames in {summary.seconds:.2f} s ({fps:.1f}/s)"
        text += f", {summary.dropped} dropped" if summary.dropped else ""
        text += f", {summary.skipped} skipped" if summary.skipped else ""
        text += f", {summary.refused} refused by the outbox" if summary.refused else ""
        if left:
            text += f", {left} not delivered" if options.outbox is None else f", {left} wait in the outbox"
        print(text, file=sys.stderr)
        if summary.energy and (options.meter or summary.energy.joules is not None):
            print(f"energy: {summary.energy.text}", file=sys.stderr)
    lost = left if options.outbox is None else 0  # what is in an outbox goes out with the next run
    return 1 if summary.skipped or summary.refused or lost else 0
