"""The interpreter that TFLite users know, over the SDK's backends.

Calls, detail dictionaries and kinds of errors are those of ai-edge-litert 2.3
(https://ai.google.dev/edge/api/tflite/python/tf/lite/Interpreter). Where it differs on purpose:

* `num_threads=None` means all CPUs that this process may use, not one.
* Arrays from `tensor()` may be held while invoking. Held while the memory is laid out anew, they raise
  `RuntimeError` as they do in TFLite.
* An op that the native backend lacks runs in LiteRT, if that is installed, with a `FallbackWarning`.
* Writing to a constant raises `ValueError`, where TFLite crashes.
"""

from __future__ import annotations

import contextlib
import enum
import operator
import os
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk import backends
from edge_sdk.backends import Program, Runner, Signature, delegates
from edge_sdk.errors import BackendError, EdgeError, InputError, InputTypeError, UnsupportedOpError
from edge_sdk.model import checked, fits, thread_count
from edge_sdk.types import Array, DelegateSpec, Limits, TensorSpec

Details = dict[str, Any]


@enum.unique
class OpResolverType(enum.Enum):
    """TFLite's choice of kernels. Accepted and without effect: the kernels here give BUILTIN_REF's bits."""

    AUTO = 0
    BUILTIN = 1
    BUILTIN_REF = 2
    BUILTIN_WITHOUT_DEFAULT_DELEGATES = 3


def load_delegate(library: str | os.PathLike[str], options: Mapping[str, Any] | None = None) -> Any:
    """Loads an accelerator's library for `Interpreter(experimental_delegates=[...])`.

    Raises `DelegateError` (a ValueError) with the loader's own words and the fix.
    """
    path = os.fspath(library)
    texts = {str(key): str(value) for key, value in (options or {}).items()}
    return delegates.load_delegate(DelegateSpec(Path(path).name, path, texts))


class Interpreter:
    """Runs one model; one thread at a time."""

    def __init__(
        self,
        model_path: str | os.PathLike[str] | None = None,
        model_content: bytes | None = None,
        experimental_delegates: Sequence[Any] | None = None,
        num_threads: int | None = None,
        experimental_op_resolver_type: OpResolverType = OpResolverType.AUTO,
        experimental_preserve_all_tensors: bool = False,
        limits: Limits | None = None,
        **experimental: Any,
    ) -> None:
        """Give either `model_path` or `model_content`.

        `experimental_delegates`: results of `load_delegate`; the model then runs in LiteRT.
        `num_threads`: CPUs for one run; None: all that this process may use.
        `experimental_preserve_all_tensors`: keep intermediate tensors for `get_tensor`.
        `limits`: what the model may take of the machine; not in TFLite.
        Further `experimental_*` arguments of TFLite are accepted and have no effect.

        Raises `ModelError` (a ValueError) for a missing or damaged file.
        """
        for name in experimental:
            if not name.startswith("experimental_"):
                raise InputTypeError(f"Interpreter has no argument {name!r}")
        if getattr(experimental_op_resolver_type, "name", None) not in OpResolverType.__members__:
            raise InputError(f"Unrecognized passed in op resolver type: {experimental_op_resolver_type!r}")
        threads = thread_count(num_threads)
        if limits is not None and not isinstance(limits, Limits):
            raise InputTypeError(f"limits is {type(limits).__name__}, wanted edge_sdk.Limits")
        source = _source(model_path, model_content)
        self._unsupported: UnsupportedOpError | None = None
        try:
            self._program = backends.open_program(
                source, threads, delegates=experimental_delegates or (), limits=limits
            )
        except UnsupportedOpError as problem:
            # As in TFLite, the model can be looked at; allocate_tensors() raises.
            self._unsupported = problem
            self._program = backends.load_program("native", source, threads, (), limits=limits)
        self._preserve_all = experimental_preserve_all_tensors
        self._state = self._program.state()
        self._graphs: dict[int, _Graph] = {}

    def _graph(self, subgraph: int = 0) -> _Graph:
        if subgraph not in self._graphs:
            _position(subgraph, self._program.subgraph_count, "subgraph")
            self._graphs[subgraph] = _Graph(self._program, subgraph, self._preserve_all, self._state)
        return self._graphs[subgraph]

    def allocate_tensors(self) -> None:
        """Plans the memory for the present input shapes; needed before the first `invoke`."""
        if self._unsupported is not None:
            raise self._unsupported
        self._graph().allocate()

    def invoke(self) -> None:
        """Runs the model."""
        self._graph().invoke()

    def reset_all_variables(self) -> None:
        """Sets the model's variables back to their start values."""
        self._graph().reset()

    def resize_tensor_input(self, input_index: int, tensor_size: Sequence[int], strict: bool = False) -> None:
        """Gives an input another shape; call `allocate_tensors` after it.

        `strict` allows to change only extents that `shape_signature` gives as -1.
        """
        self._graph().resize(input_index, tensor_size, strict)

    def set_tensor(self, tensor_index: int, value: Any) -> None:
        """Copies `value` into a tensor; shape and dtype must be the tensor's own."""
        self._graph().write(tensor_index, value)

    def get_tensor(self, tensor_index: int, subgraph_index: int = 0) -> Any:
        """A copy of a tensor's value; a numpy scalar for a tensor without axes."""
        return self._graph(subgraph_index).read(tensor_index)[()]

    def tensor(self, tensor_index: int) -> Callable[[], Array]:
        """A function that returns a view of the tensor's memory, to read and to write without copies."""
        return lambda: self._graph().view(tensor_index)

    def get_input_details(self) -> list[Details]:
        """The inputs, in the model's order."""
        return [self._get_tensor_details(i, 0) for i in self._program.inputs()]

    def get_output_details(self) -> list[Details]:
        """The outputs, in the model's order."""
        return [self._get_tensor_details(i, 0) for i in self._program.outputs()]

    def get_tensor_details(self, subgraph_index: int = 0) -> list[Details]:
        """All tensors of a subgraph."""
        return [_details(spec) for spec in self._graph(subgraph_index).specs()]

    def _get_tensor_details(self, tensor_index: int, subgraph_index: int) -> Details:
        return _details(self._graph(subgraph_index).spec(tensor_index))

    def num_subgraphs(self) -> int:
        """The number of subgraphs in the model."""
        return self._program.subgraph_count

    def get_signature_list(self) -> dict[str, dict[str, list[str]]]:
        """The names of each signature's inputs and outputs."""
        return {
            key: {"inputs": list(s.inputs), "outputs": list(s.outputs)}
            for key, s in self._program.signatures.items()
        }

    def get_signature_runner(self, signature_key: str | None = None) -> SignatureRunner:
        """A function that runs a signature by the names of its inputs and outputs.

        None is allowed if the model has just one signature.
        """
        signatures = self._program.signatures
        if signature_key is None:
            if len(signatures) != 1:
                raise InputError(
                    f"signature_key is None and the model has {len(signatures)} signatures: "
                    f"give one of {list(signatures)}"
                )
            signature_key = next(iter(signatures))
        if signature_key not in signatures:
            raise InputError(f"no signature is named {signature_key!r}; there are {list(signatures)}")
        signature = signatures[signature_key]
        return SignatureRunner(self._graph(signature.subgraph), signature)


