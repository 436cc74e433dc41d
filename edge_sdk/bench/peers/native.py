"""This project's own runtime."""

from __future__ import annotations

from collections.abc import Sequence

from edge_sdk.bench.peers import ModelFile
from edge_sdk.model import load
from edge_sdk.types import Array


class Native:
    """See `edge_sdk.bench.peers.Peer`."""

    def __init__(self, model: ModelFile, threads: int) -> None:
        self._session = load(model.path, threads=threads, backend="native").session()
        self.run = self._session.invoke

    def write(self, arrays: Sequence[Array]) -> None:
        for i, array in enumerate(arrays):
            self._session.input(i)[...] = array

    def outputs(self) -> list[Array]:
        return [self._session.output(i).copy() for i in range(len(self._session.outputs))]
