"""The MQTT publisher against a real mosquitto: order, acknowledgement, status, authentication."""

from __future__ import annotations

import logging
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
import pytest
from brokers import PATIENCE_S, Certificates, Mosquitto, Subscriber

from edge_sdk.errors import PublishError
from edge_sdk.publish import connect
from edge_sdk.publish.mqtt import MqttPublisher

FAST_RETRY = {"retry_s": (0.05, 0.2)}


def numbers(subscriber: Subscriber) -> list[int]:
    return [result["n"] for result in subscriber.results()]


def mqtt(url: str, **options: Any) -> MqttPublisher:
    publisher = connect(url, **options)
    assert isinstance(publisher, MqttPublisher)
    return publisher


def wait_for_problem(publisher: MqttPublisher) -> str:
    pause = threading.Event()
    for _ in range(PATIENCE_S * 100):
        problem = publisher.problem
        if problem is not None:
            return problem
        pause.wait(0.01)
    raise AssertionError("no problem arose")


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_results_arrive_once_and_in_order(broker: Mosquitto, subscriber: Subscriber, qos: int) -> None:
    with mqtt(broker.url(), qos=qos) as publisher:
        for n in range(500):
            publisher.send({"n": n, "text": "grün"})
        assert publisher.flush(PATIENCE_S) == 0
    subscriber.wait(lambda: len(subscriber.messages) >= 502, "500 results and two statuses")
    assert numbers(subscriber) == list(range(500))
    assert subscriber.results()[0]["text"] == "grün"


def test_the_payload_is_the_callers_dict_with_an_id(broker: Mosquitto, subscriber: Subscriber) -> None:
    payload = {"task": "classify", "results": [{"label": "cat"}], "_id": "the caller's"}
    with mqtt(broker.url(), device="camera-1") as publisher:
        publisher.send(payload)
        publisher.send({})
    subscriber.wait(lambda: len(subscriber.results()) == 2, "two results")
    first, second = subscriber.results()
    assert {k: v for k, v in first.items() if k != "_id"} == {k: v for k, v in payload.items() if k != "_id"}
    device, epoch, number = first["_id"].split("/")
    assert (device, number) == ("camera-1", "0")
    assert second["_id"] == f"camera-1/{epoch}/1"
    with mqtt(broker.url(), device="camera-1") as publisher:
        publisher.send({})
    subscriber.wait(lambda: len(subscriber.results()) == 3, "a third result")
    assert subscriber.results()[2]["_id"] != first["_id"], "ids of two lives must differ"


def test_threads_may_send_at_once_and_ids_follow_the_order(broker: Mosquitto, subscriber: Subscriber) -> None:
    with mqtt(broker.url()) as publisher:

        def send_all() -> None:
            for _ in range(100):
                publisher.send({})

        threads = [threading.Thread(target=send_all) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert publisher.flush(PATIENCE_S) == 0
    subscriber.wait(lambda: len(subscriber.results()) >= 400, "400 results")
    assert [int(r["_id"].rpartition("/")[2]) for r in subscriber.results()] == list(range(400))


def test_status_is_retained_online_then_offline(broker: Mosquitto, subscriber: Subscriber) -> None:
    with mqtt(broker.url()):
        subscriber.wait(lambda: subscriber.statuses() == ["online"], "online")
        late = Subscriber(broker.port)
        late.wait(lambda: late.statuses() == ["online"], "a later subscriber sees online")
        assert late.messages[0][2], "it must be retained"
        late.close()
    subscriber.wait(lambda: subscriber.statuses() == ["online", "offline"], "offline")
    later = Subscriber(broker.port)
    later.wait(lambda: later.statuses() == ["offline"], "a later subscriber sees offline")
    later.close()


CHILD = """
import sys, time
from edge_sdk.publish import connect
publisher = connect(sys.argv[1])
publisher.send({"n": 1})
publisher.flush(30)
print("sent", flush=True)
time.sleep(600)
"""


def test_the_broker_says_offline_for_a_killed_client(broker: Mosquitto, subscriber: Subscriber) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, broker.url()], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"sent\n"
        subscriber.wait(lambda: subscriber.statuses() == ["online"], "online")
        child.send_signal(signal.SIGKILL)
        subscriber.wait(lambda: subscriber.statuses() == ["online", "offline"], "the last will")
    finally:
        child.kill()
        child.communicate()
    later = Subscriber(broker.port)
    later.wait(lambda: later.statuses() == ["offline"], "the will is retained")
    later.close()


# The broker goes and comes