class SignatureRunner:
    """Runs one signature: `runner(x=array)["y"]`. Inputs are resized to what is given."""

    def __init__(self, graph: _Graph, signature: Signature) -> None:
        self._graph = graph
        self._signature = signature

    def __call__(self, **inputs: Any) -> dict[str, Any]:
        wanted = self._signature.inputs
        if set(inputs) != set(wanted):
            raise InputError(f"got the inputs {sorted(inputs)}; wanted {sorted(wanted)}")
        for name, value in inputs.items():
            self._graph.resize(wanted[name], np.shape(value), False)
        self._graph.allocate()
        for name, value in inputs.items():
            self._graph.write(wanted[name], value)
        self._graph.invoke()
        return {name: self._graph.read(tensor)[()] for name, tensor in self._signature.outputs.items()}

    def get_input_details(self) -> dict[str, Details]:
        """Details by the signature's input name."""
        return {name: _details(self._graph.spec(t)) for name, t in self._signature.inputs.items()}

    def get_output_details(self) -> dict[str, Details]:
        """Details by the signature's output name."""
        return {name: _details(self._graph.spec(t)) for name, t in self._signature.outputs.items()}


class _Graph:
    """One subgraph in TFLite's states: described, allocated, resized."""

    def __init__(self, program: Program, subgraph: int, preserve_all: bool, state: Any) -> None:
        self._program = program
        self._state = state
        self._subgraph = subgraph
        self._preserve_all = preserve_all
        self._specs = list(program.tensors(subgraph))
        self._inputs = set(program.inputs() if subgraph == 0 else ())
        for signature in program.signatures.values():
            self._inputs.update(signature.inputs.values() if signature.subgraph == subgraph else ())
        self._shapes: dict[int, tuple[int, ...]] = {}  # of inputs, where they differ from the file's
        self._resized: set[int] = set()  # inputs whose new shape is not allocated yet
        self._runner: Runner | None = None
        self._views: list[weakref.ref[Array]] = []  # of the runner's memory, handed out

    def specs(self) -> list[TensorSpec]:
        return [self.spec(i) for i in range(len(self._specs))]

    def spec(self, index: Any) -> TensorSpec:
        """The tensor with its present shape."""
        i = _position(index, len(self._specs), "tensor")
        if i in self._resized:
            return replace(self._specs[i], shape=self._shapes[i])
        return self._runner.spec(i) if self._runner is not None else self._specs[i]

    def resize(self, index: Any, size: Any, strict: bool) -> None:
        i = _as_index(index, "tensor")
        if not 0 <= i < len(self._specs):
            raise BackendError(f"tensor {i} cannot be resized: there are {len(self._specs)}")
        extents = np.asarray(size, np.int32)
        if extents.ndim != 1:
            raise InputError(f"Shape should be 1D instead of {extents.ndim}: got {size!r}")
        shape = tuple(extents.tolist())
        spec = self.spec(i)
        if shape == spec.shape:
            return
        if i not in self._inputs or min(shape, default=0) < 0:
            raise BackendError(
                f"tensor {i} '{spec.name}' {spec.shape} cannot be resized to {shape}: only inputs can, and "
                "extents are not negative"
            )
        if strict and not fits(shape, spec.shape_signature):
            raise BackendError(
                f"tensor {i} '{spec.name}' cannot be resized to {shape}: with strict=True only the -1 in "
                f"{spec.shape_signature} may change"
            )
        self._check_views()
        self._shapes[i] = shape
        self._resized.add(i)

    def allocate(self) -> None:
        if self._runner is not None and not self._resized:
            return
        self._check_views()
        with _runtime_errors():
            self._runner = self._program.runner(self._shapes, self._subgraph, self._preserve_all, self._state)
        self._resized.clear()

    def invoke(self) -> None:
        if self._runner is None or self._resized:
            raise BackendError("Invoke called on model that is not ready: call allocate_tensors() first")
        with _runtime_errors():
            self._runner.run()

    def reset(self) -> None:
        if self._runner is not None:
            self._runner.reset(resources=False)

    def write(self, index: Any, value: Any) -> None:
        spec = self.spec(index)
        runner = self._allocated(spec)
        array = checked(np.asarray(value), spec)
        if spec.index in self._program.constants(self._subgraph):
            raise InputError(f"Cannot set tensor: {spec.index} '{spec.name}' is a constant of the model")
        runner.write(spec.index, array)

    def read(self, index: Any) -> Array:
        spec = self.spec(index)
        if spec.index in self._program.constants(self._subgraph):
            return self._program.constant(spec.index, self._subgraph)
        return self._allocated(spec).read(spec.index)

    def view(self, index: Any) -> Array:
        spec = self.spec(index)
        view = self._allocated(spec).view(spec.index)
        self._views = [v for v in self._views if v() is not None]
        self._views.append(weakref.ref(view))
        return view

    def _allocated(self, spec: TensorSpec) -> Runner:
        if self._runner is None or spec.index in self._resized:
            raise InputError(
                f"Tensor data of {spec.index} '{spec.name}' is null: call allocate_tensors() first"
            )
        return self._runner

    def _check_views(self) -> None:
        """Arrays from `tensor()` would go on showing the old memory."""
        if any(v() is not None for v in self._views):
            raise BackendError(
                "There is at least 1 reference to internal data in the interpreter in the form of a numpy "
                "array or slice: drop the arrays that tensor() returned before the memory is laid out anew"
            )


