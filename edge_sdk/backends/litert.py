"""Runs models in Google's LiteRT (ai-edge-litert, or the older tflite-runtime) with external delegates.

It serves what the native backend lacks: rare ops, and accelerators whose vendors ship a TFLite
delegate, such as libedgetpu.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from edge_sdk.backends import Missing, Shapes, Signature, Source, name_of, unsupported
from edge_sdk.backends.delegates import LoadedDelegate, interpreter_module
from edge_sdk.errors import BackendError, DelegateError, InputError, ModelError
from edge_sdk.types import Array, Limits, Placement, Quantization, TensorSpec

_UNRESOLVED = re.compile(r"unresolved custom op: (\S+?)\.\s.*Node number (\d+)", re.DOTALL)
_DELEGATE = "DELEGATE"  # the name of a node that stands for those that a delegate took


def load(
    source: Source,
    threads: int,
    delegates: Sequence[LoadedDelegate] = (),
    tile_bytes: int = 0,
    limits: Limits | None = None,
) -> LitertProgram:
    """`tile_bytes` and `limits` have no meaning for LiteRT."""
    return LitertProgram(source, threads, delegates)


class LitertProgram:
    """See `edge_sdk.backends.Program`."""

    backend = "litert"

    def __init__(self, source: Source, threads: int, delegates: Sequence[LoadedDelegate]) -> None:
        self._module = interpreter_module()
        self._model = {"model_content" if isinstance(source, bytes) else "model_path": source}
        self.name = name_of(source)
        self.threads = threads
        self._delegates = list(delegates)
        self._first = self.interpreter(preserve_all=False)  # answers questions, then serves the first runner
        self._spare = [self._first]
        self._delegated = _replaced(self._first._get_ops_details()) if delegates else frozenset()

    @cached_property
    def _nodes(self) -> list[tuple[int, str]]:
        """Index and op of the file's nodes; custom ops are named as the native backend names them."""
        ops = self._first._get_ops_details()
        return [(op["index"], _op_name(op["op_name"])) for op in ops if op["op_name"] != _DELEGATE]

    @cached_property
    def has_resource_variables(self) -> bool:
        return any(op == "VAR_HANDLE" for _, op in self._nodes)

    def interpreter(self, preserve_all: bool) -> Any:
        handles = [d.handle for d in self._delegates]
        try:
            return self._module.Interpreter(
                **self._model,
                num_threads=self.threads,
                experimental_delegates=handles,
                experimental_preserve_all_tensors=preserve_all,
            )
        except ValueError as problem:
            raise ModelError(f"{self.name}: LiteRT does not take it: {problem}") from None
        except RuntimeError as problem:
            raise DelegateError(f"{self._device} refuses {self.name}: {problem}") from None

    def allocate(self, interpreter: Any) -> None:
        try:
            interpreter.allocate_tensors()
        except RuntimeError as problem:
            words = str(problem)
            unresolved = _UNRESOLVED.search(words)
            if unresolved:
                op = Missing(int(unresolved[2]), f"CUSTOM:{unresolved[1]}", "a custom op")
            elif "Select TensorFlow op" in words:
                op = Missing(0, "Select TensorFlow ops", "they need TensorFlow itself")
            else:
                raise BackendError(f"{self.name}: LiteRT cannot prepare it: {words}") from None
            raise unsupported([op], f"LiteRT lacks ops of {self.name}") from None

    @property
    def _device(self) -> str:
        return " + ".join(d.name for d in self._delegates)

    @property
    def subgraph_count(self) -> int:
        if hasattr(self._first, "num_subgraphs"):
            return int(self._first.num_subgraphs())
        return 1 + max((s.subgraph for s in self.signatures.values()), default=0)  # tflite-runtime

    @cached_property
    def signatures(self) -> Mapping[str, Signature]:
        found = {}
        for key in self._first.get_signature_list():
            call = self._first.get_signature_runner(key)
            inputs = {name: d["index"] for name, d in call.get_input_details().items()}
            outputs = {name: d["index"] for name, d in call.get_output_details().items()}
            found[key] = Signature(call._subgraph_index, inputs, outputs)
        return found

    def tensors(self, subgraph: int = 0) -> Sequence[TensorSpec]:
        if subgraph and not hasattr(self._first, "num_subgraphs"):
            raise BackendError("tflite-runtime shows only the main subgraph: pip install ai-edge-litert")
        return [_spec(d) for d in self._first.get_tensor_details(*[subgraph] if subgraph else [])]

    def inputs(self) -> tuple[int, ...]:
        return tuple(d["index"] for d in self._first.get_input_details())

    def outputs(self) -> tuple[int, ...]:
        return tuple(d["index"] for d in self._first.get_output_details())

    def constants(self, subgraph: int = 0) -> Container[int]:
        return ()  # LiteRT does not tell; its runner reads them like any tensor

    def constant(self, tensor: int, subgraph: int = 0) -> Array:
        raise InputError(f"tensor {tensor}: LiteRT does not tell constants apart")

    def state(self) -> Any:
        return None

    def runner(
        self, shapes: Shapes, subgraph: int = 0, preserve_all: bool = False, state: Any = None
    ) -> LitertRunner:
        # list.pop is atomic: of two threads one gets the spare.
        with contextlib.suppress(IndexError):
            if not preserve_all:
                return LitertRunner(self, self._spare.pop(), shapes, subgraph, preserve_all)
        return LitertRunner(self, self.interpreter(preserve_all), shapes, subgraph, preserve_all)

    def missing(self) -> Sequence[Missing]:
        if not self._delegates:
            return ()
        return [
            Missing(index, name, f"{self._device} does not take it")
            for index, name in self._nodes
            if index not in self._delegated
        ]

    def placement(self) -> list[Placement]:
        for interpreter in self._spare:
            self.allocate(interpreter)  # that is when LiteRT hands ops to XNNPACK
        by_xnnpack = _replaced(self._first._get_ops_details()) - self._delegated
        placed = []
        for index, name in self._nodes:
            if index in self._delegated:
                device, reason = self._device, "the delegate takes it"
            else:
                kernels = "LiteRT's XNNPACK kernels" if index in by_xnnpack else "LiteRT's own kernels"
                device, reason = "cpu", f"{kernels} run it"
                if self._delegates:
                    reason = f"{self._device} does not take it; {reason}"
            placed.append(Placement(name, index, device, self.backend, "", reason))
        return placed


