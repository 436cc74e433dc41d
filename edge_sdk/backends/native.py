"""The project's own runtime. The only module that imports `_native`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from edge_sdk.backends import Missing, Shapes, Signature, Source, unsupported
from edge_sdk.errors import BackendError, EdgeError, InputError, InputTypeError, UnsupportedOpError
from edge_sdk.resources import TUNING_SUFFIX
from edge_sdk.types import Array, Limits, Placement, Quantization, TensorSpec

try:
    from edge_sdk import _native
except ImportError as problem:
    raise BackendError(
        f"the native module cannot be loaded: {problem}. Install the package again with pip, or in a "
        "checkout run `make build`"
    ) from problem

# TFLite's own types that numpy lacks, as LiteRT's Python interface shows them.
_NUMPY_NAME = {"str": "S", "resource": "O", "variant": "O", "int4": "int8", "bfloat16": "uint16"}


def available_threads() -> int:
    """CPUs that this process may use: affinity, cpuset and cgroup quota; at least 1."""
    return int(_native.available_threads())


def isa() -> str:
    """The highest instruction set in use, e.g. "avx2"; the variable EDGE_ISA lowers it."""
    return str(_native.isa())


def peaks(threads: int = 1) -> dict[str, tuple[str, float]]:
    """For "int8" and "float32": the best peak loop, and its 1e9 multiply-accumulates a second."""
    return _native.peaks(threads)


def sparse_block() -> tuple[int, int]:
    """Output channels and input channels of the blocks that cost no time where all their weights are 0."""
    return _native.sparse_block()


def parse(source: Source) -> _native.ParsedModel:
    """The verified model file; `ModelError` if it is missing, damaged or no model."""
    if isinstance(source, bytes):
        return _native.ParsedModel.from_bytes(source)
    return _native.ParsedModel.from_path(source)


def register_op(
    name: str,
    function: Callable[[list[Any], bytes], Any],
    infer: Callable[[list[Any], bytes], Any] | None = None,
) -> None:
    """Gives models the custom op `name` (as their files call it), in place of one that is there already.

    `function(inputs, options)` gets arrays of its own (None for an input that is left out) and the bytes
    that the file gives the op; it returns an array for each output, or one array if there is one, with
    exactly the output's dtype and shape. It is called in the thread that runs the session.
    `infer(inputs, options)` gets a pair (shape, dtype) for each input and returns one for each output.
    Without it the outputs' shapes and types are those of the file.

    What the functions raise arrives as the cause of a `BackendError` that names op and node. Models that
    were loaded before keep what they were loaded with.
    """
    for given in (function, infer):
        if given is not None and not callable(given):
            raise InputTypeError(f"custom op {name!r}: {given!r} is no function")
    if function is None:
        raise InputTypeError(f"custom op {name!r}: no function is given")
    _native.register_op(name, function, infer)


def unregister_op(name: str) -> None:
    """Takes `register_op` back for models that are loaded from now on."""
    if not _native.unregister_op(name):
        raise InputError(f"no custom op is registered as {name!r}")


def load(
    source: Source,
    threads: int,
    delegates: Sequence[Any] = (),
    tile_bytes: int = 0,
    limits: Limits | None = None,
) -> NativeProgram:
    """`tile_bytes`: of the cache, for rows of a chain of convolutions; 0: half of a CPU's L2 cache."""
    parsed = parse(source)
    if isinstance(source, str) and os.path.isfile(source + TUNING_SUFFIX):
        return _tuned(parsed, source, threads, tile_bytes, limits)
    return NativeProgram(parsed, threads, tile_bytes=tile_bytes, limits=limits)


