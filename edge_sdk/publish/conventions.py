"""The conventions of one publisher: made from options, and called so that none of them harms the results.

A new convention needs its line in `CONVENTIONS`, under the name of its option of `connect`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from edge_sdk import lazy
from edge_sdk.errors import PublishError
from edge_sdk.publish.message import Convention, Identity, Message

CONVENTIONS = {
    "home_assistant": "edge_sdk.publish.home_assistant:HomeAssistant",
    "frigate": "edge_sdk.publish.frigate:Frigate",
    "sparkplug": "edge_sdk.publish.sparkplug:Sparkplug",
}

_log = logging.getLogger("edge_sdk.publish")


def make(
    identity: Identity, ready: Sequence[Convention], wanted: Mapping[str, bool | Mapping[str, Any]]
) -> Conventions:
    """`ready` and those that `wanted` names: True, or a dict with options of the convention's class."""
    made = list(ready)
    for name, options in wanted.items():
        if options is False:
            continue
        if options is not True and not isinstance(options, Mapping):
            raise PublishError(f"{name} is {options!r}, it must be True, False or a dict of options")
        given = {} if options is True else options
        made.append(lazy.call(lazy.load(CONVENTIONS[name]), name, PublishError, identity, **given))
    return Conventions(made)


class Conventions:
    """All of a connection's conventions as one."""

    def __init__(self, members: Sequence[Convention] = ()) -> None:
        self._members = members

    def __bool__(self) -> bool:
        return bool(self._members)

    def will(self) -> Message | None:
        return next((will for m in self._members if (will := m.will()) is not None), None)

    @property
    def will_at_end(self) -> bool:
        return any(m.will_at_end for m in self._members)

    def subscriptions(self) -> list[str]:
        return [topic for m in self._members for topic in m.subscriptions()]

    def connected(self) -> list[Message]:
        return self._all(lambda m: m.connected())

    def received(self, topic: str, payload: bytes, matches: Callable[[str, str], bool]) -> list[Message]:
        """The answers of those whose subscriptions match."""
        return self._all(
            lambda m: m.received(topic, payload) if any(matches(s, topic) for s in m.subscriptions()) else ()
        )

    def result(self, payload: Mapping[str, Any], age_s: float) -> list[Message]:
        return self._all(lambda m: m.result(payload, age_s))

    def tick(self) -> list[Message]:
        return self._all(lambda m: m.tick())

    def closing(self) -> list[Message]:
        return self._all(lambda m: m.closing())

    def _all(self, ask: Callable[[Convention], Iterable[Message]]) -> list[Message]:
        messages: list[Message] = []
        for member in self._members:
            try:
                messages += ask(member)
            except Exception:
                _log.exception("%s failed; results go on without its messages", type(member).__name__)
        return messages
