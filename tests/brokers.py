"""Real mosquitto brokers on loopback, and a subscriber that writes down what it receives."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE_S = 30  # how long a test waits for what must happen; nothing is timed by it


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """A broker in `folder` on its own port; `config` are further lines of mosquitto.conf."""

    def __init__(self, folder: Path, config: str = "allow_anonymous true", port: int | None = None) -> None:
        folder.mkdir(exist_ok=True)
        # Debian keeps it in /usr/sbin, which users' PATH often lacks.
        self._program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if self._program is None:
            pytest.skip("not run for want of mosquitto (apt install mosquitto)")
        self.port = port or free_port()
        self._config = folder / f"mosquitto-{self.port}.conf"
        # Started by root it would become a user that cannot read the test's folder; and subscribers'
        # queues must not be what loses messages.
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nuser root\nmax_queued_messages 0\n{config}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Mosquitto:
        self._process = subprocess.Popen(
            [str(self._program), "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        waited = threading.Event()
        for _ in range(PATIENCE_S * 50):
            if self._process.poll() is not None:
                assert self._process.stderr is not None
                raise AssertionError(f"mosquitto ended: {self._process.stderr.read().decode()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            waited.wait(0.02)
        raise AssertionError("mosquitto does not listen")

    def stop(self) -> None:
        """Ends it as its service manager would; with persistence it saves sessions and their messages."""
        if self._process is not None:
            self._process.terminate()
            self._process.send_signal(signal.SIGCONT)  # in case a test has stopped it
            self._process.communicate()
            self._process = None

    def kill(self) -> None:
        """Ends it as a power cut would: it saves nothing."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()
        self._process = None

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def url(self, topic: str = "edge/results") -> str:
        return f"mqtt://127.0.0.1:{self.port}/{topic}"


class Subscriber:
    """Receives everything on a broker, from before the constructor returns; reconnects by itself.

    With a `session` name the broker keeps for it what comes while it, or a durable broker, is away.
    """

    def __init__(
        self, port: int, prepare: Callable[[paho.Client], None] = lambda client: None, session: str = ""
    ) -> None:
        self._changed = threading.Condition()
        self.messages: list[tuple[str, bytes, bool]] = []  # topic, payload, retained
        self._subscribed = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=session, clean_session=not session)
        prepare(self._client)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_subscribe = lambda *_: self._count()
        self._client.on_message = lambda client, data, message: self._keep(message)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.wait_subscribed(1)

    def _count(self) -> None:
        with self._changed:
            self._subscribed += 1
            self._changed.notify_all()

    def _keep(self, message: paho.MQTTMessage) -> None:
        with self._changed:
            self.messages.append((message.topic, message.payload, message.retain))
            self._changed.notify_all()

    def wait_subscribed(self, times: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._subscribed >= times, PATIENCE_S), "not subscribed"

    def results(self, topic: str = "edge/results") -> list[dict[str, Any]]:
        with self._changed:
            return [json.loads(payload) for t, payload, _ in self.messages if t == topic]

    def statuses(self, topic: str = "edge/results/status") -> list[str]:
        with self._changed:
            return [payload.decode() for t, payload, _ in self.messages if t == topic]

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), (
                f"did not happen: {what}; {self.messages[-5:]}"
            )

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Certificates:
    """A certificate authority with a server's and a client's certificate, and one of a stranger."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("not run for want of openssl (apt install openssl)")
        self._folder = folder
        self.ca, self._ca_key = self._authority("ca")
        self.stranger_ca, _ = self._authority("stranger")
        self.server, self.server_key = self._signed("server", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        self.client, self.client_key = self._signed("client", "extendedKeyUsage=clientAuth")

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True)

    def _authority(self, name: str) -> tuple[str, str]:
        self._openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
            *("-subj", f"/CN=test {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
        return str(self._folder / f"{name}.pem"), str(self._folder / f"{name}.key")

    def _signed(self, name: str, extension: str) -> tuple[str, str]:
        # Key identifiers: Python 3.13 verifies by the letter of RFC 5280.
        identifiers = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid"
        (self._folder / f"{name}.ext").write_text(f"{extension}\n{identifiers}\n")
        self._openssl(
            *(
                "req",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-subj",
                f"/CN={name}",
            ),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr"),
        )
        self._openssl(
            *(
                "x509",
                "-req",
                "-in",
                f"{name}.csr",
                "-CA",
                self.ca,
                "-CAkey",
                self._ca_key,
                "-CAcreateserial",
            ),
            *("-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem"),
        )
        return str(self._folder / f"{name}.pem"), str(self._folder / f"{name}.key")
