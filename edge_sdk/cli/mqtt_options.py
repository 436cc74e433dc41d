"""Command line options of everything that talks to an MQTT broker."""

from __future__ import annotations

import argparse
from typing import Any

from edge_sdk.cli.options import positive

_CREDENTIALS = ("ca", "cert", "key", "username", "password_file")


def add_credentials(parser: argparse.ArgumentParser) -> None:
    for name, text in (("ca", "of the authority"), ("cert", "of this client"), ("key", "of its key")):
        parser.add_argument(f"--{name}", metavar="PEM", help=f"mqtts: PEM file {text}")
    parser.add_argument("--username", metavar="NAME", help="or EDGE_SDK_MQTT_USERNAME in the environment")
    parser.add_argument(
        "--password-file", metavar="FILE", help="or EDGE_SDK_MQTT_PASSWORD in the environment"
    )


def add_publisher(parser: argparse.ArgumentParser) -> None:
    """How results are kept and sent, with the credentials."""
    parser.add_argument("--outbox", metavar="FOLDER", help="keep results there until they have arrived")
    parser.add_argument("--outbox-mb", type=positive, metavar="MB", help="how much may wait (256)")
    parser.add_argument("--max-age", type=float, metavar="S", help="results that are older are dropped")
    parser.add_argument("--policy", choices=("drop-oldest", "drop-newest", "keep-latest"),
                        help="when the outbox is full (drop-oldest)")  # fmt: skip
    parser.add_argument("--device", metavar="NAME", help="of this machine in _id; its host name by default")
    parser.add_argument("--confirmed", action="store_true",
                        help="keep results until edge-sdk listen --confirm has them")  # fmt: skip
    parser.add_argument("--batch", type=positive, metavar="N", help="results in a message, as an array (1)")
    parser.add_argument("--fallback", metavar="URL", action="append", default=[],
                        help="mqtt://host:port to try if the first is away; repeatable")  # fmt: skip
    parser.add_argument("--qos", type=int, choices=(0, 1, 2), help="MQTT quality of service (1)")
    parser.add_argument("--protocol", choices=("auto", "5", "3.1.1"), help="version of MQTT (auto)")
    add_credentials(parser)


def credentials_of(options: argparse.Namespace) -> dict[str, Any]:
    return {name: value for name in _CREDENTIALS if (value := getattr(options, name)) is not None}


def publisher_of(options: argparse.Namespace) -> dict[str, Any]:
    """The options of `edge_sdk.publish.connect` that the user gave."""
    kept = {"max_age_s": options.max_age, "policy": options.policy}
    if options.outbox_mb is not None:
        kept["max_bytes"] = options.outbox_mb << 20
    found = {name: getattr(options, name) for name in ("outbox", "device", "batch", "qos", "protocol")}
    found["confirmed"] = options.confirmed or None
    found["fallbacks"] = options.fallback or None
    found["outbox_options"] = {name: value for name, value in kept.items() if value is not None} or None
    return {**{name: value for name, value in found.items() if value is not None}, **credentials_of(options)}
