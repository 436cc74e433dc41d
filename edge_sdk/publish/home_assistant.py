"""Results in Home Assistant: the pipeline announces itself as a device with sensors (MQTT discovery).

`<prefix>/device/<id>/config` holds the description, retained; `<topic>/state` the values, retained, as
JSON; `<topic>/status` whether the pipeline is there. Home Assistant reads all of it by itself.
Source: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery (device discovery, from 2024.11).
"""

from __future__ import annotations

import json
import re
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from edge_sdk.publish.message import Health, Identity, Message, Silent
from edge_sdk.publish.reading import detections, entries, label_of, score_of
from edge_sdk.version import __version__

_MAX_LABELS = 100  # counters of labels; a model may know thousands
_MAX_RESULTS = 10  # in the attributes of the last result
_NOTHING = "nothing"  # the state of the last result where there was none
_REFRESH_S = 30.0  # the values of the device are told this often


class HomeAssistant(Silent):
    """The convention `home_assistant` of a publisher."""

    def __init__(
        self,
        identity: Identity,
        *,
        name: str | None = None,
        labels: Sequence[str] = (),
        prefix: str = "homeassistant",
        every_s: float = 1.0,
        remove: bool = False,
    ) -> None:
        """`name` is what Home Assistant calls the device, by default the machine and the topic's last level.

        Each of `labels` gets a counter of its detections at once, any other when it is first seen. Values
        are told at most every `every_s` seconds. With `remove` the device leaves Home Assistant when the
        publisher closes.
        """
        self._topic, self._health = identity.topic, identity.health
        self._prefix, self._every_s, self._remove = prefix, every_s, remove
        self._id = slug(f"{identity.device}-{identity.topic}")
        self._name = name or f"{identity.device} {identity.topic.rpartition('/')[2]}"
        self._labels = {slug(label): label for label in labels[:_MAX_LABELS]}
        self._last: dict[str, Any] = {}  # what the last result says
        self._told_at: float | None = None  # monotonic seconds
        self._fresh = False  # there is something to tell

    def subscriptions(self) -> Sequence[str]:
        return (f"{self._prefix}/status",)

    def connected(self) -> Iterable[Message]:
        return [self._config(), self._state()]

    def received(self, topic: str, payload: bytes) -> Iterable[Message]:
        """Home Assistant has started: it may have lost what it knew."""
        return self.connected() if payload == b"online" else ()

    def result(self, payload: Mapping[str, Any], age_s: float) -> Iterator[Message]:
        self._last = summary(payload)
        known = len(self._labels)
        for name, label in self._last["labels"].items():
            if len(self._labels) < _MAX_LABELS:
                self._labels.setdefault(name, label)
        if len(self._labels) != known:
            yield self._config()
        self._fresh = True
        if self._since() >= self._every_s:
            yield self._state()

    def tick(self) -> Iterable[Message]:
        """What came too soon after the last telling, and now and then how the device does."""
        due = self._every_s if self._fresh else _REFRESH_S
        return [self._state()] if self._since() >= due else ()

    def closing(self) -> Iterable[Message]:
        if self._remove:
            return [self._retained(self._config().topic, b""), self._retained(f"{self._topic}/state", b"")]
        return [self._state()]

    def _since(self) -> float:
        return float("inf") if self._told_at is None else time.monotonic() - self._told_at

    def _config(self) -> Message:
        description = discovery(self._id, self._name, self._topic, self._labels, self._health)
        return self._retained(f"{self._prefix}/device/{self._id}/config", _json(description))

    def _state(self) -> Message:
        self._told_at, self._fresh = time.monotonic(), False
        values = state(self._last, list(self._labels), self._health)
        return self._retained(f"{self._topic}/state", _json(values))

    def _retained(self, topic: str, payload: bytes) -> Message:
        return Message(topic, payload, qos=1, retain=True)


