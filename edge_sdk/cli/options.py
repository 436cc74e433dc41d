"""Options that several commands share."""

from __future__ import annotations

import argparse
import os

from edge_sdk import boards
from edge_sdk.energy import Meter, MeterError, open_meter
from edge_sdk.errors import InputError


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a .tflite file")


def add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads", type=positive, metavar="N", help="CPUs to use; all that are free by default"
    )
    parser.add_argument(
        "--board", metavar="NAME", help="a board profile (edge-sdk boards); detected by default"
    )


def add_meter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--meter", metavar="NAME[:WHAT]",
                        help="the power meter: hwmon:RAIL, rapl, pmic, module:Class, ... (docs/energy.md); "
                             "the first that there is by default, `none` for none")  # fmt: skip


def meter_or_reason(where: str | None, board: boards.BoardProfile) -> Meter | str:
    """The meter that --meter names, or else the first that is there; or why there is none."""
    if where == "none":
        return "nobody asked for it"
    try:
        return open_meter(where, board)
    except MeterError as problem:
        if where is not None:
            raise
        return str(problem)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="print JSON for programs instead of text for people"
    )


def board_of(options: argparse.Namespace) -> boards.BoardProfile:
    """The profile that --board names, or that of this machine; the process keeps to the CPUs that it pins."""
    profile = boards.load_board(options.board) if options.board else boards.detect()
    boards.pin(profile)
    return profile


def positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no integer from 1 on")
    return number


def existing_file(path: str) -> str:
    if not os.path.isfile(path):
        raise InputError(f"there is no file {path}")
    return path
