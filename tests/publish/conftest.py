from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import Certificates, Mosquitto, Subscriber

from .gate import Gate


@pytest.fixture
def start_broker(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """start_broker(config, port): a running broker; all are stopped at the test's end."""
    brokers: list[Mosquitto] = []

    def start(*args: Any, **kwargs: Any) -> Mosquitto:
        brokers.append(Mosquitto(tmp_path, *args, **kwargs))
        return brokers[-1].start()

    yield start
    for broker in brokers:
        broker.stop()


@pytest.fixture
def broker(start_broker: Callable[..., Mosquitto]) -> Mosquitto:
    return start_broker()


@pytest.fixture
def durable_broker(start_broker: Callable[..., Mosquitto], tmp_path: Path) -> Mosquitto:
    """A broker whose sessions outlive `stop()` and `start()`."""
    return start_broker(f"allow_anonymous true\npersistence true\npersistence_location {tmp_path}/")


@pytest.fixture
def durable_subscriber(durable_broker: Mosquitto) -> Iterator[Subscriber]:
    """Receives all that ever reached the durable broker."""
    listening = Subscriber(durable_broker.port, session="durable")
    yield listening
    listening.close()


@pytest.fixture
def subscriber(broker: Mosquitto) -> Iterator[Subscriber]:
    listening = Subscriber(broker.port)
    yield listening
    listening.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def gate(broker: Mosquitto) -> Iterator[Gate]:
    way = Gate(broker.port)
    yield way
    way.shut()
