"""Where an MQTT broker is and how to talk to it: the checked form of a URL and its options."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from edge_sdk.errors import PublishError

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True)
class Broker:
    """A broker and the topic of the results."""

    host: str
    port: int
    topic: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)  # None: no TLS

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}/{self.topic}"

    @property
    def status_topic(self) -> str:
        """Where `online` and `offline` stand, retained."""
        return f"{self.topic}/status"


def parse(
    url: str,
    *,
    username: str | None = None,
    password: str | None = None,
    ca: str | None = None,
    cert: str | None = None,
    key: str | None = None,
) -> Broker:
    """Reads `mqtt://user:password@host:port/topic` (or `mqtts://`) and the options that belong to it.

    Special characters of user, password and topic are percent-encoded in the URL. `ca`, `cert` and
    `key` are paths of PEM files and need `mqtts`; without `ca` the system's authorities are trusted.
    `PublishError` names what is wrong and never holds the password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise PublishError(f"bad MQTT URL: {problem}; write mqtt://host:port/topic") from None
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise PublishError(f"bad MQTT URL {shown}: write mqtt://host:port/topic")
    if username is None and parts.username:
        username = unquote(parts.username)
    if password is None and parts.password:
        password = unquote(parts.password)
    if password is not None and username is None:
        raise PublishError(f"{shown}: a password needs a user name")
    return Broker(
        host=parts.hostname,
        port=_PORTS[parts.scheme] if port is None else port,
        topic=_topic(parts, shown),
        username=username,
        password=password,
        tls=_tls(parts.scheme, shown, ca, cert, key),
    )


def _topic(parts: SplitResult, shown: str) -> str:
    if parts.query or parts.fragment:
        raise PublishError(f"{shown}: `?` and `#` have no meaning in an MQTT URL; options go beside it")
    topic = unquote(parts.path[1:])
    if not topic or topic.startswith("/") or topic.endswith("/"):
        raise PublishError(f"{shown}: say which topic results go to, as in mqtt://host:port/topic")
    # MQTT 3.1.1, 4.7: no wildcards and no U+0000 in the topic of a message; names with $ are the broker's.
    if set("+#\0") & set(topic) or topic.startswith("$") or len(topic.encode()) > 60_000:
        raise PublishError(f"{shown}: a topic may not hold + or #, begin with $, or be over 60,000 bytes")
    return topic


def _tls(scheme: str, shown: str, ca: str | None, cert: str | None, key: str | None) -> ssl.SSLContext | None:
    if scheme == "mqtt":
        if ca or cert or key:
            raise PublishError(f"{shown}: certificates need mqtts:// instead of mqtt://")
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
    return context
