"""What Home Assistant accepts as the description of a device, as a table: `faults` names what it would not.

Sources: home-assistant.io/integrations/mqtt (discovery, abbreviations), sensor.mqtt, binary_sensor.mqtt,
developers.home-assistant.io/docs/core/entity/sensor (device classes, units, state classes), and the
schemas in home-assistant/core, components/mqtt (2025). Only what a sensor can be is in the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# Abbreviation -> key, at the root and in components; in `device`; in `origin`.
KEYS = {
    "dev": "device",
    "o": "origin",
    "cmps": "components",
    "p": "platform",
    "avty_t": "availability_topic",
    "stat_t": "state_topic",
    "uniq_id": "unique_id",
    "val_tpl": "value_template",
    "dev_cla": "device_class",
    "stat_cla": "state_class",
    "unit_of_meas": "unit_of_measurement",
    "ent_cat": "entity_category",
    "ic": "icon",
    "json_attr_t": "json_attributes_topic",
    "json_attr_tpl": "json_attributes_template",
    "sug_dsp_prc": "suggested_display_precision",
    "exp_aft": "expire_after",
    "ops": "options",
}
DEVICE_KEYS = {
    "ids": "identifiers",
    "cns": "connections",
    "mf": "manufacturer",
    "mdl": "model",
    "sw": "sw_version",
    "hw": "hw_version",
    "sn": "serial_number",
    "sa": "suggested_area",
}
ORIGIN_KEYS = {"sw": "sw_version", "url": "support_url"}

ROOT = {"device", "origin", "components", "availability_topic", "payload_available", "payload_not_available",
        "availability", "availability_mode", "state_topic", "command_topic", "qos", "encoding"}  # fmt: skip
DEVICE = {*DEVICE_KEYS.values(), "name", "model_id", "via_device", "configuration_url"}
ORIGIN = {"name", *ORIGIN_KEYS.values()}
ENTITY = {"platform", "name", "unique_id", "default_entity_id", "enabled_by_default", "entity_category",
          "icon", "entity_picture", "json_attributes_topic", "json_attributes_template", "availability_topic",
          "state_topic", "value_template", "device_class", "expire_after", "force_update", "qos",
          "encoding"}  # fmt: skip
PLATFORMS = {
    "sensor": {*ENTITY, "state_class", "unit_of_measurement", "suggested_display_precision", "options",
               "last_reset_value_template"},
    "binary_sensor": {*ENTITY, "payload_on", "payload_off", "off_delay"},
}  # fmt: skip

# Device class of a sensor -> its units (None: without one), its state classes.
MEASURED = {"measurement"}
ANY_STATE = {"measurement", "total", "total_increasing"}
SENSOR_CLASSES: dict[str, tuple[set[str | None], set[str]]] = {
    "temperature": ({"°C", "°F", "K"}, MEASURED),
    "duration": ({"d", "h", "min", "s", "ms", "µs"}, ANY_STATE),
    "frequency": ({"Hz", "kHz", "MHz", "GHz"}, MEASURED),
    "data_size": ({"B", "kB", "MB", "GB", "KiB", "MiB", "GiB"}, ANY_STATE),
    "power": ({"mW", "W", "kW"}, MEASURED),
    "enum": ({None}, set()),
    "timestamp": ({None}, set()),
}
BINARY_CLASSES = {"problem", "heat", "running", "connectivity", "motion", "occupancy", "power"}
CATEGORIES = {"diagnostic"}  # of what cannot be set
TOPIC = re.compile(r"[^/]+/device/[a-zA-Z0-9_-]+/config")  # below the prefix
# The only form that we use. Names of the model's are in brackets: a dot would find a dict's methods first.
TEMPLATE = re.compile(r"\{\{ value_json\.([a-z_]+)(?:\['([a-z0-9_]+)'\])?( \| tojson)? \}\}")


def faults(topic: str, payload: Mapping[str, Any]) -> list[str]:
    return list(_faults(topic, payload))


def full(table: Mapping[str, str], mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with its abbreviations written out."""
    return {table.get(key, key): value for key, value in mapping.items()}


def _faults(topic: str, payload: Mapping[str, Any]) -> Iterator[str]:
    if not TOPIC.fullmatch(topic):
        yield f"{topic} is no discovery topic of a device"
    root = full(KEYS, payload)
    yield from (f"{key} is no key of a device's description" for key in set(root) - ROOT)
    for key in ("device", "origin", "components"):
        if not isinstance(root.get(key), dict) or not root[key]:
            yield f"{key} is missing"
            return
    device, origin = full(DEVICE_KEYS, root["device"]), full(ORIGIN_KEYS, root["origin"])
    yield from (f"device: {key} is no key" for key in set(device) - DEVICE)
    yield from (f"origin: {key} is no key" for key in set(origin) - ORIGIN)
    if not device.get("identifiers") and not device.get("connections"):
        yield "device: has no identifiers and no connections"
    if not isinstance(origin.get("name"), str):
        yield "origin: name is missing"
    if root.get("qos", 0) not in (0, 1, 2):
        yield f"qos is {root['qos']}"
    components = {name: full(KEYS, c) for name, c in root["components"].items()}
    ids = [c.get("unique_id") for c in components.values()]
    if len(set(ids)) != len(ids):
        yield "a unique_id occurs twice"
    for name, component in components.items():
        shared = {k: root[k] for k in ("availability_topic", "state_topic", "qos", "encoding") if k in root}
        yield from (f"{name}: {fault}" for fault in _component({**shared, **component}))


def _component(c: Mapping[str, Any]) -> Iterator[str]:
    platform = c.get("platform")
    if platform not in PLATFORMS:
        yield f"platform is {platform}"
        return
    yield from (f"{key} is no key of a {platform}" for key in set(c) - PLATFORMS[platform])
    yield from (f"{key} is missing" for key in ("unique_id", "state_topic") if not c.get(key))
    for key in (key for key in c if key.endswith("_topic")):
        if not c[key] or set("+#\0") & set(c[key]):
            yield f"{key} is {c[key]!r}"
    for key in (key for key in c if key.endswith("template")):
        if not TEMPLATE.fullmatch(c[key]):
            yield f"{key} is {c[key]!r}"
    if "icon" in c and ":" not in c["icon"]:
        yield f"icon is {c['icon']!r}"
    if "entity_category" in c and c["entity_category"] not in CATEGORIES:
        yield f"entity_category is {c['entity_category']!r}"
    kind, unit, state = c.get("device_class"), c.get("unit_of_measurement"), c.get("state_class")
    if platform == "binary_sensor":
        if kind is not None and kind not in BINARY_CLASSES:
            yield f"device_class is {kind}"
        return
    if state is not None and state not in {*ANY_STATE, "measurement_angle"}:
        yield f"state_class is {state}"
    if kind is not None and kind not in SENSOR_CLASSES:
        yield f"device_class is {kind}"
    elif kind is not None:
        units, states = SENSOR_CLASSES[kind]
        if unit not in units:
            yield f"{kind} is not measured in {unit}"
        if state is not None and state not in states:
            yield f"{kind} is no {state}"
    if unit is not None and state is None and kind is None:
        yield "a number without a state_class"
    if "options" in c and (kind != "enum" or state is not None or unit is not None):
        yield "options without the device class enum"