def discovery(name: str, title: str, topic: str, labels: Mapping[str, str], health: Health) -> dict[str, Any]:
    """The description of a pipeline: one device, its sensors below `cmps`, in Home Assistant's abbreviations.

    `labels` are the counted ones by their names in the state. What `health` does not know is left out.
    """
    measured = {"stat_cla": "measurement"}
    device = {"ent_cat": "diagnostic"}
    components = {
        "result": {
            **_sensor("Result", "result", "mdi:tag-outline"),
            "json_attr_t": f"{topic}/state",
            "json_attr_tpl": "{{ value_json.attributes | tojson }}",
        },
        "confidence": {
            **_sensor("Confidence", "confidence", "mdi:percent-outline"),
            **measured,
            "unit_of_meas": "%",
            "sug_dsp_prc": 1,
        },
        **{
            f"count_{key}": {**_sensor(f"Count of {label}", f"counts['{key}']", "mdi:counter"), **measured}
            for key, label in labels.items()
        },
        "fps": {
            **_sensor("Frames per second", "fps", "mdi:speedometer"),
            **measured,
            **device,
            "unit_of_meas": "FPS",
        },
        "latency": {
            **_sensor("Latency", "latency_ms", "mdi:timer-outline"),
            **measured,
            **device,
            "dev_cla": "duration",
            "unit_of_meas": "ms",
        },
        "outbox": {**_sensor("Waiting results", "outbox", "mdi:tray-full"), **measured, **device},
        "dropped": {
            **_sensor("Dropped results", "dropped", "mdi:tray-remove"),
            **device,
            "stat_cla": "total_increasing",
        },
    }
    if health.temperature_c is not None:
        components["temperature"] = {
            **_sensor("Temperature", "temperature_c", "mdi:thermometer"),
            **measured,
            **device,
            "dev_cla": "temperature",
            "unit_of_meas": "°C",
        }
    if health.watts is not None:
        components["power"] = {
            **_sensor("Power", "watts", "mdi:flash"),
            **measured,
            **device,
            "dev_cla": "power",
            "unit_of_meas": "W",
        }
    if health.throttled is not None:
        components["throttled"] = {
            **_sensor("Throttled", "throttled", "mdi:speedometer-slow"),
            **device,
            "p": "binary_sensor",
            "dev_cla": "problem",
        }
    return {
        "dev": {"ids": [name], "name": title, "mf": "Edge SDK", "mdl": "Pipeline", "sw": __version__},
        "o": {"name": "edge-sdk", "sw": __version__},
        "avty_t": f"{topic}/status",
        "stat_t": f"{topic}/state",
        "qos": 1,
        "cmps": {key: {**component, "uniq_id": f"{name}_{key}"} for key, component in components.items()},
    }


def _sensor(title: str, value: str, icon: str) -> dict[str, Any]:
    return {"p": "sensor", "name": title, "val_tpl": f"{{{{ value_json.{value} }}}}", "ic": icon}


def summary(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What a result says, as far as Home Assistant shows it."""
    found = entries(payload)
    objects = [d.label for d in detections(payload)]
    return {
        "result": label_of(found[0])[:255] if found else _NOTHING,  # states are no longer than 255
        "confidence": round(100 * score_of(found[0]), 2) if found else None,
        "labels": {slug(label): label for label in objects},
        "counts": dict(Counter(map(slug, objects))),
        "attributes": {
            "frame": payload.get("frame"),
            "model": payload.get("model"),
            "results": [{"label": label_of(e), "score": score_of(e)} for e in found[:_MAX_RESULTS]],
        },
    }


def state(last: Mapping[str, Any], counted: Iterable[str], health: Health) -> dict[str, Any]:
    """The values that the templates of `discovery` read; null is `unknown` in Home Assistant."""
    counts = last.get("counts", {})
    return {
        "result": last.get("result"),
        "confidence": last.get("confidence"),
        "counts": {name: counts.get(name, 0) for name in counted},
        "attributes": last.get("attributes", {}),
        "fps": _rounded(health.fps),
        "latency_ms": _rounded(health.latency_ms),
        "temperature_c": _rounded(health.temperature_c),
        "throttled": None if health.throttled is None else "ON" if health.throttled else "OFF",
        "watts": _rounded(health.watts),
        "outbox": health.outbox_depth,
        "dropped": health.dropped,
    }


def slug(text: str) -> str:
    """Letters, digits and _, the same for the same text and different for different ones."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "x"
    return plain if plain == text else f"{plain}_{zlib.crc32(text.encode()):08x}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
