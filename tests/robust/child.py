"""Runs models in child processes, so that a crash or a hang in one is seen, named and survived."""

from __future__ import annotations

import multiprocessing as mp
import signal
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

TIMEOUT_S = 60
# A mutant may ask for more work than a test has time for: it is planned, not run.
MOST_BYTES, MOST_MACS = 1 << 26, 10**8
# What it asks for while running, by shapes that it computes, is refused beyond this on every machine.
LIMIT_BYTES = 1 << 30


def outcome(model: bytes) -> str:
    """What becomes of a model file: "ran", "planned", or the error's type and message."""
    from edge_sdk import _native

    try:
        parsed = _native.ParsedModel.from_bytes(model)
        parsed.tensors(), parsed.nodes(), parsed.signatures(), parsed.metadata(), parsed.missing_ops()
        limits = _native.Limits()
        limits.memory_bytes = LIMIT_BYTES
        plan = _native.Plan(parsed, limits=limits)
        if plan.arena_bytes > MOST_BYTES or sum(step["macs"] for step in plan.steps()) > MOST_MACS:
            return "planned"
        session = _native.Session(plan, 2)
        for tensor in plan.inputs():
            session.view(tensor)[...] = 1
        session.run()
        for tensor in plan.outputs():
            session.view(tensor).copy()
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "edge_sdk.errors"]
        return f"{kinds[-2] if len(kinds) > 1 else type(error).__name__}: {error}"
    return "ran"


def _serve(connection: Connection) -> None:
    while True:
        connection.send(outcome(connection.recv_bytes()))


class _Child:
    def __init__(self) -> None:
        context = mp.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, model: bytes) -> str | None:
        """The outcome; None if the child hung. Raises EOFError or OSError if it died."""
        self.connection.send_bytes(model)
        return str(self.connection.recv()) if self.connection.poll(TIMEOUT_S) else None

    def end(self) -> int:
        """Ends the child; its exit code, negative for a signal that it died of by itself."""
        self.process.join(5)
        code = self.process.exitcode
        self.process.kill()
        self.process.join()
        self.connection.close()
        return 0 if code is None else code


def outcomes(models: Iterable[bytes]) -> Iterator[str]:
    """`outcome` of each model; "signal <name>" or "hang" where that is how it ended."""
    child = _Child()
    try:
        for model in models:
            try:
                answer = child.ask(model)
            except (EOFError, OSError):
                code = child.end()
                answer = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
                child = _Child()
            if answer is None:
                child.process.kill()
                child.end()
                answer = "hang"
                child = _Child()
            yield answer
    finally:
        child.process.kill()
        child.end()