def test_a_broker_restart_loses_nothing_and_keeps_the_order(
    durable_broker: Mosquitto, durable_subscriber: Subscriber
) -> None:
    with mqtt(durable_broker.url(), **FAST_RETRY) as publisher:
        for n in range(2000):
            publisher.send({"n": n})
        durable_subscriber.wait(lambda: len(durable_subscriber.results()) >= 50, "results before the restart")
        durable_broker.stop()
        for n in range(2000, 2300):
            publisher.send({"n": n})
        durable_broker.start()
        for n in range(2300, 2600):
            publisher.send({"n": n})
        assert publisher.flush(PATIENCE_S) == 0
    durable_subscriber.wait(lambda: 2599 in numbers(durable_subscriber), "the last result")
    received = numbers(durable_subscriber)
    assert list(dict.fromkeys(received)) == list(range(2600))
    # What was on its way when the broker went is sent again, by us and by the broker, perhaps over more
    # than one attempt to connect; what was acknowledged before is not.
    assert len(received) <= 2600 + 10 * 20


def test_results_wait_for_a_broker_that_is_away_at_the_start(
    durable_broker: Mosquitto, durable_subscriber: Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    durable_broker.stop()
    with caplog.at_level(logging.INFO), mqtt(durable_broker.url(), **FAST_RETRY) as publisher:
        for n in range(100):
            publisher.send({"n": n})
        wait_for_problem(publisher)
        assert publisher.flush(1.0) == 100, "flush says how many wait"
        said = [r.getMessage() for r in caplog.records if r.name == "edge_sdk.publish"]
        assert len(said) == 1, f"once, whatever the number of attempts: {said}"
        assert str(durable_broker.port) in said[0]
        assert "Connection refused" in said[0]

        durable_broker.start()
        assert publisher.flush(PATIENCE_S) == 0
        assert publisher.problem is None
        publisher.send({"n": 100})
    durable_subscriber.wait(lambda: 100 in numbers(durable_subscriber), "the last result")
    assert numbers(durable_subscriber) == list(range(101))


def test_a_broker_that_falls_silent_is_left_and_nothing_is_lost(
    durable_broker: Mosquitto, durable_subscriber: Subscriber
) -> None:
    with mqtt(durable_broker.url(), keepalive_s=1, **FAST_RETRY) as publisher:
        publisher.send({"n": 0})
        assert publisher.flush(PATIENCE_S) == 0
        durable_broker.signal(signal.SIGSTOP)
        for n in range(1, 100):
            publisher.send({"n": n})
        wait_for_problem(publisher)
        assert publisher.flush(0) == 99
        durable_broker.signal(signal.SIGCONT)
        assert publisher.flush(PATIENCE_S) == 0
    durable_subscriber.wait(lambda: 99 in numbers(durable_subscriber), "the last result")
    assert list(dict.fromkeys(numbers(durable_subscriber))) == list(range(100))


def test_an_unknown_host_is_said_once_and_nothing_hangs(caplog: pytest.LogCaptureFixture) -> None:
    publisher = mqtt("mqtt://no-such-host.invalid/edge/results", **FAST_RETRY)
    publisher.send({"n": 0})
    wait_for_problem(publisher)
    assert publisher.flush(0.5) == 1
    publisher.close(0.1)
    said = [r.getMessage() for r in caplog.records if r.name == "edge_sdk.publish"]
    assert "no-such-host.invalid" in said[0]
    assert len(said) == 2
    assert "1 results were not delivered" in said[1]


def test_a_full_queue_drops_the_oldest_and_counts_them(
    durable_broker: Mosquitto, durable_subscriber: Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    durable_broker.stop()
    with mqtt(durable_broker.url(), max_queued=10, **FAST_RETRY) as publisher:
        for n in range(25):
            publisher.send({"n": n})
        assert publisher.dropped == 15
        assert caplog.text.count("the queue is full") == 1
        durable_broker.start()
        assert publisher.flush(PATIENCE_S) == 0
    durable_subscriber.wait(lambda: 24 in numbers(durable_subscriber), "the newest result")
    assert numbers(durable_subscriber) == list(range(15, 25))


def test_a_server_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_sdk.publish.connection._CONNECT_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        publisher = mqtt(f"mqtt://127.0.0.1:{silent.getsockname()[1]}/edge/results", **FAST_RETRY)
        publisher.send({})
        assert "does not answer" in wait_for_problem(publisher)
        assert publisher.flush(0) == 1
        publisher.close(0)


def test_a_server_that_is_no_broker_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        publisher = mqtt(f"mqtt://127.0.0.1:{server.getsockname()[1]}/edge/results", **FAST_RETRY)
        connection, _ = server.accept()
        connection.recv(1024)
        connection.close()
        assert "ended the connection" in wait_for_problem(publisher)
        publisher.close(0)


# Who may publish


def password_file(broker_folder: Any, user: str, password: str) -> str:
    path = broker_folder / "passwords"
    subprocess.run(
        ["mosquitto_passwd", "-b", "-c", str(path), user, password], check=True, capture_output=True
    )
    path.chmod(0o644)
    return f"allow_anonymous false\npassword_file {path}"


def test_user_and_password_from_the_url(start_broker: Callable[..., Mosquitto], tmp_path: Any) -> None:
    broker = start_broker(password_file(tmp_path, "cam", "p@ss/wörd"))
    subscriber = Subscriber(broker.port, lambda client: client.username_pw_set("cam", "p@ss/wörd"))
    with mqtt(f"mqtt://cam:p%40ss%2Fw%C3%B6rd@127.0.0.1:{broker.port}/edge/results") as publisher:
        publisher.send({"n": 7})
        assert publisher.flush(PATIENCE_S) == 0
    subscriber.wait(lambda: numbers(subscriber) == [7], "the result")
    subscriber.close()


def test_a_refusal_is_told_without_the_password(
    start_broker: Callable[..., Mosquitto], tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    broker = start_broker(password_file(tmp_path, "cam", "right"))
    url = f"mqtt://cam:secret-word@127.0.0.1:{broker.port}/edge/results"
    publisher = mqtt(url, **FAST_RETRY)
    publisher.send({})
    assert "Not authorized" in wait_for_problem(publisher)
    publisher.close(0)
    assert caplog.text
    assert "secret-word" not in caplog.text


def tls_config(certificates: Certificates, more: str = "") -> str:
    return (
        f"allow_anonymous true\ncafile {certificates.ca}\ncertfile {certificates.server}\n"
        f"keyfile {certificates.server_key}\n{more}"
    )


def test_tls(start_broker: Callable[..., Mosquitto], certificates: Certificates) -> None:
    broker = start_broker(tls_config(certificates))
    subscriber = Subscriber(broker.port, lambda client: client.tls_set(certificates.ca))
    with mqtt(f"mqtts://127.0.0.1:{broker.port}/edge/results", ca=certificates.ca) as publisher:
        for n in range(200):
            publisher.send({"n": n})
        assert publisher.flush(PATIENCE_S) == 0
    subscriber.wait(lambda: len(subscriber.results()) >= 200, "200 results")
    assert numbers(subscriber) == list(range(200))
    subscriber.close()


def test_a_broker_of_another_authority_is_not_trusted(
    start_broker: Callable[..., Mosquitto], certificates: Certificates
) -> None:
    broker = start_broker(tls_config(certificates))
    publisher = mqtt(f"mqtts://127.0.0.1:{broker.port}/edge/results", ca=certificates.stranger_ca)
    publisher.send({})
    assert "certificate verify failed" in wait_for_problem(publisher)
    assert publisher.flush(0) == 1
    publisher.close(0)


def test_client_certificates(start_broker: Callable[..., Mosquitto], certificates: Certificates) -> None:
    broker = start_broker(tls_config(certificates, "require_certificate true"))

    def with_certificate(client: paho.Client) -> None:
        client.tls_set(certificates.ca, certificates.client, certificates.client_key)

    subscriber = Subscriber(broker.port, with_certificate)
    url = f"mqtts://127.0.0.1:{broker.port}/edge/results"
    stranger = mqtt(url, ca=certificates.ca, **FAST_RETRY)
    stranger.send({"n": "from a stranger"})
    assert "ended the connection" in wait_for_problem(stranger)
    assert stranger.flush(0) == 1
    stranger.close(0)
    options = {"ca": certificates.ca, "cert": certificates.client, "key": certificates.client_key}
    with mqtt(url, **options) as publisher:
        publisher.send({"n": 1})
        assert publisher.flush(PATIENCE_S) == 0
    subscriber.wait(lambda: numbers(subscriber) == [1], "the result of the one with a certificate")
    subscriber.close()


# What is refused at once


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("mqtt://host", {}, "which topic"),
        ("mqtt://host/", {}, "which topic"),
        ("mqtt:///topic", {}, "mqtt://host:port/topic"),
        ("mqtt://host:99999/t", {}, "range"),
        ("mqtt://host:port/t", {}, "port"),
        ("mqtt://host/a/+/b", {}, "may not hold"),
        ("mqtt://host/a/%23", {}, "may not hold"),
        ("mqtt://host/a?qos=1", {}, "options go beside it"),
        ("mqtt://host/$SYS/x", {}, "begin with"),
        ("mqtt://host/t", {"qos": 3}, "qos is 3"),
        ("mqtt://host/t", {"max_queued": 0}, "max_queued"),
        ("mqtt://host/t", {"ca": "ca.pem"}, "mqtts"),
        ("mqtt://host/t", {"password": "secret-word"}, "user name"),
        ("mqtt://host/t", {"retain": True}, "'retain'"),
        ("mqtts://host/t", {"ca": "/no/such/ca.pem"}, "/no/such/ca.pem"),
        ("mqtts://host/t", {"key": "client.key"}, "certificate"),
        ("mqtts://host/t", {"cert": "/no/such.pem"}, "/no/such.pem"),
        ("mqtt://u:secret-word@host", {}, "which topic"),
    ],
)
def test_a_bad_url_or_option_is_named(url: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(PublishError, match=re.escape(words)) as raised:
        connect(url, **options)
    assert "secret-word" not in str(raised.value)


def test_send_after_close_is_refused(broker: Mosquitto) -> None:
    publisher = mqtt(broker.url())
    publisher.close()
    publisher.close()
    with pytest.raises(PublishError, match="closed"):
        publisher.send({})
