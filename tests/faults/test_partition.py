"""A network that carries nothing for a while, and tells nobody."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from brokers import Mosquitto, free_port

from .harness import PATIENCE_S, Listener, Sender, assert_all_arrived

PARTITION_S = 12
HERE, THERE = "10.213.77.1", "10.213.77.2"


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


class Island:
    """A network namespace with one link to this one."""

    def __init__(self, stack: ExitStack) -> None:
        self.name = f"faults{os.getpid()}"
        self._link, self._far = f"fa{os.getpid()}", f"fb{os.getpid()}"
        try:
            ip("netns", "add", self.name)
        except (OSError, subprocess.CalledProcessError) as problem:
            pytest.skip(f"not run for want of the right to make network namespaces: {problem}")
        stack.callback(ip, "netns", "del", self.name)
        ip("link", "add", self._link, "type", "veth", "peer", "name", self._far)
        stack.callback(ip, "link", "del", self._link)  # at once, which the namespace's end is not
        ip("link", "set", self._far, "netns", self.name)
        ip("addr", "add", f"{HERE}/30", "dev", self._link)
        ip("link", "set", self._link, "up")
        self._inside("addr", "add", f"{THERE}/30", "dev", self._far)
        self._inside("link", "set", self._far, "up")
        self._addresses = [
            shown.split()[2]
            for shown in (
                ip("-br", "link", "show", self._link),
                self._inside("-br", "link", "show", self._far),
            )
        ]

    def _inside(self, *arguments: str) -> str:
        return ip("-n", self.name, *arguments)

    def cut_off(self) -> None:
        """Frames go to addresses that nobody has: both ends believe that all is well."""
        self._point("02:00:00:00:00:01", "02:00:00:00:00:02")

    def join(self) -> None:
        self._point(self._addresses[1], self._addresses[0])

    def _point(self, there: str, here: str) -> None:
        ip("neigh", "replace", THERE, "lladdr", there, "dev", self._link, "nud", "permanent")
        self._inside("neigh", "replace", HERE, "lladdr", here, "dev", self._far, "nud", "permanent")


@pytest.fixture
def island() -> Iterator[Island]:
    with ExitStack() as stack:
        yield Island(stack)


@pytest.mark.full
@pytest.mark.parametrize("keepalive_s", [4, 60], ids=["noticed", "unnoticed"])
def test_a_silent_partition_loses_nothing(island: Island, tmp_path: Path, keepalive_s: int) -> None:
    """Once the publisher gives the connection up meanwhile, once TCP carries on where it was."""
    port = free_port()
    broker = Mosquitto(tmp_path, f"allow_anonymous true\nlistener {port} {HERE}").start()
    try:
        listener = Listener(broker.url(), tmp_path)
        sender = Sender(
            f"mqtt://{HERE}:{port}/edge/results", tmp_path / "outbox", 0, 10_000,
            enter=("ip", "netns", "exec", island.name), flush_s=2 * PATIENCE_S, keepalive_s=keepalive_s,
        )  # fmt: skip
        assert sender.wait(3000)
        island.cut_off()
        arrived = len(listener.numbers)
        threading.Event().wait(PARTITION_S)
        meanwhile = len(listener.numbers) - arrived
        assert len(listener.numbers) < 10_000, "the partition came too late"
        island.join()
        accepted = sender.end(4 * PATIENCE_S)
        listener.wait_for(set(accepted))
        print(f"{meanwhile} arrived after the cut, {listener.results.repeats} repeats")
        assert len(accepted) == 10_000
        assert_all_arrived(accepted, listener.numbers)
        listener.close()
    finally:
        broker.stop()
