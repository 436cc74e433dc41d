"""edge-sdk outbox"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edge_sdk import publish
from edge_sdk.cli.mqtt_options import add_credentials, credentials_of
from edge_sdk.cli.options import add_json
from edge_sdk.cli.screen import emit_json, table
from edge_sdk.errors import PublishError
from edge_sdk.publish.clock import Clock, age_s
from edge_sdk.publish.store import FILE, Damaged, Full, Row, Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="what waits, and what was dropped")
    export = actions.add_parser("export", help="write what waits as lines of JSON; it goes on waiting")
    drain = actions.add_parser("drain", help="deliver what waits, whatever device it is from")
    for action in (show, export, drain):
        action.add_argument("folder", metavar="FOLDER", help="of an outbox")
    export.add_argument("-o", "--output", metavar="FILE", help="instead of the standard output")
    drain.add_argument("url", metavar="URL", help="mqtt[s]://host:port/topic; results keep their own topics")
    drain.add_argument("--wait", type=float, default=60.0, metavar="S", help="how long to try (60)")
    add_credentials(drain)
    for action in (show, drain):
        add_json(action)


def main(options: argparse.Namespace) -> int:
    folder = Path(options.folder)
    if not (folder / FILE).is_file():
        raise PublishError(f"{folder} is no outbox: it holds no {FILE}")
    try:
        return {"show": _show, "export": _export, "drain": _drain}[options.action](options, folder)
    except (Full, Damaged) as problem:
        raise PublishError(
            f"cannot read the outbox {folder}: {problem}; a publisher that opens it repairs it"
        ) from problem


def _show(options: argparse.Namespace, folder: Path) -> int:
    store = Store(folder, write=False)
    count, size, _ = store.totals()
    dropped = store.dropped()
    topics = Counter(row.topic for row in _rows(store))
    oldest = next(iter(store.sizes()), None)
    age = None if oldest is None else age_s(oldest[2], Clock().now())
    found = {
        "folder": str(folder),
        "device": store.get("device"),
        "waiting": count,
        "bytes": size,
        "oldest_s": None if age is None else round(age, 1),
        "topics": dict(topics),
        "dropped": dropped,
    }
    store.close()
    if options.json:
        emit_json(found)
        return 0
    old = "" if age is None else f", the oldest for {age:.0f} s"
    print(f"{count} results of {found['device']} wait ({size / 1e6:.1f} MB{old})")
    if topics:
        print(table(("topic", "waiting"), sorted(topics.items())))
    if dropped:
        print("dropped since it was made: " + ", ".join(f"{n} ({why})" for why, n in dropped.items()))
    return 0


def _export(options: argparse.Namespace, folder: Path) -> int:
    store = Store(folder, write=False)
    lines = (json.dumps(_exported(row), ensure_ascii=False) + "\n" for row in _rows(store))
    if not options.output:
        sys.stdout.writelines(lines)
        return 0
    try:
        with open(options.output, "w", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError as problem:
        raise PublishError(f"cannot write {options.output}: {problem.strerror}") from problem
    return 0


def _exported(row: Row) -> dict[str, Any]:
    wall_ns = row.at.wall_ns
    return {
        "topic": row.topic,
        "payload": json.loads(row.payload),
        "boot": row.at.boot,
        "since_boot_ns": row.at.since_boot_ns,
        "time": None if wall_ns is None else datetime.fromtimestamp(wall_ns / 1e9, timezone.utc).isoformat(),
    }


def _rows(store: Store) -> Iterator[Row]:
    after = -1
    while True:
        rows, bad = store.read(after, 500)
        yield from rows
        if not rows and not bad:
            return
        after = max([*bad, *(row.number for row in rows)])


def _drain(options: argparse.Namespace, folder: Path) -> int:
    store = Store(folder, write=False)
    owner, before = str(store.get("device")), store.totals()[0]
    store.close()
    end = time.monotonic() + options.wait
    with publish.connect(options.url, outbox=folder, device=owner, **credentials_of(options)) as publisher:
        left = before
        while left and time.monotonic() < end:
            left = publisher.flush(min(5.0, max(0.0, end - time.monotonic())))
            if left:
                print(f"edge-sdk outbox: {left} of {before} wait", file=sys.stderr)
    if options.json:
        emit_json({"delivered": before - left, "left": left})
    else:
        print(f"{before - left} results delivered, {left} left")
    return 1 if left else 0
