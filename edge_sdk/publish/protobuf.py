"""The wire format of protocol buffers, as much of it as the payload of Sparkplug B takes.

A message is a dict, described by a table from name to `Field`. What is None or absent is not written;
fields that the table lacks are passed over, as protocol buffers ask of a reader.

    byte stream = (tag value)*        tag = varint(number << 3 | wire type)
    varint: 7 bits a byte, the lowest first, the high bit set on all but the last
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types; 3 and 4, groups, are not used any more
_WIRE = {
    "uint": _VARINT,
    "bool": _VARINT,
    "double": _FIXED64,
    "float": _FIXED32,
    "string": _BYTES,
    "bytes": _BYTES,
    "message": _BYTES,
}
_DEPTH = 32  # of messages within messages


@dataclass(frozen=True)
class Field:
    """One field of a message."""

    number: int
    kind: str  # a key of _WIRE; "uint" for both widths, negative numbers as two's complement of 64 bits
    repeated: bool = False  # the value is a list
    fields: Fields = field(default_factory=dict)  # of a message


Fields = Mapping[str, Field]


def encode(fields: Fields, message: Mapping[str, Any]) -> bytes:
    """The message as bytes, its fields in the table's order; `KeyError` for a key that the table lacks."""
    for name in message:
        if name not in fields:
            raise KeyError(name)
    out = bytearray()
    for name, spec in fields.items():
        value = message.get(name)
        if value is None:
            continue
        for item in value if spec.repeated else (value,):
            out += _varint(spec.number << 3 | _WIRE[spec.kind])
            out += _value(spec, item)
    return bytes(out)


def decode(fields: Fields, data: bytes) -> dict[str, Any]:
    """The fields that `data` has; `ValueError` if it is cut short or no such message."""
    return _decode(fields, memoryview(data), _DEPTH)


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _value(spec: Field, item: Any) -> bytes:
    if spec.kind == "double":
        return struct.pack("<d", item)
    if spec.kind == "float":
        return struct.pack("<f", item)
    if spec.kind in ("uint", "bool"):
        return _varint(int(item))
    if spec.kind == "message":
        content = encode(spec.fields, item)
    else:
        content = item.encode("utf-8") if spec.kind == "string" else bytes(item)
    return _varint(len(content)) + content


def _decode(fields: Fields, data: memoryview, depth: int) -> dict[str, Any]:
    if depth == 0:
        raise ValueError("messages are nested too deep")
    by_number = {spec.number: (name, spec) for name, spec in fields.items()}
    message: dict[str, Any] = {}
    for number, wire, raw in _split(data):
        name, spec = by_number.get(number, ("", None))
        if spec is None:
            continue
        if wire != _WIRE[spec.kind]:
            raise ValueError(f"field {number} has wire type {wire}, expected {_WIRE[spec.kind]}")
        value = _read(spec, raw, depth)
        if spec.repeated:
            message.setdefault(name, []).append(value)
        else:
            message[name] = value
    return message


def _read(spec: Field, raw: Any, depth: int) -> Any:
    if spec.kind == "uint":
        return raw
    if spec.kind == "bool":
        return bool(raw)
    if spec.kind == "message":
        return _decode(spec.fields, raw, depth - 1)
    if spec.kind == "string":
        return bytes(raw).decode("utf-8")
    if spec.kind == "bytes":
        return bytes(raw)
    return struct.unpack("<d" if spec.kind == "double" else "<f", raw)[0]


def _split(data: memoryview) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and value of each field: an int of a varint, else the bytes."""
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _read_varint(data, at)
            yield number, wire, value
            continue
        if wire == _BYTES:
            length, at = _read_varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"field {number} has the unknown wire type {wire}")
        if length > len(data) - at:
            raise ValueError(f"field {number} is cut short")
        yield number, wire, data[at : at + length]
        at += length


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("a number is cut short")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & (1 << 64) - 1, at
    raise ValueError("a number has more than ten bytes")
