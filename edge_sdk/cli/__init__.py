"""The command `edge-sdk`. Each subcommand has its module here; this one reads the command line.

Exit status: 0, 1 where the work ended with losses (skipped inputs, undelivered results), 2 for a
mistake or a failure, told in one line on stderr, 3 where a result was written that misses what was asked
for, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from edge_sdk.errors import EdgeError
from edge_sdk.version import __version__

COMMANDS = {
    "run": "run a model on pictures or sensor windows and publish the results",
    "listen": "show the results that reach a broker, each once",
    "outbox": "show, deliver or export the results that wait in an outbox",
    "inspect": "show a model: graph, tensors, quantization, memory plan, kernels",
    "check": "run models beside LiteRT's reference kernels and name the first tensor that differs",
    "bench": "time a model: load, first run, steady state, each op, memory, energy; beside others if wanted",
    "tune": "measure which kernels suit a model on this device, and keep the choice beside it",
    "compare": "show versions of a model side by side: accuracy, latency, size, energy; as a picture, too",
    "quantize": "make a model smaller and faster: int8 and less, within an allowed loss of accuracy",
    "prune": "remove channels of a float model, or zero blocks of weights, down to a target",
    "distill": "teach a small model what a large one says, and show what that was worth",
    "compress": "quantize, prune and teach a model until it keeps to a budget",
    "boards": "list the board profiles, and which one this machine is",
    "demo": "the whole way: two models, a broker, a subscriber, a picture of the results",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of argparse's usage block."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = _Parser(prog="edge-sdk", description="Run .tflite models on small Linux devices.")
    parser.add_argument("--version", action="version", version=f"edge-sdk {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    return parser, {
        name: commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        for name, text in COMMANDS.items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the return value is the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser, subparsers = _parser()
    # Only the module of the command at hand is loaded, and only it knows the command's options.
    wanted = next((a for a in arguments if not a.startswith("-")), None)
    module = importlib.import_module(f"edge_sdk.cli.{wanted}") if wanted in COMMANDS else None
    if module is not None and wanted is not None:
        module.add_arguments(subparsers[wanted])
    options = parser.parse_args(arguments)
    logging.basicConfig(format="edge-sdk: %(message)s", level=logging.WARNING)
    warnings.showwarning = lambda message, *_: _tell(str(message))
    try:
        status: int = module.main(options) if module else 2
        sys.stdout.flush()
        return status
    except EdgeError as problem:
        _tell(f"{options.command}: {problem}")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read the output has enough of it, as in `edge-sdk inspect MODEL | head`. Python would
        # complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _tell(text: str) -> None:
    print(f"edge-sdk: {' '.join(text.split())}", file=sys.stderr)
