"""The wire format of protocol buffers: known bytes, Google's own implementation, damaged input."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.publish.protobuf import Field, decode, encode

POINT = {"x": Field(1, "uint"), "name": Field(2, "string")}
ALL = {
    "number": Field(1, "uint"),
    "flag": Field(2, "bool"),
    "wide": Field(3, "double"),
    "narrow": Field(4, "float"),
    "text": Field(5, "string"),
    "raw": Field(16, "bytes"),
    "points": Field(300, "message", repeated=True, fields=POINT),
    "numbers": Field(7, "uint", repeated=True),
}

points = st.fixed_dictionaries({}, optional={"x": st.integers(0, 2**64 - 1), "name": st.text()})
messages = st.fixed_dictionaries(
    {},
    optional={
        "number": st.integers(0, 2**64 - 1),
        "flag": st.booleans(),
        "wide": st.floats(allow_nan=False),
        "narrow": st.floats(width=32, allow_nan=False),
        "text": st.text(),
        "raw": st.binary(),
        "points": st.lists(points, min_size=1, max_size=3),
        "numbers": st.lists(st.integers(0, 2**64 - 1), min_size=1),
    },
)


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        ({}, ""),
        ({"number": 0}, "08 00"),
        ({"number": 150}, "08 96 01"),
        ({"number": -1}, "08 ff ff ff ff ff ff ff ff ff 01"),
        ({"flag": True}, "10 01"),
        ({"wide": 1.0}, "19 00 00 00 00 00 00 f0 3f"),
        ({"narrow": 1.0}, "25 00 00 80 3f"),
        ({"text": "testing"}, "2a 07 74 65 73 74 69 6e 67"),
        ({"raw": b"\x00\xff"}, "82 01 02 00 ff"),
        ({"points": [{"x": 1}, {}]}, "e2 12 02 08 01 e2 12 00"),
    ],
)
def test_known_bytes(message: dict[str, Any], wire: str) -> None:
    assert encode(ALL, message) == bytes.fromhex(wire)
    assert decode(ALL, bytes.fromhex(wire)) == {
        k: v & 2**64 - 1 if v == -1 else v for k, v in message.items()
    }


def test_what_is_none_is_not_written_and_what_is_unknown_is_refused() -> None:
    assert encode(ALL, {"text": None, "points": None}) == b""
    with pytest.raises(KeyError, match="colour"):
        encode(ALL, {"colour": 1})


@given(messages)
def test_what_is_written_is_read_again(message: dict[str, Any]) -> None:
    assert decode(ALL, encode(ALL, message)) == message


@given(messages)
def test_a_reader_passes_over_fields_that_it_does_not_know(message: dict[str, Any]) -> None:
    known = {name: ALL[name] for name in ("number", "points")}
    wanted = {k: v for k, v in message.items() if k in known}
    assert decode(known, encode(ALL, message)) == wanted


@settings(max_examples=500)
@given(st.one_of(st.binary(), messages.map(lambda m: encode(ALL, m)[:-1])))
def test_damaged_bytes_are_a_value_error_or_a_message(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode(ALL, data)


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        ("08", "cut short"),
        ("08 ff ff ff ff ff ff ff ff ff ff 01", "ten bytes"),
        ("2a 05 61", "field 5 is cut short"),
        ("2a ff ff ff ff ff ff ff ff ff 01", "cut short"),
        ("0b", "wire type 3"),
        ("0d 00 00 00 00", "field 1 has wire type 5"),
        ("2a 01 ff", "utf-8"),
    ],
)
def test_what_is_wrong_is_named(wire: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode(ALL, bytes.fromhex(wire))


def test_messages_within_messages_end_somewhere() -> None:
    nested: dict[str, Field] = {}
    nested["inner"] = Field(1, "message", fields=nested)
    data = b""
    for _ in range(60):
        data = encode({"raw": Field(1, "bytes")}, {"raw": data})
    with pytest.raises(ValueError, match="too deep"):
        decode(nested, data)


@given(messages)
def test_google_reads_and_writes_the_same(message: dict[str, Any]) -> None:
    google = google_message()
    google.ParseFromString(encode(ALL, message))
    for name, value in message.items():
        if name == "points":
            assert [(p.x, p.name) for p in google.points] == [
                (p.get("x", 0), p.get("name", "")) for p in value
            ]
        elif name == "numbers":
            assert list(google.numbers) == value
        else:
            assert getattr(google, name) == value
    assert decode(ALL, google.SerializeToString()) == message


def google_message() -> Any:
    """An empty message of Google's library with the fields of ALL."""
    descriptor_pb2 = pytest.importorskip("google.protobuf.descriptor_pb2", reason="not run without protobuf")
    from google.protobuf import descriptor_pool, message_factory

    types = {"uint": 4, "bool": 8, "double": 1, "float": 2, "string": 9, "bytes": 12, "message": 11}
    file = descriptor_pb2.FileDescriptorProto(name="all.proto", package="edge", syntax="proto2")
    for title, fields in (("Point", POINT), ("All", ALL)):
        message = file.message_type.add(name=title)
        for name, spec in fields.items():
            more = {"type_name": ".edge.Point"} if spec.kind == "message" else {}
            message.field.add(
                name=name, number=spec.number, type=types[spec.kind], label=3 if spec.repeated else 1, **more
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("edge.All"))()
