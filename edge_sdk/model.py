"""Load a model and run it.

    model = edge_sdk.load("mobilenet.tflite")
    scores = model.run(picture)[0]

A `Model` is shared by threads; a `Session` is a model with memory of its own, for one thread.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from edge_sdk import backends
from edge_sdk.backends import Program, Runner
from edge_sdk.errors import DelegateError, InputError, InputTypeError
from edge_sdk.types import Array, DelegateSpec, Limits, Placement, TensorSpec

if TYPE_CHECKING:
    from edge_sdk.boards import BoardProfile
    from edge_sdk.metadata import ModelMetadata

# One array for a model with one input, arrays in the model's order, or arrays by name.
Inputs = Union[Array, Sequence[Any], Mapping[str, Any]]


def load(
    path: str | os.PathLike[str] | bytes,
    threads: int | None = None,
    board: str | BoardProfile | None = None,
    backend: str = "auto",
    delegates: str | Sequence[Any] = (),
    require: str = "warn",
    limits: Limits | None = None,
) -> Model:
    """Loads a `.tflite` model from a file, or from its bytes.

    `threads`: how many CPUs one run may use; None takes the board profile's number, or all that
    affinity, cpuset and cgroup quota leave to this process.
    `board`: a profile or its name (`edge_sdk.boards.list_boards()`).
    `backend`: "native", "litert", or "auto", which is native unless an op is missing there or
    delegates are asked for.
    `delegates`: accelerators, each a name from the board profile ("edgetpu"), a library's file name, a
    pair (library, options), or what `edge_sdk.load_delegate` returned.
    `require`: what happens if ops run elsewhere than asked for: "warn" (a `FallbackWarning` with the
    ops), "strict" (`UnsupportedOpError`) or "allow".
    `limits`: what the model may take of the machine in the native backend; see `Limits`.

    Raises `ModelError` for a missing or damaged file, `UnsupportedOpError` for ops that nothing runs,
    `DelegateError`, and `BackendError` if a backend is not installed.
    """
    source = path if isinstance(path, bytes) else os.fspath(path)
    if isinstance(board, str):
        from edge_sdk import boards  # costs more to import than the rest; most programs name no board

        board = boards.load_board(board)
    specs = resolve_delegates([delegates] if isinstance(delegates, str) else delegates, board)
    tile_bytes = (board.tile_kib or 0) * 1024 if board else 0
    count = thread_count(threads, board)
    program = backends.open_program(source, count, backend, specs, require, tile_bytes, limits)
    return Model(program, source)


def thread_count(threads: int | None, profile: BoardProfile | None = None) -> int:
    """The number of threads of a session: `threads`, or else what the board and the process may use."""
    if threads is None:
        from edge_sdk.backends import native

        available = native.available_threads()
        return min(profile.threads or available, available) if profile else available
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise InputError(f"threads {threads!r}: it is an integer from 1 on, or None")
    return threads


def resolve_delegates(delegates: Sequence[Any], profile: BoardProfile | None) -> list[Any]:
    """Each delegate as a `DelegateSpec`, or loaded already."""
    resolved = []
    for delegate in delegates:
        if isinstance(delegate, str):
            is_file = "/" in delegate or ".so" in delegate
            resolved.append(_from_path(delegate) if is_file else _from_board(delegate, profile))
        elif isinstance(delegate, tuple):
            library, options = delegate
            resolved.append(_from_path(os.fspath(library), options))
        else:
            resolved.append(delegate)
    return resolved


def _from_path(library: str, options: Mapping[str, str] | None = None) -> DelegateSpec:
    return DelegateSpec(Path(library).name, library, dict(options or {}))


def _from_board(name: str, profile: BoardProfile | None) -> DelegateSpec:
    from edge_sdk import boards

    profile = profile or boards.detect()
    known = {spec.name: spec for spec in profile.delegates}
    if name not in known:
        raise DelegateError(
            f"the board {profile.name} knows no delegate {name!r}, only {', '.join(known) or 'none'}: "
            "give the library's file name, or a pair (library, options)"
        )
    return known[name]


class Model:
    """A loaded model. Its methods may be called from several threads at once."""

    def __init__(self, program: Program, source: str | bytes) -> None:
        self._program = program
        self._source = source
        self.name = "model" if isinstance(source, bytes) else Path(source).stem
        # Runs without a session of their own borrow one from here. append and pop are atomic.
        self._idle = [self.session()]
        self.inputs = self._idle[0].inputs
        self.outputs = self._idle[0].outputs

    @property
    def backend(self) -> str:
        """The backend that runs the model: "native" or "litert"."""
        return self._program.backend

    @cached_property
    def metadata(self) -> ModelMetadata:
        """What the file says about itself; empty fields where it says nothing."""
        from edge_sdk import metadata
        from edge_sdk.backends import native

        program = self._program
        parsed = program.parsed if isinstance(program, native.NativeProgram) else native.parse(self._source)
        return metadata.read(parsed.metadata(), parsed.appended())

    @property
    def labels(self) -> tuple[str, ...]:
        """The class names from the file's metadata; () if it has none."""
        return self.metadata.labels

    def run(self, inputs: Inputs) -> list[Array]:
        """Runs the model; returns copies of its outputs, in the model's order.

        `inputs`: one array if the model has one input, a list or tuple of arrays in the order of
        `Model.inputs`, or a dict by tensor name or by the input's name in a signature. Shapes and
        dtypes are those of `Model.inputs`; `InputError` names both if they differ.
        """
        try:
            session = self._idle.pop()
        except IndexError:
            session = self.session()
        try:
            return session.run(inputs)
        finally:
            self._idle.append(session)

    def session(self, shapes: Mapping[str, Sequence[int]] | None = None) -> Session:
        """A session with memory of its own, for one thread.

        `shapes`: input name -> shape, where it shall differ from the file's, e.g. for batches.
        """
        program = self._program
        names = _names(program, [program.tensors()[i] for i in program.inputs()]) if shapes else {}
        unknown = [name for name in shapes or {} if name not in names]
        if unknown:
            raise InputError(f"no input is named {unknown[0]!r}; the inputs are {', '.join(names)}")
        wanted = {program.inputs()[names[n]]: tuple(s) for n, s in (shapes or {}).items()}
        return Session(program, program.runner(wanted))

    def placement(self) -> list[Placement]:
        """Where each op of the main graph runs, and why; in the file's order."""
        return self._program.placement()

    def __repr__(self) -> str:
        return (
            f"<Model {self.name} in {self.backend}: {len(self.inputs)} inputs, {len(self.outputs)} outputs>"
        )


