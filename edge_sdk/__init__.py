"""Runs TensorFlow Lite models on small Linux boards and publishes what they see.

    import edge_sdk

    model = edge_sdk.load("model.tflite")
    outputs = model.run(array)

What every program needs (models and the native runtime) is loaded with the package, so that `load` is
quick; numpy is all that it needs. The other names load their modules on first use.
"""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from edge_sdk.errors import BackendError as BackendError
from edge_sdk.model import Model as Model
from edge_sdk.model import Session as Session
from edge_sdk.model import load as load
from edge_sdk.version import __version__

# Where the native module is missing, `load` says so, and how to get it.
with suppress(BackendError):
    from edge_sdk.backends import native as _native_backend  # noqa: F401

if TYPE_CHECKING:
    from edge_sdk.backends.native import register_op as register_op
    from edge_sdk.backends.native import unregister_op as unregister_op
    from edge_sdk.boards import BoardProfile as BoardProfile
    from edge_sdk.errors import BoardError as BoardError
    from edge_sdk.errors import DelegateError as DelegateError
    from edge_sdk.errors import EdgeError as EdgeError
    from edge_sdk.errors import FallbackWarning as FallbackWarning
    from edge_sdk.errors import InputError as InputError
    from edge_sdk.errors import ModelError as ModelError
    from edge_sdk.errors import PublishError as PublishError
    from edge_sdk.errors import SourceError as SourceError
    from edge_sdk.errors import UnsupportedOpError as UnsupportedOpError
    from edge_sdk.interpreter import Interpreter as Interpreter
    from edge_sdk.interpreter import OpResolverType as OpResolverType
    from edge_sdk.interpreter import load_delegate as load_delegate
    from edge_sdk.pipeline import Pipeline as Pipeline
    from edge_sdk.types import Limits as Limits

# name -> module
_LAZY = {
    "Interpreter": "edge_sdk.interpreter",
    "OpResolverType": "edge_sdk.interpreter",
    "load_delegate": "edge_sdk.interpreter",
    "Pipeline": "edge_sdk.pipeline",
    "Limits": "edge_sdk.types",
    "register_op": "edge_sdk.backends.native",
    "unregister_op": "edge_sdk.backends.native",
    "BoardProfile": "edge_sdk.boards",
    "EdgeError": "edge_sdk.errors",
    "ModelError": "edge_sdk.errors",
    "UnsupportedOpError": "edge_sdk.errors",
    "InputError": "edge_sdk.errors",
    "DelegateError": "edge_sdk.errors",
    "SourceError": "edge_sdk.errors",
    "PublishError": "edge_sdk.errors",
    "BoardError": "edge_sdk.errors",
    "FallbackWarning": "edge_sdk.errors",
}

__all__ = ["BackendError", "Model", "Session", "__version__", "load", *_LAZY]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'edge_sdk' has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value  # the next use does not come here
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
