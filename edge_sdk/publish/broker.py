"""Where an MQTT broker is and how to talk to it: the checked form of a URL and its options."""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

import paho.mqtt.client as paho

from edge_sdk.errors import PublishError

_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
_SECURE = ("mqtts", "wss")
_USERNAME, _PASSWORD = "EDGE_SDK_MQTT_USERNAME", "EDGE_SDK_MQTT_PASSWORD"


@dataclass(frozen=True)
class Broker:
    """A broker and the topic of the results, in which `{key}` stands for a value of the result."""

    host: str
    port: int
    topic: str
    scheme: str = "mqtt"
    path: str = "/mqtt"  # of a WebSocket
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)  # None: no TLS

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.topic}"

    @property
    def base(self) -> str:
        """The levels of the topic that are the same for all results."""
        return self.topic.partition("{")[0].rpartition("/")[0] if "{" in self.topic else self.topic

    @property
    def status_topic(self) -> str:
        """Where `online` and `offline` stand, retained."""
        return f"{self.base}/status"

    @property
    def transport(self) -> Literal["tcp", "websockets"]:
        return "websockets" if self.scheme in ("ws", "wss") else "tcp"

    def prepare(self, client: paho.Client) -> None:
        """Gives a client what it needs to be let in."""
        if self.username is not None:
            client.username_pw_set(self.username, self.password)
        if self.tls is not None:
            client.tls_set_context(self.tls)
        if self.transport == "websockets":
            client.ws_set_options(self.path)


def parse(
    url: str,
    *,
    username: str | None = None,
    password: str | None = None,
    ca: str | None = None,
    cert: str | None = None,
    key: str | None = None,
    alpn: Sequence[str] = (),
    password_file: str | os.PathLike[str] | None = None,
    ws_path: str = "/mqtt",
    wildcards: bool = False,
) -> Broker:
    """Reads `mqtt://user:password@host:port/topic` (`mqtts`, `ws`, `wss`) and the options that belong to it.

    Special characters of user, password and topic are percent-encoded in the URL. A password is better
    kept in `password_file` or in EDGE_SDK_MQTT_PASSWORD (a user in EDGE_SDK_MQTT_USERNAME), which count
    where the URL and the arguments have none. `ca`, `cert` and `key` are paths of PEM files and need TLS,
    as `alpn` does, the protocols to name in the handshake; without `ca` the system's authorities are
    trusted. With `wildcards` the topic is a filter. `PublishError` names what is wrong and never holds the
    password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise PublishError(f"bad MQTT URL: {problem}; write mqtt://host:port/topic") from None
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise PublishError(f"bad MQTT URL {shown}: write mqtt://host:port/topic")
    if username is None:
        username = unquote(parts.username) if parts.username else os.environ.get(_USERNAME)
    if password is None:
        password = unquote(parts.password) if parts.password else _secret(password_file)
    if password is not None and username is None:
        raise PublishError(f"{shown}: a password needs a user name")
    return Broker(
        host=parts.hostname,
        port=_PORTS[parts.scheme] if port is None else port,
        topic=_topic(parts, shown, wildcards),
        scheme=parts.scheme,
        path=ws_path,
        username=username,
        password=password,
        tls=_tls(parts.scheme, shown, ca, cert, key, alpn),
    )


def in_order(first: Broker, urls: Sequence[str]) -> list[Broker]:
    """`first`, then those of `urls` (`mqtt://host:port`), with the first one's topic and credentials."""
    brokers = [first]
    for url in urls:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as problem:
            raise PublishError(f"bad MQTT URL: {problem}; write mqtt://host:port") from None
        if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/") or parts.username:
            raise PublishError(
                f"{parts.hostname}: write another broker as mqtt://host:port, without topic and user"
            )
        if (parts.scheme in _SECURE) != (first.tls is not None):
            raise PublishError(f"{parts.hostname}: all brokers must have TLS, or none")
        brokers.append(
            replace(first, host=parts.hostname, port=port or _PORTS[parts.scheme], scheme=parts.scheme)
        )
    return brokers


def _secret(path: str | os.PathLike[str] | None) -> str | None:
    if path is None:
        return os.environ.get(_PASSWORD)
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as problem:
        raise PublishError(f"cannot read the password file {os.fspath(path)}: {problem}") from None


def _topic(parts: SplitResult, shown: str, wildcards: bool) -> str:
    if parts.query or (parts.fragment and not wildcards):
        raise PublishError(f"{shown}: `?` and `#` have no meaning in an MQTT URL; options go beside it")
    # What follows a `#` is a fragment to the URL's reader; a topic filter may end with one.
    topic = unquote(parts.path[1:]) + ("#" if wildcards and parts.path.endswith("/") else "")
    if not topic or topic.startswith("/") or topic.endswith("/"):
        raise PublishError(f"{shown}: say which topic results go to, as in mqtt://host:port/topic")
    # MQTT 3.1.1, 4.7: no wildcards and no U+0000 in the topic of a message; names with $ are the broker's.
    if "{" in topic and "/" not in topic.partition("{")[0]:
        raise PublishError(f"{shown}: the first level of a topic must be a fixed word")
    if wildcards:
        return topic
    if set("+#\0") & set(topic) or topic.startswith("$") or len(topic.encode()) > 60_000:
        raise PublishError(f"{shown}: a topic may not hold + or #, begin with $, or be over 60,000 bytes")
    return topic


def _tls(
    scheme: str, shown: str, ca: str | None, cert: str | None, key: str | None, alpn: Sequence[str]
) -> ssl.SSLContext | None:
    if scheme not in _SECURE:
        if ca or cert or key or alpn:
            raise PublishError(f"{shown}: certificates need mqtts:// instead of {scheme}://")
        return None
    if key and not cert:
        raise PublishError(f"{shown}: a client key needs its certificate (cert)")
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as problem:  # also ssl.SSLError
        raise PublishError(f"{shown}: bad CA file {ca}: {problem}") from problem
    if cert:
        try:
            # An empty password makes an encrypted key an error instead of a question on the terminal.
            context.load_cert_chain(cert, key, password="")
        except OSError as problem:
            raise PublishError(f"{shown}: bad client certificate {cert} or key {key}: {problem}") from problem
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context