class Session:
    """A model with memory of its own: inputs, outputs and variables. One thread at a time.

    It goes on working in a forked child.
    """

    def __init__(self, program: Program, runner: Runner) -> None:
        self._runner = runner
        self._program = program
        self.inputs: tuple[TensorSpec, ...] = tuple(runner.spec(i) for i in program.inputs())
        self.outputs: tuple[TensorSpec, ...] = tuple(runner.spec(i) for i in program.outputs())

    def input(self, i: int = 0) -> Array:
        """The memory of input `i`: write into it, then `run()`. It may be held across runs."""
        return self._runner.view(_at(self.inputs, i, "input").index)

    def output(self, i: int = 0) -> Array:
        """The memory of output `i`, which the next run overwrites. It may be held across runs, unless its
        shape depends on data: then each run may put it elsewhere."""
        return self._runner.view(_at(self.outputs, i, "output").index)

    def run(self, inputs: Inputs | None = None) -> list[Array]:
        """Runs the model on `inputs` (see `Model.run`), or on what stands in `input(i)`; returns copies."""
        if inputs is not None:
            # All are checked before the first is written.
            for i, value in enumerate([checked(v, s) for v, s in zip(self._ordered(inputs), self.inputs)]):
                self._runner.write(self.inputs[i].index, value)
        self.invoke()
        return [self._runner.view(spec.index).copy() for spec in self.outputs]

    def invoke(self) -> None:
        """Runs the model on what stands in `input(i)`; the results stand in `output(i)`. Copies nothing."""
        self._runner.run()

    def reset(self) -> None:
        """Sets the model's variables, such as the state of a streaming model, back to their start values."""
        self._runner.reset()

    @cached_property
    def _input_names(self) -> dict[str, int]:
        return _names(self._program, self.inputs)

    def _ordered(self, inputs: Inputs) -> list[Any]:
        """One value per input, in order."""
        wanted = ", ".join(f"{s.name!r}" for s in self.inputs)
        if isinstance(inputs, Mapping):
            values: dict[int, Any] = {}
            for name, value in inputs.items():
                if name not in self._input_names:
                    raise InputError(
                        f"no input is named {name!r}; the inputs are {', '.join(self._input_names)}"
                    )
                values[self._input_names[name]] = value
            missing = [s.name for i, s in enumerate(self.inputs) if i not in values]
            if missing or len(values) != len(inputs):
                raise InputError(f"got {', '.join(map(repr, inputs))}; wanted each of {wanted} once")
            return [values[i] for i in range(len(self.inputs))]
        ordered = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if len(ordered) != len(self.inputs):
            raise InputError(f"got {len(ordered)} arrays; wanted {len(self.inputs)}: {wanted}")
        return ordered