def _replaced(ops: Sequence[Mapping[str, Any]]) -> frozenset[int]:
    """The nodes that DELEGATE nodes stand for: what lies between a DELEGATE's inputs and outputs.

    LiteRT appends the DELEGATE nodes to the list and leaves the ones that they replace in it.
    """
    producer = {t: op for op in ops if op["op_name"] != _DELEGATE for t in op["outputs"]}
    found = set()
    for delegate in (op for op in ops if op["op_name"] == _DELEGATE):
        begin = set(delegate["inputs"])
        todo = list(delegate["outputs"])
        while todo:
            tensor = todo.pop()
            op = producer.get(tensor)
            if op is not None and tensor not in begin and op["index"] not in found:
                found.add(op["index"])
                todo.extend(op["inputs"])
    return frozenset(found)


def _op_name(name: str) -> str:
    """LiteRT gives builtin ops in capitals, as the schema does, and custom ones as the model names them."""
    return name if re.fullmatch(r"[A-Z0-9_]+", name) else f"CUSTOM:{name}"


def _spec(details: Mapping[str, Any]) -> TensorSpec:
    q = details["quantization_parameters"]
    return TensorSpec(
        name=details["name"],
        index=details["index"],
        shape=tuple(details["shape"].tolist()),
        shape_signature=tuple(details["shape_signature"].tolist()),
        dtype=np.dtype(details["dtype"]),
        quantization=Quantization(
            tuple(q["scales"].tolist()), tuple(q["zero_points"].tolist()), q["quantized_dimension"]
        ),
    )


