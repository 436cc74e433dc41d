"""Sparkplug B: births, data and deaths as a strict host accepts them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.errors import PublishError
from edge_sdk.publish.message import Health, Identity, Message
from edge_sdk.publish.sparkplug import METRIC, PAYLOAD, Sparkplug

from .sparkplug_host import Host, command

HEALTH = Health(fps=29.97, latency_ms=12.3, temperature_c=48.2, throttled=False, outbox_depth=3, dropped=0)


def speaker(folder: Path | None = None, health: Health = HEALTH, **options: Any) -> Sparkplug:
    return Sparkplug(Identity("pi-1", "edge/door", health, folder), **{"group": "plant", **options})


def host() -> Host:
    return Host("plant", "pi-1", "door")


def give(host: Host, messages: Iterable[Message]) -> list[str]:
    return [host.receive(m.topic, m.payload, retained=m.retain, qos=m.qos) for m in messages]


def result(*labels: str, frame: str = "f") -> dict[str, Any]:
    found = [{"label": label, "score": 0.5, "box": [0, 0, 1, 1]} for label in labels]
    return {"results": found, "frame": frame}


def begin(speaker: Sparkplug, host: Host) -> Message:
    """A session; its last will."""
    will = speaker.will()
    assert give(host, speaker.connected()) == ["NBIRTH", "DBIRTH"]
    return will


def test_the_numbers_of_the_fields_are_those_of_the_specification() -> None:
    assert {name: field.number for name, field in PAYLOAD.items()} == {
        "timestamp": 1, "metrics": 2, "seq": 3, "uuid": 4, "body": 5,
    }  # fmt: skip
    assert {name: field.number for name, field in METRIC.items()} == {
        "name": 1, "alias": 2, "timestamp": 3, "datatype": 4, "is_historical": 5,
        "is_transient": 6, "is_null": 7,
        "int_value": 10, "long_value": 11, "float_value": 12, "double_value": 13, "boolean_value": 14,
        "string_value": 15, "bytes_value": 16,
    }  # fmt: skip


def test_a_session_from_its_births_to_its_deaths() -> None:
    node, there = speaker(labels=["cat"]), host()
    assert list(node.subscriptions()) == ["spBv1.0/plant/NCMD/pi-1"]
    begin(node, there)
    assert there.values["Result/Label"] is None
    assert there.values["Counts/cat"] == 0
    assert there.values["Health/Temperature C"] == 48.2
    assert give(there, node.result(result("cat", "cat"), 0)) == ["DDATA"]
    assert (there.values["Result/Label"], there.values["Counts/cat"], there.values["Result/Count"]) == (
        "cat",
        2,
        2,
    )
    assert give(there, node.result(result(), 0)) == ["DDATA"]
    assert (there.values["Result/Label"], there.values["Counts/cat"]) == (None, 0)
    assert give(there, node.closing()) == ["DDEATH", "NDEATH"]
    assert not there.online


def test_data_names_what_changed_and_nothing_else() -> None:
    node, there = speaker(labels=["cat", "dog"]), host()
    begin(node, there)
    give(there, node.result(result("cat", frame="1"), 0))
    before = dict(there.values)
    give(there, node.result(result("cat", frame="2"), 0))
    assert {name for name in before if before[name] != there.values[name]} == {"Result/Frame"}
    same = result("cat", frame="2")
    assert list(node.result(same, 0)) == []


def test_the_sequence_goes_round_after_255() -> None:
    node, there = speaker(labels=["cat"]), host()
    begin(node, there)
    for n in range(600):
        give(there, node.result(result("cat", frame=str(n)), 0))
    assert there.kinds.count("DDATA") == 600
    assert there.seq == (600 + 1) % 256


def test_a_host_that_asks_gets_births_of_the_same_session() -> None:
    node, there = speaker(labels=["cat"]), host()
    begin(node, there)
    give(there, node.result(result("cat"), 0))
    assert give(there, node.received("spBv1.0/plant/NCMD/pi-1", command())) == ["NBIRTH", "DBIRTH"]
    assert there.seq == 1
    assert there.values["Counts/cat"] == 1, "births tell what is now"
    assert give(there, node.result(result(), 0)) == ["DDATA"]


@pytest.mark.parametrize(
    "payload",
    [command(value=False), command("Node Control/Reboot"), b"", b"\xff" * 30],
    ids=["no", "another", "empty", "damaged"],
)
def test_other_commands_change_nothing(payload: bytes, caplog: pytest.LogCaptureFixture) -> None:
    node, there = speaker(), host()
    begin(node, there)
    with caplog.at_level(logging.WARNING):
        assert list(node.received("spBv1.0/plant/NCMD/pi-1", payload)) == []
    assert ("cannot be read" in caplog.text) == (payload == b"\xff" * 30)


def test_a_label_that_was_not_known_is_born_before_it_is_counted() -> None:
    node, there = speaker(labels=["cat"]), host()
    begin(node, there)
    assert give(there, node.result(result("dog"), 0)) == ["NBIRTH", "DBIRTH"]
    assert (there.values["Counts/dog"], there.values["Result/Label"]) == (1, "dog")
    assert give(there, node.result(result("cat", "dog"), 0)) == ["DDATA"]
    for n in range(200):
        give(there, node.result(result(f"kind {n}"), 0))
    assert sum(name.startswith("Counts/") for name in there.types["D"]) == 100


def test_what_was_stored_is_history_and_changes_no_value() -> None:
    node, there = speaker(labels=["cat"]), host()
    stored = [result("cat", frame="old 1"), result("bird", frame="old 2")]
    begin(node, there)
    assert give(there, node.result(stored[0], 60)) == ["DDATA"]
    assert give(there, node.result(stored[1], 59)) == ["NBIRTH", "DBIRTH", "DDATA"]
    assert [h["Result/Frame"] for h in there.history] == ["old 1", "old 2"]
    assert [(h["Counts/cat"], h.get("Counts/bird")) for h in there.history] == [(1, None), (0, 1)]
    assert there.values["Result/Label"] is None
    assert there.history_ms[0] == pytest.approx((time.time() - 60) * 1000, abs=30_000)
    give(there, node.result(result("cat", frame="new"), 0))
    assert there.values["Result/Frame"] == "new"
    assert len(there.history) == 2


def test_the_machine_is_told_of_when_it_does_otherwise() -> None:
    health = replace(HEALTH)
    node, there = speaker(health=health), host()
    begin(node, there)
    assert give(there, node.tick()) == []
    health.fps, health.temperature_c, health.throttled, health.watts = 10.0, 85.0, True, 7.251
    assert give(there, node.tick()) == ["NDATA", "DDATA"]
    assert there.values["Health/Throttled"] is True
    assert there.values["Health/Power W"] == 7.25
    assert there.values["Performance/Frames per second"] == 10.0
    assert give(there, node.tick()) == []


def test_each_connection_is_a_session_of_its_own_that_its_will_ends() -> None:
    node, there = speaker(), host()
    old = begin(node, there)
    give(there, [old])
    assert not there.online
    for _ in range(300):
        will = begin(node, there)
        give(there, [old])
        assert there.online, "the death of a session before this one"
        give(there, [will])
        assert not there.online
        old = will
    assert there.sessions == [n % 256 for n in range(301)]


def test_sessions_are_numbered_on_after_a_restart(tmp_path: Path) -> None:
    there = host()
    for _ in range(3):
        node = speaker(folder=tmp_path)
        give(there, [begin(node, there)])
    assert there.sessions == [0, 1, 2]
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    for damaged in (b"", b"300", b"\xff\xfe", b"-5"):
        file.write_bytes(damaged)
        there = host()
        begin(speaker(folder=tmp_path), there)
        assert there.sessions == [0]


def test_a_folder_that_cannot_be_written_is_told_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    there = host()
    begin(speaker(folder=tmp_path / "absent"), there)
    assert there.online
    assert "bdSeq is not kept" in caplog.text


@pytest.mark.parametrize("options", [{"node": "a/b"}, {"group": ""}, {"group": "x#"}, {"node": "+"}])
def test_names_that_no_topic_can_hold_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(PublishError, match=next(iter(options))):
        speaker(**options)
