"""Random frames from a seed: for benchmarks, tests, and trying a pipeline without a camera."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from edge_sdk.errors import SourceError
from edge_sdk.sources.base import BaseSource
from edge_sdk.types import Array, Frame


class SyntheticSource(BaseSource):
    """Random pictures or sensor windows; the same seed gives the same frames on every machine."""

    def __init__(
        self,
        path: str = "",
        *,
        shape: Sequence[int] = (224, 224, 3),
        count: int | None = None,
        seed: int = 0,
        fps: float | None = None,
    ) -> None:
        """`shape` is (height, width, 3) for pictures or (time, channels) for windows.

        `count` None means without end. With `fps` the source is live like a camera: frames come at
        that rate, and are lost if not taken in time. `path` is what follows `synthetic:`, nothing.
        """
        super().__init__()
        self._shape = tuple(shape)
        is_picture = len(self._shape) == 3 and self._shape[2] == 3
        if path or min(self._shape, default=0) < 1 or not (is_picture or len(self._shape) == 2):
            raise SourceError(
                f"synthetic:{path} with shape {self._shape}: write `synthetic:` and give a shape of "
                "(height, width, 3) or (time, channels)"
            )
        if fps is not None and fps <= 0:
            raise SourceError(f"synthetic: fps is {fps}, it must be above 0")
        self._count, self._seed, self._fps = count, seed, fps
        self.live = fps is not None

    def _frames(self) -> Iterator[Frame]:
        random = np.random.Generator(np.random.PCG64(self._seed))
        start, number = time.monotonic(), 0
        while self._count is None or number < self._count:
            if self._fps is not None and self._closed.wait(start + number / self._fps - time.monotonic()):
                return
            data: Array
            if len(self._shape) == 3:
                data = random.integers(0, 256, self._shape, dtype=np.uint8)
            else:
                data = random.standard_normal(self._shape, dtype=np.float32)
            yield Frame(data, str(number), time.monotonic_ns())
            number += 1
