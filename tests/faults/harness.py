"""A sender that can be killed, a listener that writes down what it gets, and what holds between the two."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_sdk import publish

PATIENCE_S = 60
SENDER = Path(__file__).with_name("sender.py")
ROOT = Path(__file__).resolve().parents[2]


class Sender:
    """One life of `sender.py`. `accepted` grows while it lives; `-1` is its first word."""

    def __init__(
        self, url: str, folder: Path, first: int, count: int, enter: Sequence[str] = (), **options: Any
    ) -> None:
        """`enter` is a command before it, such as one that changes the network namespace."""
        self.accepted: list[int] = []
        self._heard = threading.Condition()
        self.process = subprocess.Popen(
            [
                *enter,
                sys.executable,
                str(SENDER),
                url,
                str(folder),
                str(first),
                str(count),
                json.dumps(options),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._heard:
                self.accepted.append(int(line))
                self._heard.notify_all()
        with self._heard:
            self._heard.notify_all()

    def wait(self, count: int, timeout_s: float = PATIENCE_S) -> bool:
        """Until so many were accepted, or it has ended."""
        with self._heard:
            return self._heard.wait_for(
                lambda: len(self.accepted) > count or not self._thread.is_alive(), timeout_s
            )

    def kill(self) -> list[int]:
        """Ends it as a power cut or the kernel would; what it had accepted."""
        self.process.send_signal(signal.SIGKILL)
        return self.end()

    def end(self, timeout_s: float = PATIENCE_S) -> list[int]:
        """Waits for its end; what it had accepted."""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._thread.join(PATIENCE_S)
        return [n for n in self.accepted if n >= 0]


class Listener(threading.Thread):
    """Takes all results of a topic, by the SDK's own subscriber, from before the constructor returns."""

    def __init__(self, url: str, folder: Path, **options: Any) -> None:
        super().__init__(daemon=True)
        self.results = publish.subscribe(url, name="faults", state=str(folder / "seen.json"), **options)
        self.numbers: list[int] = []
        self._heard = threading.Condition()
        self.start()

    def run(self) -> None:
        for result in self.results:
            with self._heard:
                self.numbers.append(result.payload["n"])
                self._heard.notify_all()

    def wait_for(self, wanted: set[int], timeout_s: float = PATIENCE_S) -> None:
        """Until all of them have come, or nothing more comes for long."""
        with self._heard:
            while not wanted <= set(self.numbers):
                before = len(self.numbers)
                if not self._heard.wait_for(lambda: len(self.numbers) > before, timeout_s):  # noqa: B023
                    return

    def close(self) -> None:
        self.results.close()
        self.join(PATIENCE_S)


def assert_all_arrived(accepted: Sequence[int], arrived: Sequence[int]) -> None:
    """0 accepted lost, 0 twice, in order. More may arrive: a sender died before it could say so."""
    lost = sorted(set(accepted) - set(arrived))
    again = [n for n, count in Counter(arrived).items() if count > 1]
    late = [(a, b) for a, b in zip(arrived, arrived[1:]) if a > b]
    assert not lost, f"{len(lost)} of {len(accepted)} lost: {lost[:20]}"
    assert not again, f"{len(again)} came twice: {again[:20]}"
    assert not late, f"{len(late)} out of order: {late[:20]}"
