"""edge-sdk run --outbox, edge-sdk outbox and edge-sdk listen, as a user types them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import Mosquitto, Subscriber, free_port

from .test_cli import CLOTHING, PICTURES, command, edge, environment, last_json

COUNT = len(list(PICTURES.glob("*.png")))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path / "broker").start()
    yield mosquitto
    mosquitto.stop()


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """An outbox with the results of a run whose broker was away."""
    folder = tmp_path / "outbox"
    url = f"mqtt://127.0.0.1:{free_port()}/edge/clothing"
    done = run("--publish", url, "--outbox", folder, "--device", "pi", "--wait", 0)
    assert last_json(done)["undelivered"] == COUNT, "nothing is lost: the status is 0"
    return folder


def run(*arguments: Any) -> Any:
    return edge("run", "--model", CLOTHING, "--source", PICTURES, "--json", *arguments)


def test_results_of_a_run_without_a_broker_wait_and_are_shown(waiting: Path) -> None:
    shown = last_json(edge("outbox", "show", waiting, "--json"))
    assert (shown["waiting"], shown["device"], shown["dropped"]) == (COUNT, "pi", {})
    assert shown["topics"] == {"edge/clothing": COUNT}
    text = edge("outbox", "show", waiting).stdout
    assert f"{COUNT} results of pi wait" in text
    assert "edge/clothing" in text


def test_what_waits_is_exported_and_goes_on_waiting(waiting: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in edge("outbox", "export", waiting).stdout.splitlines()]
    assert len(lines) == COUNT
    assert all(line["topic"] == "edge/clothing" and line["payload"]["results"] for line in lines)
    edge("outbox", "export", waiting, "-o", tmp_path / "lines")
    assert len((tmp_path / "lines").read_text().splitlines()) == COUNT
    assert last_json(edge("outbox", "show", waiting, "--json"))["waiting"] == COUNT


def test_what_waits_is_drained_in_order(waiting: Path, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber:
        found = last_json(edge("outbox", "drain", waiting, broker.url("edge/clothing"), "--json"))
        assert found == {"delivered": COUNT, "left": 0}
        received = subscriber.results("edge/clothing")
    assert [r["frame"] for r in received] == sorted(p.name for p in PICTURES.glob("*.png"))
    assert last_json(edge("outbox", "show", waiting, "--json"))["waiting"] == 0


def test_the_next_run_delivers_what_the_one_before_left(waiting: Path, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber:
        done = run(
            "--publish", broker.url("edge/clothing"), "--outbox", waiting, "--device", "pi", "--frames", 1
        )
        assert last_json(done)["undelivered"] == 0
        assert len(subscriber.results("edge/clothing")) == COUNT + 1


def test_a_drain_without_a_broker_leaves_everything_and_says_so(waiting: Path) -> None:
    url = f"mqtt://127.0.0.1:{free_port()}/edge/clothing"
    done = edge("outbox", "drain", waiting, url, "--wait", "0.2", "--json", status=1)
    assert last_json(done) == {"delivered": 0, "left": COUNT}


def test_listen_shows_results_once(broker: Mosquitto) -> None:
    listening = subprocess.Popen(
        command("listen", broker.url("edge/#"), "--name", "desk", "--count", COUNT, "--json", "--confirm"),
        env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert listening.stdout is not None
    try:
        arguments = ("--publish", broker.url("edge/clothing"), "--confirmed", "--wait", 120, "--batch", 7)
        assert last_json(run(*arguments))["undelivered"] == 0, "it confirms"
        lines = [json.loads(line) for line in listening.stdout]
        assert listening.wait(30) == 0
    finally:
        listening.kill()
        listening.communicate()
    assert len({line["_id"] for line in lines}) == len(lines) == COUNT
    assert {line["topic"] for line in lines} == {"edge/clothing"}


def test_listen_prints_lines_for_people(broker: Mosquitto) -> None:
    assert edge("listen", broker.url("edge/#"), "--seconds", "0.2").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("outbox", "show", "no-such-folder"), "is no outbox"),
        (("outbox", "show"), "FOLDER"),
        (("outbox", "lose", "folder"), "invalid choice"),
        (("listen", "http://host/topic"), "mqtt://host:port/topic"),
        (("listen", "mqtt://127.0.0.1:9/edge"), "127.0.0.1:9"),
        (("listen", "mqtt://h/t", "--password-file", "no-such-file"), "cannot read the password file"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: tuple[str, ...], words: str) -> None:
    done = edge(*arguments, status=2)
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--outbox-mb", "0"), "outbox-mb"),
        (("--max-age", "-1"), "max_age_s"),
        (("--policy", "keep"), "invalid choice"),
        (("--batch", "5000"), "batch"),
        (("--fallback", "mqtt://h/topic"), "write another broker"),
        (("--device", "another"), "belongs to the device 'pi'"),
    ],
)
def test_bad_options_of_run_are_named(waiting: Path, arguments: tuple[str, ...], words: str) -> None:
    done = edge(
        *("run", "--model", CLOTHING, "--source", PICTURES, "--publish", "mqtt://127.0.0.1:9/edge/clothing"),
        *("--outbox", waiting, "--wait", 0, *arguments),
        status=2,
    )  # fmt: skip
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