def _names(program: Program, inputs: Sequence[TensorSpec]) -> dict[str, int]:
    """Position of each input by its names: the tensor's, and those of the main graph's signatures."""
    position = {spec.index: i for i, spec in enumerate(inputs)}
    names = {spec.name: i for i, spec in enumerate(inputs)}
    for signature in program.signatures.values():
        if signature.subgraph == 0:
            names.update((name, position[t]) for name, t in signature.inputs.items() if t in position)
    return names


def _at(specs: tuple[TensorSpec, ...], i: int, what: str) -> TensorSpec:
    if not 0 <= i < len(specs):
        raise InputError(f"{what} {i}: the model has {len(specs)}, counted from 0")
    return specs[i]


def checked(value: Any, spec: TensorSpec) -> Array:
    """`value` as an array of exactly the tensor's dtype and shape, or `InputError` naming both.

    Arrays are never cast. Python numbers and lists are, where no value changes by it.
    """
    array = np.asarray(value)
    if spec.dtype.kind == "S":
        return _strings(array, spec)
    if not isinstance(value, (np.ndarray, np.generic)) and array.dtype != spec.dtype:
        array = _exactly(array, spec)
    if array.dtype != spec.dtype or array.shape != spec.shape:
        raise InputError(
            f"input '{spec.name}': got {array.dtype} {array.shape}, wanted {spec.dtype} {spec.shape}"
            + _hint(array, spec)
        )
    return array


def _strings(array: Array, spec: TensorSpec) -> Array:
    """An array of bytes objects; text is encoded in UTF-8."""
    if array.dtype.kind not in "SUO" or not all(isinstance(item, (bytes, str)) for item in array.flat):
        raise InputTypeError(f"input '{spec.name}': got {array.dtype} {array.shape}, wanted strings")
    if array.shape != spec.shape:
        raise InputError(f"input '{spec.name}': got strings {array.shape}, wanted {spec.shape}")
    out = np.empty(array.shape, object)
    for position, item in np.ndenumerate(array):
        out[position] = item.encode() if isinstance(item, str) else bytes(item)
    return out


def _exactly(array: Array, spec: TensorSpec) -> Array:
    """Python numbers in the tensor's dtype; floats may lose digits in a float, nothing else may change."""
    if array.dtype.kind not in "biuf":
        raise InputTypeError(f"input '{spec.name}': got {array.dtype} {array.shape}, no array of numbers")
    with np.errstate(all="ignore"):
        cast = array.astype(spec.dtype)
    if array.dtype.kind == spec.dtype.kind == "f" or np.array_equal(cast, array):
        return cast
    raise InputError(f"input '{spec.name}': the given numbers do not fit into {spec.dtype}")


def fits(shape: tuple[int, ...], signature: tuple[int, ...]) -> bool:
    """Whether a shape differs from the signature only in extents that the file leaves open (-1)."""
    return len(shape) == len(signature) and all(want in (-1, have) for want, have in zip(signature, shape))


def _hint(array: Array, spec: TensorSpec) -> str:
    if array.dtype == spec.dtype and fits(array.shape, spec.shape_signature):
        return "; for another shape open model.session(shapes=...), or use Interpreter.resize_tensor_input"
    if array.dtype.kind == "f" and spec.quantization and spec.dtype.kind in "iu":
        scale, zero_point = spec.quantization.scales[0], spec.quantization.zero_points[0]
        return f"; the input is quantized: round(real / {scale:g}) + {zero_point}"
    return ""
