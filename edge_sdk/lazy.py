"""Load a backend by its `"module:Class"` name on first use, so that importing the SDK stays cheap."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from edge_sdk.errors import EdgeError


def load(name: str) -> Any:
    """The object that `"package.module:Name"` stands for."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def call(function: Any, what: str, error: type[EdgeError], *args: Any, **options: Any) -> Any:
    """`function(*args, **options)`; an option that it lacks raises `error` with those that it has."""
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **options)
    except TypeError as problem:
        known = [p.name for p in list(signature.parameters.values())[len(args) :]]
        raise error(f"{what}: {problem}; its options are: {', '.join(known) or 'none'}") from None
    return function(*args, **options)
