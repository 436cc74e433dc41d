"""The energy of one run of the native runtime, on random inputs."""

from __future__ import annotations

import os

from edge_sdk.bench.inputs import random_inputs
from edge_sdk.bench.peers import model_file, open_peer
from edge_sdk.boards import BoardProfile
from edge_sdk.energy import Energy, MeterError, measure, not_measured, open_meter
from edge_sdk.model import thread_count


def energy(
    path: str | os.PathLike[str],
    meter: str | None = None,
    threads: int | None = None,
    board: BoardProfile | None = None,
) -> Energy:
    """Joules per run by the meter that `meter` names, or else the first that this machine has.

    Takes some seconds; none where there is no meter, which the result says. Raises what `edge_sdk.load`
    raises, and `MeterError` where the one that was asked for is not there.
    """
    try:
        opened = open_meter(meter, board)
    except MeterError as problem:
        if meter is not None:
            raise
        return not_measured(str(problem))
    with opened:
        model = model_file(path)
        peer = open_peer("native", model, thread_count(threads, board))
        peer.write(random_inputs(model.inputs))
        peer.run()
        return measure(peer.run, opened, board=board)
