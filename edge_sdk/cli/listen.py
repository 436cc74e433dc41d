"""edge-sdk listen"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from edge_sdk import publish
from edge_sdk.cli.mqtt_options import add_credentials, credentials_of
from edge_sdk.cli.options import add_json, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="mqtt[s]://host:port/topic; + and # are wildcards")
    parser.add_argument("--name", metavar="NAME", help="the broker keeps results for it while it is away")
    parser.add_argument("--state", metavar="FILE", help="remember there what has come, over restarts")
    parser.add_argument("--confirm", action="store_true", help="tell publishers what has come")
    parser.add_argument("--count", type=positive, metavar="N", help="stop after so many")
    parser.add_argument("--seconds", type=float, metavar="S", help="stop after so long")
    add_credentials(parser)
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    end = None if options.seconds is None else time.monotonic() + options.seconds
    count = 0
    with publish.subscribe(
        options.url,
        name=options.name,
        state=options.state,
        confirm=options.confirm,
        **credentials_of(options),
    ) as results:
        while options.count is None or count < options.count:
            left = None if end is None else end - time.monotonic()
            found = results.next(left) if left is None or left > 0 else None
            if found is None:
                break
            count += 1
            if options.json:
                print(json.dumps({"topic": found.topic, **found.payload}, ensure_ascii=False), flush=True)
            else:
                print(line_of(found.topic, found.payload), flush=True)
            results.done()
    return 0


def line_of(topic: str, payload: dict[str, Any]) -> str:
    """One result for people: where it is from, and what was found."""
    device, _, _ = str(payload.get("_id", "")).rpartition("/")[0].rpartition("/")
    found = [
        f"{entry.get('label', '?')} {entry['score']:.2f}"
        for entry in payload.get("results") or ()
        if isinstance(entry, dict) and isinstance(entry.get("score"), (int, float))
    ]
    rest = {k: v for k, v in payload.items() if k not in ("_id", "results")}
    return f"{device:16} {topic:24} {'; '.join(found) or json.dumps(rest, ensure_ascii=False)[:120]}"