@contextlib.contextmanager
def _runtime_errors() -> Iterator[None]:
    """Our errors of another kind as `BackendError`: TFLite raises RuntimeError while it plans and runs."""
    try:
        yield
    except RuntimeError:
        raise
    except EdgeError as problem:
        raise BackendError(str(problem)) from problem


def _source(path: str | os.PathLike[str] | None, content: bytes | None) -> str | bytes:
    if content is not None and not isinstance(content, (bytes, bytearray, memoryview)):
        raise InputTypeError(f"model_content is {type(content).__name__}, wanted bytes")
    if path and content:
        raise InputError("Can't both provide `model_path` and `model_content`")
    if path:
        return os.fspath(path)
    if content:
        return bytes(content)
    raise InputError("`model_path` or `model_content` must be specified.")


def _as_index(value: Any, what: str) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise InputTypeError(f"a {what} index is an integer, not {value!r}") from None


def _position(value: Any, count: int, what: str) -> int:
    index = _as_index(value, what)
    if not 0 <= index < count:
        raise InputError(f"Invalid {what} index {index}: the model has {count}, counted from 0")
    return index


def _details(spec: TensorSpec) -> Details:
    """The dictionary that TFLite gives for a tensor."""
    q = spec.quantization
    per_tensor = len(q.scales) == 1
    return {
        "name": spec.name,
        "index": spec.index,
        "shape": np.array(spec.shape, np.int32),
        "shape_signature": np.array(spec.shape_signature, np.int32),
        "dtype": spec.dtype.type,
        "quantization": (q.scales[0], q.zero_points[0]) if per_tensor else (0.0, 0),
        "quantization_parameters": {
            "scales": np.array(q.scales, np.float32),
            "zero_points": np.array(q.zero_points, np.int32),
            "quantized_dimension": q.dimension,
            "block_size": 0,
        },
        "sparsity_parameters": {},
    }
