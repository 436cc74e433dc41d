"""edge-sdk boards"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from edge_sdk import boards
from edge_sdk.cli.options import add_json
from edge_sdk.cli.screen import emit_json, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="show this profile whole")
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    here = boards.detect()
    if options.name:
        profile = boards.load_board(options.name)
        if options.json:
            emit_json(_json_ready(profile))
        else:
            print(table(("key", "value"), [(k, v) for k, v in _json_ready(profile).items()]))
        return 0
    profiles = [boards.load_board(name) for name in boards.list_boards()]
    if options.json:
        emit_json({"detected": here.name, "boards": [_json_ready(p) for p in profiles]})
        return 0
    rows = [
        (
            "*" if p.name == here.name else "",
            p.name,
            p.title,
            ", ".join(f"{len(c.cpus)}x {c.core}" for c in p.clusters) or "any",
            p.isa,
            p.threads or "all",
            ", ".join(d.name for d in p.delegates) or "none",
        )
        for p in profiles
    ]
    print(table(("", "name", "board", "cores", "isa", "threads", "delegates"), rows))
    print("* this machine")
    return 0


def _json_ready(profile: boards.BoardProfile) -> dict[str, object]:
    fields = asdict(profile)
    fields["match"] = {k: dict(v) if isinstance(v, dict) else list(v) for k, v in fields["match"].items()}
    return fields
