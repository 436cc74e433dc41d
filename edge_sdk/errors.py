"""The exceptions of the SDK. Whatever goes wrong below `edge_sdk` arrives as one of these.

    EdgeError
    |-- ModelError (ValueError)      the file is no model, is damaged, or needs what we lack
    |   `-- UnsupportedOpError (RuntimeError)      names the ops that no chosen backend can run
    |-- InputError (ValueError)      wrong shape, dtype, name or value given to a model or task
    |   `-- InputTypeError (TypeError)             not even the right kind of Python object
    |-- DelegateError (ValueError)   an accelerator's library cannot be loaded or refuses
    |   |-- DelegateLoadError (OSError)            the dynamic loader refuses the library
    |   `-- DelegateSymbolError (AttributeError)   the library is no TFLite delegate
    |-- BackendError (RuntimeError)  a backend is not installed or failed while running
    |-- SourceError (OSError)        no such camera, folder or file; unreadable picture or row
    |-- PublishError (OSError)       the broker refuses or cannot be reached, or a payload cannot be sent
    |-- BoardError (ValueError)      unknown board or an invalid profile
    `-- MeterError (OSError)         no such power meter, or one that cannot be read

Each message says what was wrong, where, and what to do. The second base class is the builtin that
users of the TFLite interpreter catch today, so their handlers go on working.

`FallbackWarning` (a UserWarning) says that ops run elsewhere than was asked for, `TuningWarning` that a
tuning file beside a model is not used.
"""

from __future__ import annotations


class EdgeError(Exception):
    """Base of all errors that this package raises on purpose."""


class ModelError(EdgeError, ValueError):
    """A model file cannot be used: the message names the byte, tensor or op."""


class UnsupportedOpError(ModelError, RuntimeError):
    """A model needs ops that no chosen backend has.

    `ops` lists their names, each once, in the order of the graph.
    """

    def __init__(self, message: str, ops: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.ops = ops


class InputError(EdgeError, ValueError):
    """A value given to a model or task has the wrong shape, dtype, name or range."""


class InputTypeError(InputError, TypeError):
    """A value is no array, index or bytes where one is needed."""


class DelegateError(EdgeError, ValueError):
    """A delegate library cannot be loaded; carries the loader's own words and the fix."""


class DelegateLoadError(DelegateError, OSError):
    """The dynamic loader cannot open a delegate's library."""


class DelegateSymbolError(DelegateError, AttributeError):
    """A library opens but lacks the entry points of a TFLite delegate."""


class BackendError(EdgeError, RuntimeError):
    """A backend is not installed, or failed while running a valid model."""


class SourceError(EdgeError, OSError):
    """A source of frames cannot be opened or one of its items cannot be read."""


class PublishError(EdgeError, OSError):
    """Results cannot be handed to their destination."""


class BoardError(EdgeError, ValueError):
    """A board profile is unknown or invalid."""


class MeterError(EdgeError, OSError):
    """A power meter is not there, or cannot be read."""


class FallbackWarning(UserWarning):
    """Ops run on another backend or device than the one asked for; the message lists them."""


class TuningWarning(UserWarning):
    """The tuning file beside a model is left aside; the message says why. Results are the same."""
