"""edge-sdk demo: the main job from end to end, with what the package brings along."""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from edge_sdk import model, publish, resources, sources, tasks
from edge_sdk.cli.options import add_machine, board_of
from edge_sdk.cli.screen import Progress, emit_json, table
from edge_sdk.errors import EdgeError, PublishError
from edge_sdk.pipeline import Pipeline
from edge_sdk.publish.broker import Broker as BrokerAddress
from edge_sdk.publish.broker import parse

_WAIT_S = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--broker", metavar="URL", help="mqtt://host:port of yours; an embedded one by default"
    )
    parser.add_argument("--out", default="out", metavar="FOLDER", help="where the picture goes (out)")
    add_machine(parser)


@dataclass(frozen=True)
class Job:
    """One model, its input and the topic below the demo's own."""

    topic: str
    model: Path
    source: Any
    options: dict[str, Any]


def main(options: argparse.Namespace) -> int:
    out = Path(options.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise EdgeError(f"cannot make the folder {out}: {problem}") from problem
    with tempfile.TemporaryDirectory() as scratch, _broker(options.broker) as url:
        jobs = _jobs(Path(scratch))
        with _Subscriber(f"{url}/edge-demo/+") as subscriber:
            published = sum(_run(job, url, options) for job in jobs)
            subscriber.wait_for(published)
        events = subscriber.events
    print(_as_table(events))
    picture = _draw(events, out / "demo.png")
    print(f"\n{published} published, {len(events)} received; see {picture}")
    emit_json({"published": published, "received": len(events), "picture": str(picture)})
    return 0 if len(events) == published > 0 else 1


def _jobs(scratch: Path) -> list[Job]:
    models, pictures = resources.folder("models"), resources.folder("examples/data") / "clothing"
    jobs = [Job("clothing", models / "fashion_mnist" / "fashion_mnist_int8.tflite", pictures, {})]
    data = _motion_data(models / "motion" / "data.py")
    if not data.available():
        print(
            "no motion windows: they come from a package that is not here: pip install --no-deps aeon",
            file=sys.stderr,
        )
        return jobs
    rows = scratch / "motion.csv"
    files = data.export(scratch / "windows")
    header = files[0].read_text().split("\n", 1)[0]
    rows.write_text(
        "\n".join([header, *(f.read_text().split("\n", 1)[1].rstrip("\n") for f in files)]) + "\n"
    )
    read = {"window": data.STEPS, "columns": list(data.CHANNELS), "label": "label"}
    return [*jobs, Job("motion", models / "motion" / "motion_int8.tflite", rows, read)]


def _motion_data(path: Path) -> ModuleType:
    """The recipe's reader of its data: it lies beside the model, not in the package."""
    spec = importlib.util.spec_from_file_location("edge_demo_motion_data", path)
    if spec is None or spec.loader is None:
        raise EdgeError(f"cannot read {path}: install edge-sdk-runtime again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(job: Job, url: str, options: argparse.Namespace) -> int:
    """Runs one job to its end; the number of results that the broker took."""
    loaded = model.load(job.model, threads=options.threads, board=board_of(options))
    source = sources.open_source(job.source, **job.options)
    publisher = publish.connect(f"{url}/edge-demo/{job.topic}")
    with source, publisher, Progress(job.topic) as progress:
        task = tasks.for_model(loaded, top_k=1)
        summary = Pipeline(source, loaded, task, publisher).run(on_event=progress.tick)
        left = publisher.flush(_WAIT_S)
    if left:
        print(f"edge-sdk demo: {left} results did not reach {url}", file=sys.stderr)
    return summary.published


@contextmanager
def _broker(url: str | None) -> Iterator[str]:
    """The URL of the user's broker, or of one that lives as long as the demo."""
    if url:
        yield url.rstrip("/")
        return
    try:
        from iotcore import Broker
    except ImportError:
        raise PublishError(
            "the demo's broker is not installed: pip install 'edge-sdk-runtime[demo]', or give --broker mqtt://host"
        ) from None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Broker(port=port, listen="127.0.0.1"):
        yield f"mqtt://127.0.0.1:{port}"


class _Subscriber:
    """A second MQTT client, which knows of the results only what the broker sends it."""

    def __init__(self, url: str) -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        base, _, self._topic = url.partition("/edge-demo/")
        self._address: BrokerAddress = parse(f"{base}/edge-demo")
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe(f"edge-demo/{self._topic}", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _client, _data, message: self._receive(message)

    def _receive(self, message: Any) -> None:
        with self._changed:
            self.events.append((message.topic.rpartition("/")[2], json.loads(message.payload)))
            self._changed.notify()

    def wait_for(self, count: int) -> None:
        """Until so many events have come, or nothing has for a while."""
        with self._changed:
            while len(self.events) < count:
                before = len(self.events)
                if not self._changed.wait(_WAIT_S) and len(self.events) == before:
                    return

    def __enter__(self) -> _Subscriber:
        if self._address.username:
            self._client.username_pw_set(self._address.username, self._address.password)
        if self._address.tls:
            self._client.tls_set_context(self._address.tls)
        try:
            self._client.connect(self._address.host, self._address.port)
        except OSError as problem:
            raise PublishError(f"no broker at {self._address}: {problem}") from problem
        self._client.loop_start()
        if not self._subscribed.wait(_WAIT_S):
            raise PublishError(f"{self._address} did not confirm the subscription")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _as_table(events: list[tuple[str, dict[str, Any]]]) -> str:
    with (resources.folder("examples/data") / "clothing.csv").open(newline="") as file:
        known = {line["file"]: line["label"] for line in csv.DictReader(file)}

    def row(topic: str, event: dict[str, Any]) -> tuple[Any, ...]:
        best = event["results"][0] if event["results"] else {"label": "", "score": 0.0}
        truth = event.get("truth") or known.get(event["frame"], "")
        right = "" if not truth else "yes" if truth == best["label"] else "NO"
        return topic, event["frame"], best["label"], best["score"], truth, right, event["timings_ms"]["run"]

    return table(("topic", "frame", "result", "score", "truth", "right", "run ms"), [row(*e) for e in events])


def _draw(events: list[tuple[str, dict[str, Any]]], path: Path) -> Path:
    """The pictures as the subscriber's messages name them, each with its result."""
    from PIL import Image

    from edge_sdk.tasks.annotate import contact_sheet

    folder = resources.folder("examples/data") / "clothing"
    shown = []
    for topic, event in events:
        if topic == "clothing" and event["results"]:
            best = event["results"][0]
            with Image.open(folder / event["frame"]) as picture:
                shown.append((picture.convert("RGB"), f"{best['label']} {best['score']:.2f}"))
    contact_sheet(shown, columns=8, side=120).save(path)
    return path