class LitertRunner:
    """See `edge_sdk.backends.Runner`.

    Inputs and outputs are buffers of our own, since LiteRT forbids to hold its own while it runs.
    """

    def __init__(
        self, program: LitertProgram, interpreter: Any, shapes: Shapes, subgraph: int, preserve_all: bool
    ) -> None:
        self._program = program
        self._shapes = shapes
        self._subgraph = subgraph
        self._preserve_all = preserve_all
        self._memory: dict[int, Array] = {}
        self._start(interpreter)
        for details in (*self._inputs.values(), *self._outputs.values()):
            self._memory[details["index"]] = np.zeros(details["shape"], details["dtype"])

    def _start(self, interpreter: Any) -> None:
        self._pid = os.getpid()
        self._interpreter = interpreter
        if self._subgraph == 0:
            for tensor, shape in self._shapes.items():
                interpreter.resize_tensor_input(tensor, shape)
            self._program.allocate(interpreter)
            self._inputs = {str(d["index"]): d for d in interpreter.get_input_details()}
            self._outputs = {str(d["index"]): d for d in interpreter.get_output_details()}
            return
        key = next(k for k, s in self._program.signatures.items() if s.subgraph == self._subgraph)
        self._signature = interpreter.get_signature_runner(key)
        self._inputs = self._signature.get_input_details()
        self._outputs = self._signature.get_output_details()
        for details in self._inputs.values():
            details["shape"] = np.array(self._shapes.get(details["index"], details["shape"]), np.int32)

    def spec(self, tensor: int) -> TensorSpec:
        for details in (*self._inputs.values(), *self._outputs.values()):
            if details["index"] == tensor:
                return replace(_spec(details), shape=self._memory[tensor].shape)
        return next(t for t in self._program.tensors(self._subgraph) if t.index == tensor)

    def view(self, tensor: int) -> Array:
        if tensor not in self._memory:
            raise InputError(f"tensor {tensor} is neither input nor output: read it with get_tensor")
        # Not the array itself, so that one can tell whether the caller still holds the view.
        view: Array = np.asarray(self._memory[tensor].data)
        return view

    def write(self, tensor: int, value: Array) -> None:
        self.view(tensor)[...] = value

    def read(self, tensor: int) -> Array:
        if tensor in self._memory:
            return np.array(self._memory[tensor])
        # tflite-runtime has no second argument.
        subgraph = [self._subgraph] if self._subgraph else []
        try:
            value: Array = np.asarray(self._interpreter.get_tensor(tensor, *subgraph))
        except ValueError:
            raise InputError(
                f"tensor {tensor} is not kept while running. Use experimental_preserve_all_tensors=True "
                "to see intermediate tensors"
            ) from None
        return value

    def run(self) -> None:
        # The pool of threads of tflite-runtime does not survive a fork.
        if self._pid != os.getpid() and self._program.threads > 1:
            self._start(self._program.interpreter(self._preserve_all))
        try:
            if self._subgraph:
                values = self._signature(**{n: self._memory[d["index"]] for n, d in self._inputs.items()})
            else:
                for details in self._inputs.values():
                    self._interpreter.set_tensor(details["index"], self._memory[details["index"]])
                self._interpreter.invoke()
                values = {n: self._interpreter.get_tensor(d["index"]) for n, d in self._outputs.items()}
        except RuntimeError as problem:
            raise BackendError(f"LiteRT failed while running the model: {problem}") from None
        for name, details in self._outputs.items():
            memory = self._memory[details["index"]]
            if memory.shape == np.shape(values[name]):
                memory[...] = values[name]
            else:
                self._memory[details["index"]] = np.asarray(values[name])

    def reset(self, resources: bool = True) -> None:
        if self._program.has_resource_variables:  # LiteRT resets only the other kind
            self._start(self._program.interpreter(self._preserve_all))
        else:
            self._interpreter.reset_all_variables()
