"""Where the results of our kernels first part from LiteRT's reference kernels, tensor by tensor."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_sdk.backends import native, unsupported
from edge_sdk.backends.delegates import interpreter_module
from edge_sdk.bench.inputs import difference, random_inputs
from edge_sdk.bench.rounds import Progress
from edge_sdk.errors import EdgeError, InputError
from edge_sdk.types import Array, TensorSpec

# Floats: as a share of the tensor's greatest value.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Parting:
    """A tensor that two runtimes computed differently."""

    run: int  # from 0 on
    node: int  # in the file's order
    op: str
    tensor: int
    name: str
    dtype: str
    difference: float  # greatest, in codes, or for floats as a share of the greatest value
    share: float  # of the elements that differ at all


@dataclass(frozen=True)
class Check:
    """All tensors that nodes of the main subgraph compute, run for run."""

    tensors: int  # that both runtimes show
    runs: int
    equal: int  # of tensors * runs: the same bytes
    partings: tuple[Parting, ...]  # beyond the tolerance, in the order of execution
    reference_refuses: str | None  # why there is nothing to compare with

    @property
    def agrees(self) -> bool:
        return not self.partings and self.reference_refuses is None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "agrees": self.agrees}


def check(
    path: str | os.PathLike[str],
    inputs: Sequence[Array] | None = None,
    runs: int = 2,
    tolerance: float = TOLERANCE,
    progress: Progress = lambda done: None,
) -> Check:
    """Runs a model in the native backend and in LiteRT's reference kernels and compares every tensor.

    `inputs`: one array per input of the model, used in every run; None draws new ones for each. State is
    kept from run to run in both. Integers must be equal, floats within `tolerance`. Raises
    `UnsupportedOpError` for ops that the native backend lacks, `ModelError` for a damaged file, `InputError`
    for inputs that do not fit and `BackendError` where ai-edge-litert is missing.
    """
    program = native.load(os.fspath(path), 1)
    if program.missing():
        raise unsupported(program.missing(), f"the native backend lacks ops of {os.fspath(path)}")
    tensors = program.tensors()
    specs = [tensors[i] for i in program.inputs()]
    given = None if inputs is None else _fitting(inputs, specs)
    shapes = {} if given is None else {s.index: a.shape for s, a in zip(specs, given) if a.shape != s.shape}
    ours = program.runner(shapes, preserve_all=True)
    try:
        theirs = _reference(os.fspath(path), shapes)
    except (ValueError, RuntimeError) as problem:
        return Check(0, 0, 0, (), str(problem).strip() or "it gives no reason")
    computed = _computed(program, ours)
    equal, partings = 0, []
    for run in range(runs):
        arrays = random_inputs([ours.spec(s.index) for s in specs], seed=run) if given is None else given
        for spec, array in zip(specs, arrays):
            ours.view(spec.index)[...] = array
            theirs.set_tensor(spec.index, array)
        ours.run()
        theirs.invoke()
        for node, op, tensor in computed:
            a, b = ours.read(tensor), np.asarray(theirs.get_tensor(tensor))
            if a.dtype == b.dtype and a.shape == b.shape and _same_bytes(a, b):
                equal += 1
                continue
            apart = difference([a], [b])
            if apart > (tolerance if a.dtype.kind in "fc" else 0):
                differing = float(np.mean(a != b)) if a.shape == b.shape else 1.0
                name = tensors[tensor].name
                partings.append(Parting(run, node, op, tensor, name, str(a.dtype), apart, differing))
        progress(run + 1)
    return Check(len(computed), runs, equal, tuple(partings), None)


def _same_bytes(a: Array, b: Array) -> bool:
    return np.array_equal(a.reshape(-1).view(np.uint8), b.reshape(-1).view(np.uint8))


def _fitting(arrays: Sequence[Array], specs: Sequence[TensorSpec]) -> Sequence[Array]:
    if len(arrays) != len(specs):
        raise InputError(f"{len(arrays)} arrays for a model with {len(specs)} inputs")
    for array, spec in zip(arrays, specs):
        if array.dtype != spec.dtype or array.ndim != len(spec.shape):
            raise InputError(
                f"input '{spec.name}' is {spec.dtype} of shape {list(spec.shape)}, "
                f"got {array.dtype} of shape {list(array.shape)}"
            )
    return arrays


def _reference(path: str, shapes: dict[int, tuple[int, ...]]) -> Any:
    module = interpreter_module()
    resolvers = getattr(module, "OpResolverType", None)
    if resolvers is None:
        raise RuntimeError("tflite-runtime has no reference kernels: pip install ai-edge-litert")
    interpreter = module.Interpreter(
        path,
        num_threads=1,
        experimental_op_resolver_type=resolvers.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    for index, shape in shapes.items():
        interpreter.resize_tensor_input(index, shape)
    interpreter.allocate_tensors()
    return interpreter


def _computed(program: native.NativeProgram, runner: native.NativeRunner) -> list[tuple[int, str, int]]:
    """Node, op and tensor of each result that the native backend keeps, in the order of execution."""
    found = []
    for node, details in enumerate(program.parsed.nodes(0)):
        for tensor in details["outputs"]:
            try:
                runner.read(tensor)
            except EdgeError:
                continue  # folded away, or of a type without a view
            found.append((node, details["op"], tensor))
    return found
