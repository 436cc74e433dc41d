"""What `send` has accepted arrives, once and in order, whoever is killed and whatever is away meanwhile."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from brokers import Mosquitto

from .harness import PATIENCE_S, Listener, Sender, assert_all_arrived

Listen = Callable[..., Listener]
SPACING = 1_000_000  # between the numbers of two lives: the later ones are greater


def live_and_die(
    broker: Mosquitto, folder: Path, lives: int, results: int, seed: int, **options: object
) -> list[int]:
    """Kills a sender at random points while the broker comes and goes; all that was accepted."""
    rng = random.Random(seed)
    pause = threading.Event()
    accepted: list[int] = []
    up = True
    for life in range(lives):
        if rng.random() < 0.2:
            broker.stop() if up else broker.start()
            up = not up
        share = (results - len(accepted)) // (lives - life)
        sender = Sender(broker.url(), folder, life * SPACING, SPACING, **options)
        if rng.random() < 0.15:  # while it starts, whatever it is doing
            pause.wait(rng.uniform(0.0, 0.6))
        else:
            assert sender.wait(rng.randrange(max(1, 2 * share)))
            pause.wait(rng.uniform(0.0, 0.03))
        accepted += sender.kill()
    if not up:
        broker.start()
    left = max(1, results - len(accepted))
    accepted += Sender(broker.url(), folder, lives * SPACING, left, flush_s=PATIENCE_S, **options).end(
        2 * PATIENCE_S
    )
    return accepted


def check_kills(
    broker: Mosquitto, listen: Listen, folder: Path, lives: int, results: int, **options: object
) -> None:
    listener = listen(broker.url())
    accepted = live_and_die(broker, folder / "outbox", lives, results, seed=lives, **options)
    listener.wait_for(set(accepted))
    print(
        f"{lives} kills: {len(accepted)} accepted, {len(listener.numbers)} arrived, "
        f"{listener.results.repeats} repeats"
    )
    assert len(accepted) >= results
    assert_all_arrived(accepted, listener.numbers)


def test_a_few_kills_lose_nothing(broker: Mosquitto, listen: Listen, tmp_path: Path) -> None:
    check_kills(broker, listen, tmp_path, 5, 600)


@pytest.mark.full
def test_a_hundred_kills_lose_nothing(broker: Mosquitto, listen: Listen, tmp_path: Path) -> None:
    check_kills(broker, listen, tmp_path, 100, 10_000)


@pytest.mark.full
def test_a_hundred_kills_lose_no_batches(broker: Mosquitto, listen: Listen, tmp_path: Path) -> None:
    check_kills(broker, listen, tmp_path, 100, 10_000, batch=20)


def test_results_of_more_lives_than_a_subscriber_remembers_come_once(
    broker: Mosquitto, listen: Listen, tmp_path: Path
) -> None:
    """A device that starts again and again while the broker is away, and dies while it delivers."""
    from edge_sdk.publish.outbox import Outbox

    accepted = []
    for life in range(40):
        outbox = Outbox(tmp_path / "outbox", device="d")
        number = outbox.epoch << 32
        line = b'{"n": %d, "_id": "d/%x/0"}' % (life, outbox.epoch)
        outbox.put(number, "edge/results", line).result(PATIENCE_S)
        accepted.append(life)
        outbox.close()
    listener = listen(broker.url())
    rng = random.Random(1)
    for _ in range(4):
        sender = Sender(broker.url(), tmp_path / "outbox", SPACING, 1, flush_s=PATIENCE_S, device="d")
        sender.wait(1)
        time.sleep(rng.uniform(0, 0.05))
        accepted += sender.kill()
    Sender(broker.url(), tmp_path / "outbox", 2 * SPACING, 1, flush_s=PATIENCE_S, device="d").end()
    listener.wait_for(set(accepted))
    arrived = [n for n in listener.numbers if n < SPACING]
    assert_all_arrived(accepted[:40], arrived)


@pytest.mark.parametrize("results", [500, pytest.param(10_000, marks=pytest.mark.full)])
def test_a_clean_outage_loses_nothing(
    broker: Mosquitto, listen: Listen, tmp_path: Path, results: int
) -> None:
    listener = listen(broker.url())
    sender = Sender(broker.url(), tmp_path / "outbox", 0, results, flush_s=PATIENCE_S)
    assert sender.wait(results // 3)
    broker.stop()
    assert sender.wait(results - 1)
    broker.start()
    accepted = sender.end(2 * PATIENCE_S)
    listener.wait_for(set(accepted))
    assert len(accepted) == results
    assert_all_arrived(accepted, listener.numbers)


@pytest.mark.parametrize("results", [500, pytest.param(10_000, marks=pytest.mark.full)])
def test_what_is_sent_before_the_first_connection_arrives(
    broker: Mosquitto, listen: Listen, tmp_path: Path, results: int
) -> None:
    listener = listen(broker.url())
    broker.stop()
    sender = Sender(broker.url(), tmp_path / "outbox", 0, results, flush_s=PATIENCE_S)
    assert sender.wait(results - 1)
    broker.start()
    accepted = sender.end(2 * PATIENCE_S)
    listener.wait_for(set(accepted))
    assert len(accepted) == results
    assert_all_arrived(accepted, listener.numbers)


@pytest.mark.parametrize(("kills", "results"), [(2, 600), pytest.param(10, 10_000, marks=pytest.mark.full)])
def test_a_killed_broker_loses_nothing_that_was_to_be_confirmed(
    broker: Mosquitto, listen: Listen, tmp_path: Path, kills: int, results: int
) -> None:
    """It forgets what it had acknowledged: the outbox sends again what the subscriber has not confirmed.

    Also in order: a subscriber that misses a result asks for it before it takes those behind.
    """
    rng = random.Random(kills)
    listener = listen(broker.url(), confirm=True)
    sender = Sender(
        broker.url(), tmp_path / "outbox", 0, results, flush_s=2 * PATIENCE_S, confirmed=True, ahead=200,
        again_s=(1.0, 3.0),
    )  # fmt: skip
    for kill in range(kills):
        assert sender.wait(results * (kill + 1) // (kills + 1) + rng.randrange(20))
        broker.kill()
        broker.start()
    accepted = sender.end(4 * PATIENCE_S)
    listener.wait_for(set(accepted))
    assert len(accepted) == results
    assert_all_arrived(accepted, listener.numbers)
