"""Sparkplug B 3.0: the device as an edge node of an industrial system, its pipeline as a device below it.

    spBv1.0/<group>/NBIRTH|NDATA|NDEATH|NCMD/<node>        how the machine does
    spBv1.0/<group>/DBIRTH|DDATA|DDEATH/<node>/<device>    what the pipeline sees

Births name every metric there is, data those that changed. `seq` counts the messages of a session, 0 to
255 and round again, and starts over with NBIRTH. `bdSeq` numbers the sessions: the last will NDEATH
carries the number of the NBIRTH that it ends. A host that missed something asks for births by the command
`Node Control/Rebirth`. Results that were stored while nobody listened are marked `is_historical`.
Source: https://sparkplug.eclipse.org/specification/ and the field numbers of its sparkplug_b.proto.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_sdk.errors import PublishError
from edge_sdk.publish.message import Identity, Message, Silent
from edge_sdk.publish.protobuf import Field, decode, encode
from edge_sdk.publish.reading import detections, entries, label_of, score_of
from edge_sdk.version import __version__

_log = logging.getLogger("edge_sdk.publish")

METRIC = {
    "name": Field(1, "string"),
    "alias": Field(2, "uint"),
    "timestamp": Field(3, "uint"),
    "datatype": Field(4, "uint"),
    "is_historical": Field(5, "bool"),
    "is_transient": Field(6, "bool"),
    "is_null": Field(7, "bool"),
    "int_value": Field(10, "uint"),
    "long_value": Field(11, "uint"),
    "float_value": Field(12, "float"),
    "double_value": Field(13, "double"),
    "boolean_value": Field(14, "bool"),
    "string_value": Field(15, "string"),
    "bytes_value": Field(16, "bytes"),
}
PAYLOAD = {
    "timestamp": Field(1, "uint"),
    "metrics": Field(2, "message", repeated=True, fields=METRIC),
    "seq": Field(3, "uint"),
    "uuid": Field(4, "string"),
    "body": Field(5, "bytes"),
}
_INT64, _DOUBLE, _BOOLEAN, _STRING = 4, 10, 11, 12  # data types
_VALUE = {
    _INT64: "long_value",
    _DOUBLE: "double_value",
    _BOOLEAN: "boolean_value",
    _STRING: "string_value",
}

REBIRTH = "Node Control/Rebirth"
_MAX_LABELS = 100  # counters of labels; a model may know thousands
_RESULT = {
    "Result/Label": _STRING,
    "Result/Score": _DOUBLE,
    "Result/Count": _INT64,
    "Result/Frame": _STRING,
}
_PERFORMANCE = {"Performance/Frames per second": _DOUBLE, "Performance/Latency ms": _DOUBLE}
_NODE = {
    "Health/Temperature C": _DOUBLE,
    "Health/Throttled": _BOOLEAN,
    "Health/Power W": _DOUBLE,
    "Health/Waiting results": _INT64,
    "Health/Dropped results": _INT64,
    "Properties/Software": _STRING,
}

Values = Mapping[str, Any]  # metric -> value, None where it is not known


class Sparkplug(Silent):
    """The convention `sparkplug` of a publisher; its last will is that of the connection."""

    will_at_end = True  # required with MQTT 5 (payloads-ndeath-will-message-publisher-disconnect-mqtt50)

    def __init__(
        self,
        identity: Identity,
        *,
        group: str = "edge-sdk",
        node: str | None = None,
        labels: Sequence[str] = (),
    ) -> None:
        """`node` is the machine's name by default; the pipeline is called by the last level of its topic.

        Each of `labels` gets a counter of its detections at once, any other when it is first seen, by new
        births. Without a folder in the identity, sessions are numbered from 0 again after a restart.
        """
        self._group, self._node = group, identity.device if node is None else node
        for what, text in (("group", self._group), ("node", self._node)):
            if not text or set("/+#") & set(text):
                raise PublishError(f"sparkplug: {what} is {text!r}; it may not be empty or hold / + #")
        self._device = identity.topic.rpartition("/")[2]
        self._health = identity.health
        self._file = None if identity.folder is None else identity.folder / "bdseq"
        self._session = -1 if self._file is None else _read_number(self._file)
        self._coming = (self._session + 1) % 256
        self._next = 0  # seq
        self._since = 0.0  # of the session, monotonic seconds
        self._counted = dict.fromkeys(labels[:_MAX_LABELS])  # labels in their order
        self._last: Values = {}  # the newest result
        self._told_node: Values = {}
        self._told_device: Values = {}

    def will(self) -> Message:
        """NDEATH of the session that the next connection begins."""
        return self._death(self._coming)

    def subscriptions(self) -> Sequence[str]:
        return (f"spBv1.0/{self._group}/NCMD/{self._node}",)

    def connected(self) -> Iterable[Message]:
        self._session, self._since = self._coming, time.monotonic()
        self._coming = (self._session + 1) % 256
        if self._file is not None:
            _write_number(self._file, self._session)
        return self._births()

    def received(self, topic: str, payload: bytes) -> Iterable[Message]:
        """Births, if that is what the command asks for; no other is known."""
        try:
            metrics = decode(PAYLOAD, payload).get("metrics", [])
        except ValueError as problem:
            _log.warning("%s: a command that cannot be read: %s", topic, problem)
            return ()
        asked = any(m.get("name") == REBIRTH and m.get("boolean_value") for m in metrics)
        return self._births() if asked else ()

    def result(self, payload: Mapping[str, Any], age_s: float) -> Iterator[Message]:
        counts = Counter(d.label for d in detections(payload))
        accepted = time.time() - age_s
        stored = age_s > time.monotonic() - self._since
        values = {**_read(payload), **_counters(counts, self._counted)}
        if not stored:
            self._last = values
        if self._learn(counts):
            values = {**values, **_counters(counts, self._counted)}
            self._last = self._last if stored else values
            yield from self._births()
        if stored:
            yield self._data("DDATA", values, accepted, historical=True)
            return
        changed = _changed(self._told_device, values)
        self._told_device = {**self._told_device, **changed}
        if changed:
            yield self._data("DDATA", changed, accepted)

    def tick(self) -> Iterator[Message]:
        """NDATA and DDATA if the machine does otherwise than it did."""
        node = _changed(self._told_node, self._node_values())
        device = _changed(self._told_device, self._performance())
        self._told_node, self._told_device = {**self._told_node, **node}, {**self._told_device, **device}
        if node:
            yield self._data("NDATA", node, time.time())
        if device:
            yield self._data("DDATA", device, time.time())

    def closing(self) -> Iterable[Message]:
        return [self._message("DDEATH", []), self._death(self._session)]

    def _births(self) -> list[Message]:
        """NBIRTH and DBIRTH: all that there is, and its values now."""
        self._next = 0
        now = time.time()
        self._told_node = self._node_values()
        values = {**_counters(Counter(), self._counted), **self._last, **self._performance()}
        types = {**_RESULT, **_PERFORMANCE, **dict.fromkeys(map(_counter, self._counted), _INT64)}
        self._told_device = {name: values.get(name) for name in types}
        node = [
            _metric("bdSeq", _INT64, self._session, now),
            _metric(REBIRTH, _BOOLEAN, False, now),
            *(_metric(name, kind, self._told_node.get(name), now) for name, kind in _NODE.items()),
        ]
        device = [_metric(name, kind, self._told_device[name], now) for name, kind in types.items()]
        return [self._message("NBIRTH", node), self._message("DBIRTH", device)]

    def _learn(self, counts: Iterable[str]) -> bool:
        known = len(self._counted)
        for label in counts:
            if len(self._counted) < _MAX_LABELS:
                self._counted.setdefault(label)
        return len(self._counted) > known

    def _performance(self) -> Values:
        figures = (self._health.fps, self._health.latency_ms)
        return dict(zip(_PERFORMANCE, (None if f is None else round(f, 2) for f in figures)))

    def _node_values(self) -> Values:
        h = self._health
        watts = None if h.watts is None else round(h.watts, 2)
        return dict(zip(_NODE, (h.temperature_c, h.throttled, watts, h.outbox_depth, h.dropped, __version__)))

    def _data(self, kind: str, values: Values, at: float, historical: bool | None = None) -> Message:
        # The specification advises against data types here, but there are hosts that cannot read without.
        types = {**_RESULT, **_PERFORMANCE, **_NODE}
        metrics = [_metric(name, types.get(name, _INT64), value, at) for name, value in values.items()]
        return self._message(kind, [{**metric, "is_historical": historical} for metric in metrics])

    def _message(self, kind: str, metrics: list[dict[str, Any]]) -> Message:
        payload = {"timestamp": _ms(time.time()), "metrics": metrics, "seq": self._next}
        self._next = (self._next + 1) % 256
        topic = f"spBv1.0/{self._group}/{kind}/{self._node}"
        return Message(
            f"{topic}/{self._device}" if kind[0] == "D" else topic, encode(PAYLOAD, payload), qos=0
        )

    def _death(self, session: int) -> Message:
        now = time.time()
        payload = {"timestamp": _ms(now), "metrics": [_metric("bdSeq", _INT64, session, now)]}
        return Message(f"spBv1.0/{self._group}/NDEATH/{self._node}", encode(PAYLOAD, payload), qos=1)


def _read(payload: Mapping[str, Any]) -> Values:
    """The metrics of a result, but for the counters."""
    found = entries(payload)
    best = found[0] if found else None
    frame = payload.get("frame")
    values = (
        None if best is None else label_of(best),
        None if best is None else score_of(best),
        len(found),
        None if frame is None else str(frame),
    )
    return dict(zip(_RESULT, values))


def _counter(label: str) -> str:
    return f"Counts/{label}"


def _counters(counts: Mapping[str, int], labels: Iterable[str]) -> Values:
    return {_counter(label): counts.get(label, 0) for label in labels}


def _changed(told: Values, now: Values) -> Values:
    return {name: value for name, value in now.items() if name not in told or told[name] != value}


def _metric(name: str, kind: int, value: Any, at: float) -> dict[str, Any]:
    metric = {"name": name, "timestamp": _ms(at), "datatype": kind}
    return {**metric, "is_null": True} if value is None else {**metric, _VALUE[kind]: value}


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _read_number(file: Path) -> int:
    """The last session's number; -1 if there was none, or if nobody can tell."""
    try:
        number = int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return -1
    return number if 0 <= number < 256 else -1


def _write_number(file: Path, number: int) -> None:
    """Whole or not at all, whenever the power goes."""
    new = file.with_suffix(".new")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as out:
            out.write(str(number))
            out.flush()
            os.fsync(out.fileno())
        os.replace(new, file)
    except OSError as problem:
        # Results matter more: a full disk must not keep the connection from being made.
        _log.warning("%s: bdSeq is not kept: %s", file, problem)
