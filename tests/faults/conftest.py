from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brokers import Mosquitto

from .harness import Listener


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that keeps sessions and their messages when it is stopped, not when it is killed."""
    running = Mosquitto(tmp_path, f"allow_anonymous true\npersistence true\npersistence_location {tmp_path}/")
    yield running.start()
    running.stop()


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Callable[..., Listener]]:
    """listen(url, **options): a listener that is closed at the test's end."""
    listeners: list[Listener] = []

    def start(url: str, **options: object) -> Listener:
        listeners.append(Listener(url, tmp_path, **options))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.close()
