"""The engines that can run a model, one module each, imported on first use.

A backend module offers `load(source, threads, delegates) -> Program`, with delegates as
`edge_sdk.backends.delegates` loads them. A `Program` is a verified model that sessions share; a `Runner`
is such a model with memory of its own.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Union

from edge_sdk.errors import BackendError, FallbackWarning, InputError, UnsupportedOpError
from edge_sdk.types import Array, Limits, Placement, TensorSpec

# Adding a backend: its module and this line.
BACKENDS = {
    "native": "edge_sdk.backends.native",
    "litert": "edge_sdk.backends.litert",
}

Source = Union[str, bytes]  # path of a model file, or its content
Shapes = Mapping[int, "tuple[int, ...]"]  # input tensor -> the shape that it shall have


@dataclass(frozen=True)
class Signature:
    """A named entry point of the model file."""

    subgraph: int
    inputs: Mapping[str, int]  # name -> tensor
    outputs: Mapping[str, int]  # name -> tensor


@dataclass(frozen=True)
class Missing:
    """A node of the main subgraph that a backend or device does not run."""

    node: int
    op: str
    reason: str


class Runner(Protocol):
    """One subgraph with memory of its own; one thread at a time. Usable in a forked child."""

    def spec(self, tensor: int) -> TensorSpec:
        """The tensor with the shape that it has in this runner."""

    def view(self, tensor: int) -> Array:
        """The memory of an input or output, writable. It stays valid and in place as long as it is held."""

    def read(self, tensor: int) -> Array:
        """A copy of any tensor's value; `InputError` if this runner does not keep it."""

    def run(self) -> None:
        """Computes the outputs from the inputs, which keep their values."""

    def write(self, tensor: int, value: Array) -> None:
        """Gives an input a value of its dtype and shape; strings as an array of bytes objects."""

    def reset(self, resources: bool = True) -> None:
        """Sets tensors that are variables, and with `resources` the others, back to their start values."""


class Program(Protocol):
    """A verified model in one backend; immutable, shared by threads."""

    backend: str

    @property
    def subgraph_count(self) -> int: ...

    @property
    def signatures(self) -> Mapping[str, Signature]: ...

    def tensors(self, subgraph: int = 0) -> Sequence[TensorSpec]:
        """Every tensor as in the file, by index."""

    def inputs(self) -> tuple[int, ...]:
        """The main subgraph's inputs, in order."""

    def outputs(self) -> tuple[int, ...]:
        """The main subgraph's outputs, in order."""

    def constants(self, subgraph: int = 0) -> Container[int]:
        """The tensors whose value `constant` gives."""

    def constant(self, tensor: int, subgraph: int = 0) -> Array:
        """A copy of a value that stands in the file."""

    def state(self) -> Any:
        """Resource variables and tables, for runners that share them."""

    def runner(
        self, shapes: Shapes, subgraph: int = 0, preserve_all: bool = False, state: Any = None
    ) -> Runner:
        """New memory for a subgraph whose inputs have the given shapes, or else the file's.

        `preserve_all` keeps intermediate tensors for `Runner.read`. Raises `UnsupportedOpError` for
        ops that the backend lacks, `ModelError` or `InputError` where the shapes do not fit.
        """

    def missing(self) -> Sequence[Missing]:
        """The nodes that this program does not run where it was asked to."""

    def placement(self) -> list[Placement]:
        """Where each node of the main subgraph runs, in the file's order."""


def open_program(
    source: Source,
    threads: int,
    backend: str = "auto",
    delegates: Sequence[Any] = (),
    require: str = "warn",
    tile_bytes: int = 0,
    limits: Limits | None = None,
) -> Program:
    """The model in the backend that was asked for, or in the best one that runs it.

    `delegates` are `DelegateSpec`s or loaded ones. `require` says what happens when ops run elsewhere
    than asked for: "warn", "strict" (raise) or "allow".
    """
    if backend not in ("auto", *BACKENDS):
        raise InputError(f"backend {backend!r}: it is one of auto, {', '.join(BACKENDS)}")
    if require not in ("warn", "strict", "allow"):
        raise InputError(f"require {require!r}: it is one of warn, strict, allow")
    if delegates and backend == "native":
        raise InputError("delegates run in the litert backend: leave out backend or set it to 'litert'")
    accelerators = [_loaded(d) for d in delegates]
    chosen = "litert" if delegates else backend.replace("auto", "native")
    program = load_program(chosen, source, threads, accelerators, tile_bytes, limits)
    missing = program.missing()
    if not missing:
        return program
    if delegates:
        names = " + ".join(d.name for d in accelerators)
        _fell_back(require, missing, f"{names} leaves ops of {name_of(source)} to the CPU")
        return program
    lacking = f"the native backend lacks ops of {name_of(source)}"
    if backend == "native":
        fix = "backend='litert' may run them: pip install 'edge-sdk-runtime[litert]'"
        raise unsupported(missing, lacking, fix)
    try:
        fallback = load_program("litert", source, threads, ())
    except BackendError as problem:
        raise unsupported(missing, lacking, str(problem)) from None
    _fell_back(require, missing, f"{lacking}, so all of it runs in LiteRT")
    return fallback


def name_of(source: Source) -> str:
    """For messages."""
    return "the model" if isinstance(source, bytes) else source


def _loaded(delegate: Any) -> Any:
    from edge_sdk.backends import delegates  # few users need it

    return delegates.loaded(delegate)


def load_program(
    name: str,
    source: Source,
    threads: int,
    delegates: Sequence[Any],
    tile_bytes: int = 0,
    limits: Limits | None = None,
) -> Program:
    module = importlib.import_module(BACKENDS[name])
    program: Program = module.load(source, threads, delegates, tile_bytes, limits)
    return program


def _fell_back(require: str, missing: Sequence[Missing], what: str) -> None:
    if require == "strict":
        raise unsupported(missing, what, "load with require='warn' or 'allow' to accept that")
    if require == "warn":
        warnings.warn(f"{what}: {_listed(missing)}", FallbackWarning, stacklevel=4)


def unsupported(missing: Sequence[Missing], what: str, fix: str = "") -> UnsupportedOpError:
    """The error for nodes that do not run where they shall."""
    ops = tuple(dict.fromkeys(m.op for m in missing))
    if "CUSTOM:edgetpu-custom-op" in ops:
        fix = "the model was compiled for the Edge TPU: load it with delegates=['edgetpu']"
    return UnsupportedOpError(f"{what}: {_listed(missing)}" + (f". {fix}" if fix else ""), ops)


def _listed(missing: Sequence[Missing]) -> str:
    """`CONV_2D (node 3 and 2 more: no kernel for int16)` for each op."""
    by_op: dict[str, list[Missing]] = {}
    for m in missing:
        by_op.setdefault(m.op, []).append(m)
    parts = []
    for op, nodes in by_op.items():
        more = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
        parts.append(f"{op} (node {nodes[0].node}{more}: {nodes[0].reason})")
    return ", ".join(parts)


__all__ = [
    "BACKENDS",
    "Missing",
    "Program",
    "Runner",
    "Shapes",
    "Signature",
    "Source",
    "load_program",
    "name_of",
    "open_program",
    "unsupported",
]