def parts_of(steps: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of a plan's steps: the ops of chains one by one."""
    return [part for step in steps for part in step["parts"] or [step]]


def _tuned(
    parsed: _native.ParsedModel, path: str, threads: int, tile_bytes: int, limits: Limits | None
) -> NativeProgram:
    """The program with the kernels that the file beside the model names, if they fit."""
    from edge_sdk import tuning  # few models have such a file

    program = NativeProgram(parsed, threads, tuning.kernels_for(path, isa()), tile_bytes, limits)
    try:
        _ = program.plan
    except InputError as problem:
        tuning.ignored(tuning.path_beside(path), str(problem))
        return NativeProgram(parsed, threads, tile_bytes=tile_bytes, limits=limits)
    except EdgeError:
        pass  # not the kernels' fault; raised again where the plan is needed
    return program


def _spec(tensor: Mapping[str, Any]) -> TensorSpec:
    return TensorSpec(
        name=tensor["name"],
        index=tensor["index"],
        shape=tuple(tensor["shape"]),
        shape_signature=tuple(tensor["shape_signature"]),
        dtype=np.dtype(_NUMPY_NAME.get(tensor["dtype"], tensor["dtype"])),
        quantization=Quantization(
            tuple(tensor["scales"].tolist()), tuple(tensor["zero_points"].tolist()), tensor["dimension"]
        ),
    )


class NativeProgram:
    """See `edge_sdk.backends.Program`."""

    backend = "native"

    def __init__(
        self,
        parsed: _native.ParsedModel,
        threads: int,
        kernels: Mapping[int, str] | None = None,
        tile_bytes: int = 0,
        limits: Limits | None = None,
    ) -> None:
        self.parsed = parsed
        self.threads = threads
        self._kernels = dict(kernels or {})  # of steps of the main subgraph, by first node
        self._tile_bytes = tile_bytes
        self._limits = _native.Limits()
        for name, value in vars(limits or Limits()).items():
            if value is not None:
                setattr(self._limits, name, value)
        self._details: dict[int, list[dict[str, Any]]] = {}
        self._constants: dict[int, set[int]] = {}

    @property
    def subgraph_count(self) -> int:
        return int(self.parsed.subgraph_count)

    @cached_property
    def signatures(self) -> Mapping[str, Signature]:
        return {
            key: Signature(s["subgraph"], s["inputs"], s["outputs"])
            for key, s in self.parsed.signatures().items()
        }

    def details(self, subgraph: int) -> list[dict[str, Any]]:
        """Every tensor as the parser describes it."""
        if subgraph not in self._details:
            self._details[subgraph] = self.parsed.tensors(subgraph)
        return self._details[subgraph]

    def tensors(self, subgraph: int = 0) -> Sequence[TensorSpec]:
        return [_spec(t) for t in self.details(subgraph)]

    def constants(self, subgraph: int = 0) -> Container[int]:
        if subgraph not in self._constants:
            self._constants[subgraph] = {t["index"] for t in self.details(subgraph) if t["constant"]}
        return self._constants[subgraph]

    def constant(self, tensor: int, subgraph: int = 0) -> Array:
        value: Array = self.parsed.constant(tensor, subgraph)
        return value

    def inputs(self) -> tuple[int, ...]:
        return tuple(self.parsed.inputs())

    def outputs(self) -> tuple[int, ...]:
        return tuple(self.parsed.outputs())

    @cached_property
    def plan(self) -> _native.Plan:
        """The plan at the file's own shapes, which sessions share."""
        return self._plan({}, 0, False)

    def _plan(self, shapes: Shapes, subgraph: int, preserve_all: bool) -> _native.Plan:
        wanted = {tensor: list(shape) for tensor, shape in shapes.items()}
        # With all tensors kept, or other shapes, passes may join other nodes than was measured.
        kernels = {} if subgraph or preserve_all or shapes else self._kernels
        return _native.Plan(
            self.parsed, wanted, preserve_all, subgraph, kernels, self._tile_bytes, self._limits
        )

    def state(self) -> _native.SessionState:
        return _native.SessionState()

    def runner(
        self, shapes: Shapes, subgraph: int = 0, preserve_all: bool = False, state: Any = None
    ) -> NativeRunner:
        if subgraph == 0 and self.missing():
            raise unsupported(self.missing(), "the native backend lacks ops of the model")
        special = shapes or subgraph or preserve_all
        plan = self._plan(shapes, subgraph, preserve_all) if special else self.plan
        return NativeRunner(self, plan, subgraph, state)

    def missing(self) -> Sequence[Missing]:
        return self._missing

    @cached_property
    def _missing(self) -> Sequence[Missing]:
        missing = [Missing(*m) for m in self.parsed.missing_ops()]
        if not missing:
            # Some needs show only in the whole, such as shapes that must be constant.
            try:
                _ = self.plan
            except UnsupportedOpError as problem:
                missing = [_refused(str(problem))]
            except EdgeError:
                pass  # other shapes may fit; if they are not changed, runner() raises it again
        return missing

    def placement(self) -> list[Placement]:
        steps = parts_of(self.plan.steps())
        of_node = {node: step for step in steps for node in step["nodes"]}
        placed = []
        for node, details in enumerate(self.parsed.nodes(0)):
            step = of_node.get(node)
            if step is None:
                kernel, reason = "", "computed at load, or without effect"
            elif step["op"] == details["op"]:
                kernel, reason = step["kernel"], "the native backend runs it"
            else:
                kernel, reason = step["kernel"], f"fused into {step['op']}"
            placed.append(Placement(details["op"], node, "cpu", self.backend, kernel, reason))
        return placed


def _refused(words: str) -> Missing:
    """The node that a plan's error speaks of: "... op 0 TILE: its input 1 ..."."""
    found = re.search(r"op (\d+) (\S+): (.*)", words)
    return Missing(int(found[1]), found[2], found[3]) if found else Missing(0, "an op", words)


class NativeRunner:
    """See `edge_sdk.backends.Runner`."""

    def __init__(
        self, program: NativeProgram, plan: _native.Plan, subgraph: int, state: _native.SessionState | None
    ) -> None:
        self._program = program
        self._plan = plan
        self._subgraph = subgraph
        self._session = _native.Session(plan, program.threads, state)
        self._specs: dict[int, TensorSpec] = {}
        self._kept: dict[int, bool] = {}

    def spec(self, tensor: int) -> TensorSpec:
        if tensor not in self._specs:
            planned = self._plan.tensor(tensor)
            if planned and planned["open"]:
                return _spec(self._session.tensor(tensor))
            self._specs[tensor] = _spec(planned or self._program.details(self._subgraph)[tensor])
        return self._specs[tensor]

    def view(self, tensor: int) -> Array:
        view: Array = self._session.view(tensor)
        return view

    def write(self, tensor: int, value: Array) -> None:
        if value.dtype.kind == "O":
            self._session.set_strings(tensor, list(value.shape), list(value.flat))
        else:
            self._session.view(tensor)[...] = value

    def read(self, tensor: int) -> Array:
        if not self._is_kept(tensor):
            raise InputError(
                f"tensor {tensor} '{self.spec(tensor).name}' is not kept: its memory was used again, or the "
                "ops around it were joined. Use experimental_preserve_all_tensors=True to read it"
            )
        return np.array(self._session.view(tensor))

    def _is_kept(self, tensor: int) -> bool:
        """Whether the value is there after a run: the tensor exists, and no later one overwrote it."""
        if tensor not in self._kept:
            places = self._plan.allocations()
            own = next((p for p in places if p["tensor"] == tensor), None)
            self._kept[tensor] = self._plan.tensor(tensor) is not None and (
                own is None  # a constant or variable, outside of the arena
                or not any(
                    p["first"] > own["first"]
                    and p["offset"] < own["offset"] + own["bytes"]
                    and own["offset"] < p["offset"] + p["bytes"]
                    for p in places
                )
            )
        return self._kept[tensor]

    def run(self) -> None:
        self._session.run()

    def profile(self) -> list[int]:
        """Runs once; the nanoseconds of each step of `NativeProgram.plan.steps()`."""
        times: list[int] = self._session.run_profiled()
        return times

    def steps(self) -> list[dict[str, Any]]:
        """What `profile` has the times of."""
        return self._plan.steps()

    def reset(self, resources: bool = True) -> None:
        self._session.reset(resources)
