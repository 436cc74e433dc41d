"""A Sparkplug host application that trusts nothing: it checks each message against the specification.

The rules are those of Sparkplug 3.0, chapters 4 (topics), 5 (operational behavior) and 6 (payloads).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from edge_sdk.publish.protobuf import encode
from edge_sdk.publish.sparkplug import PAYLOAD

# Data type -> the field that its value is in (chapter 6.4.16).
VALUES = {3: "int_value", 4: "long_value", 9: "float_value", 10: "double_value", 11: "boolean_value",
          12: "string_value"}  # fmt: skip


@dataclass
class Host:
    """What a host knows of one edge node with one device."""

    group: str
    node: str
    device: str
    online: bool = False
    session: int | None = None  # bdSeq
    sessions: list[int] = field(default_factory=list)
    seq: int | None = None  # of the last message
    kinds: list[str] = field(default_factory=list)  # of all messages
    types: dict[str, dict[str, int]] = field(default_factory=dict)  # N or D -> metric -> data type
    values: dict[str, Any] = field(default_factory=dict)  # metric -> newest value
    history: list[dict[str, Any]] = field(default_factory=list)  # the values of each historical message
    history_ms: list[int] = field(default_factory=list)  # their times

    def receive(self, topic: str, payload: bytes, *, retained: bool = False, qos: int | None = None) -> str:
        """Takes one message of the namespace; its kind."""
        from edge_sdk.publish.protobuf import decode

        namespace, group, kind, node, *device = topic.split("/")
        assert (namespace, group, node) == ("spBv1.0", self.group, self.node)
        assert device == ([self.device] if kind[0] == "D" else []), topic
        assert not retained
        if qos is not None:
            assert qos == (1 if kind == "NDEATH" else 0), f"{kind} at QoS {qos}"
        message = decode(PAYLOAD, payload)
        assert abs(message["timestamp"] - time.time() * 1000) < 600_000, "milliseconds since 1970"
        self.kinds.append(kind)
        getattr(self, f"_{kind.lower()}")(message)
        return kind

    def _follow(self, message: dict[str, Any], *, first: bool = False) -> None:
        assert 0 <= message["seq"] <= 255
        if first:
            assert message["seq"] == 0
        else:
            assert self.online, "before NBIRTH"
            assert self.seq is not None
            assert message["seq"] == (self.seq + 1) % 256, f"{message['seq']} after {self.seq}: one is lost"
        self.seq = message["seq"]

    def _births(self, message: dict[str, Any], level: str) -> None:
        self.types[level] = {}
        for metric in message["metrics"]:
            assert metric["name"] not in self.types[level], "twice in a birth"
            assert "timestamp" in metric
            assert "is_historical" not in metric
            self.types[level][metric["name"]] = metric["datatype"]
            self.values[metric["name"]] = self._value(metric, metric["datatype"])

    def _value(self, metric: dict[str, Any], kind: int) -> Any:
        given = {key for key in metric if key.endswith("_value")}
        if metric.get("is_null"):
            assert not given, "null with a value"
            return None
        assert given == {VALUES[kind]}, f"{metric['name']} of type {kind} is in {given}"
        return metric[VALUES[kind]]

    def _nbirth(self, message: dict[str, Any]) -> None:
        self._follow(message, first=True)
        self._births(message, "N")
        assert self.types["N"]["bdSeq"] == 4
        assert self.types["N"]["Node Control/Rebirth"] == 11
        assert self.values["Node Control/Rebirth"] is False
        if not self.online:
            self.sessions.append(self.values["bdSeq"])
        else:
            assert self.values["bdSeq"] == self.session, "a rebirth keeps its session's number"
        self.session, self.online = self.values["bdSeq"], True
        self.types.pop("D", None)

    def _dbirth(self, message: dict[str, Any]) -> None:
        self._follow(message)
        assert self.kinds[-2] == "NBIRTH", "at once after the node's"
        self._births(message, "D")

    def _data(self, message: dict[str, Any], level: str) -> None:
        self._follow(message)
        assert level in self.types, "data before births"
        found = {}
        for metric in message["metrics"]:
            assert "timestamp" in metric
            assert metric["name"] in self.types[level], f"{metric['name']} was in no birth"
            assert metric["datatype"] == self.types[level][metric["name"]]
            found[metric["name"]] = self._value(metric, self.types[level][metric["name"]])
        assert found
        if any(m.get("is_historical") for m in message["metrics"]):
            assert all(m.get("is_historical") for m in message["metrics"])
            self.history.append(found)
            self.history_ms.append(message["metrics"][0]["timestamp"])
        else:
            self.values.update(found)

    def _ndata(self, message: dict[str, Any]) -> None:
        self._data(message, "N")

    def _ddata(self, message: dict[str, Any]) -> None:
        self._data(message, "D")

    def _ddeath(self, message: dict[str, Any]) -> None:
        self._follow(message)

    def _ndeath(self, message: dict[str, Any]) -> None:
        assert "seq" not in message
        (metric,) = message["metrics"]
        assert metric["name"] == "bdSeq"
        if metric["long_value"] == self.session:  # else of a session that is over
            self.online = False
            self.seq = None


def command(name: str = "Node Control/Rebirth", value: bool = True) -> bytes:
    """The payload of an NCMD."""
    now = round(time.time() * 1000)
    metric = {"name": name, "timestamp": now, "datatype": 11, "boolean_value": value}
    return encode(PAYLOAD, {"timestamp": now, "metrics": [metric]})
