"""Loads other people's TFLite delegates: shared libraries that run ops on an accelerator.

The entry points are those of external_delegate_interface.h in
https://github.com/google-ai-edge/LiteRT/tree/main/tflite/delegates/external.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import platform
from typing import Any

from edge_sdk.errors import (
    BackendError,
    DelegateError,
    DelegateLoadError,
    DelegateSymbolError,
    InputTypeError,
)
from edge_sdk.types import DelegateSpec

_MODULES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")
_ENTRY_POINTS = ("tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate")


class LoadedDelegate:
    """A delegate, ready for use; the models that use it keep it alive."""

    def __init__(self, name: str, handle: Any) -> None:
        self.name = name
        self.handle = handle  # LiteRT's Delegate


def interpreter_module() -> Any:
    """LiteRT's Python interface; `BackendError` if it is not installed."""
    for name in _MODULES:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as problem:
            if not name.startswith(str(problem.name)):
                raise BackendError(f"{name} is installed but cannot be imported: {problem}") from problem
    raise BackendError("LiteRT is not installed: pip install 'edge-sdk-runtime[litert]'")


def loaded(delegate: Any) -> LoadedDelegate:
    """A `DelegateSpec`, a `LoadedDelegate`, or what LiteRT's own load_delegate returned, as the second."""
    if isinstance(delegate, DelegateSpec):
        return load_delegate(delegate)
    if isinstance(delegate, LoadedDelegate):
        return delegate
    if hasattr(delegate, "_get_native_delegate_pointer"):
        return LoadedDelegate("delegate", delegate)
    raise InputTypeError(f"{delegate!r} is no delegate: pass what edge_sdk.load_delegate returns")


def load_delegate(spec: DelegateSpec) -> LoadedDelegate:
    """Loads a delegate; raises `DelegateError` with the loader's or library's own words and the fix."""
    library = os.fspath(spec.library)
    # LiteRT would raise too, but without a hint, and would complain again when it cleans up.
    try:
        loaded = ctypes.CDLL(library)
    except OSError as problem:
        raise DelegateLoadError(
            f"the delegate {library} cannot be loaded: {problem}. {_fix(library, str(problem))}"
        ) from None
    for symbol in _ENTRY_POINTS:
        if not hasattr(loaded, symbol):
            raise DelegateSymbolError(
                f"{library} is no TFLite delegate: it lacks {symbol}. Give the delegate's own library, "
                "not the accelerator's driver"
            )
    try:
        return LoadedDelegate(spec.name, interpreter_module().load_delegate(library, dict(spec.options)))
    except BackendError as problem:  # users of TFLite catch ValueError and go on with the CPU
        raise DelegateError(f"{library}: {problem}") from None
    except (ValueError, RuntimeError) as problem:
        words = str(problem).partition("\n")[2].strip() or "it gives no reason"
        raise DelegateError(
            f"{library} creates no delegate with the options {dict(spec.options)}: {words}. Is the device "
            "plugged in, free, and open to this user?"
        ) from None


def _fix(library: str, words: str) -> str:
    """What to do about what the dynamic loader says."""
    if "GLIBC" in words:
        return "It is built for a newer system: install the build for this one"
    if "undefined symbol" in words:
        return "It is built for another version of a library that it uses"
    if "invalid ELF header" in words or "file too short" in words:
        return "The file is no shared library"
    if not words.startswith(library):
        return "It needs another library, which is missing: install that"
    if "wrong ELF class" in words or os.path.isfile(library):
        return f"It is there, but built for another processor than this {platform.machine()} one"
    return "Install the accelerator's runtime package, or give the library's full path"
