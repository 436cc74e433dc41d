"""What holds for every publisher, and those that write to files, streams and memory."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brokers import Mosquitto

from edge_sdk import lazy
from edge_sdk.errors import PublishError
from edge_sdk.publish import PUBLISHERS, Publisher, connect
from edge_sdk.publish.memory import MemoryPublisher

UNREACHED = ("mqtts", "ws", "wss")
RESULT = {"task": "classify", "results": [{"label": "Bär", "score": 0.5}], "truth": None}


@pytest.fixture
def connect_each(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """connect_each(name): some publisher of that kind; one line here for each in PUBLISHERS."""

    def connect_to(name: str) -> Publisher:
        if name == "mqtt":
            broker: Mosquitto = request.getfixturevalue("broker")
            return connect(broker.url())
        if name in UNREACHED:
            return connect(f"{name}://127.0.0.1:1/edge/results")
        if name == "stdout":
            return connect("stdout", stream=io.StringIO())
        return connect(f"{name}:" + (str(tmp_path / "results") if name == "jsonl" else ""))

    return connect_to


@pytest.mark.parametrize("name", PUBLISHERS)
def test_every_publisher_keeps_the_contract(name: str, connect_each: Any) -> None:
    with connect_each(name) as publisher:
        assert isinstance(publisher, lazy.load(PUBLISHERS[name]))
        for bad in ({"x": float("nan")}, {"x": np.float32(1)}, {"x": {1, 2}}, [1], "text"):
            with pytest.raises(PublishError):
                publisher.send(bad)
        if name in UNREACHED:  # nobody is there
            assert publisher.flush(0) == 0
            publisher.close()
        else:
            payload = dict(RESULT)
            publisher.send(payload)
            assert payload == RESULT, "the caller's dict is left alone"
            assert publisher.flush(30) == 0
    publisher.close()
    with pytest.raises(PublishError, match="closed"):
        publisher.send(RESULT)


@pytest.mark.parametrize("name", PUBLISHERS)
def test_unknown_options_are_named(name: str) -> None:
    target = f"{name}://host/topic" if name in ("mqtt", *UNREACHED) else f"{name}:"
    with pytest.raises(PublishError, match="'colour'; its options are: "):
        connect(target, colour="red")


@pytest.mark.parametrize(
    "url", ["", "mqtt", "memory", "http://host/x", "results.txt", "amqp://u:secret-word@host/x"]
)
def test_what_is_no_destination_is_told_with_those_that_are(url: str) -> None:
    with pytest.raises(PublishError, match=r"mqtt://host:port/topic, .* stdout") as raised:
        connect(url)
    assert "secret-word" not in str(raised.value)


def test_memory_keeps_what_a_subscriber_would_have_seen() -> None:
    with connect("memory:") as publisher:
        payload: dict[str, Any] = {"results": [1, (2, 3)]}
        publisher.send(payload)
        payload["results"].append("later")
        assert isinstance(publisher, MemoryPublisher)
        assert publisher.sent == [{"results": [1, [2, 3]]}]


def test_stdout_writes_a_line_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    with connect("stdout") as publisher:
        publisher.send(RESULT)
        publisher.send({"n": 2})
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [RESULT, {"n": 2}]


def test_stdout_says_that_its_reader_is_gone() -> None:
    read, write = os.pipe()
    os.close(read)
    stream = os.fdopen(write, "w")
    publisher = connect("stdout", stream=stream)
    with pytest.raises(PublishError, match="Broken pipe"):
        publisher.send(RESULT)
    with pytest.raises(BrokenPipeError):
        stream.close()


@pytest.mark.parametrize("form", ["{}", "jsonl:{}"])
def test_jsonl_appends(tmp_path: Path, form: str) -> None:
    path = tmp_path / "results.jsonl"
    for n in range(2):
        with connect(form.format(path)) as publisher:
            publisher.send({"n": n})
            assert json.loads(path.read_text().splitlines()[-1]) == {"n": n}, "it is there before close"
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"n": 0}, {"n": 1}]


def test_jsonl_begins_a_new_line_behind_a_half_one(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text('{"n": 0}\n{"n": 1, "te')
    with connect(path) as publisher:
        publisher.send({"n": 2})
    assert path.read_text().splitlines() == ['{"n": 0}', '{"n": 1, "te', '{"n":2}']


def test_jsonl_says_at_once_that_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="No such file or directory") as raised:
        connect(tmp_path / "absent" / "results.jsonl")
    assert "absent/results.jsonl" in str(raised.value)
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(PublishError, match="Is a directory"):
        connect(tmp_path / "folder.jsonl")


CHILD = """
import resource, sys
from edge_sdk.errors import PublishError
from edge_sdk.publish import connect
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
publisher = connect(sys.argv[1])
publisher.send({"n": "x" * 50})
try:
    publisher.send({"n": "y" * 50})
except PublishError as problem:
    print(problem)
publisher.send({"n": 3})
"""


def test_jsonl_leaves_no_half_line_when_space_ends(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    child = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True)
    assert "cannot write results" in child.stdout, child.stderr
    assert [json.loads(line)["n"] for line in path.read_text().splitlines()] == ["x" * 50, 3]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="not run for want of /dev/full")
def test_jsonl_says_that_the_disk_is_full(tmp_path: Path) -> None:
    (tmp_path / "full.jsonl").symlink_to("/dev/full")
    with connect(tmp_path / "full.jsonl") as publisher, pytest.raises(PublishError, match="No space left"):
        publisher.send(RESULT)
