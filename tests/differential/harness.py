"""Random single-op models, run by LiteRT's reference kernels and by us.

A generator is a function `(draw, kind) -> Case` registered with `@differential(op, *kinds)`. `kind` says
which types the op works on: "int8", "int8_channel" (weights with one scale a channel), "uint8",
"float32", "float16" (float32 with weights stored as float16), "half" (float16 throughout), "plain_int16"
(without scales), "int16_weights", or plainly a dtype. The reference is ai-edge-litert with `BUILTIN_REF`; see
decision record 001.
"""

from __future__ import annotations

import importlib
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from builders import GraphBuilder
from comparison import Tolerance, difference

from edge_sdk.optimize import tflite_file

from .replay import ours

INTEGERS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
DTYPES = {
    **{"int8_channel": "int8", "int8_to_int16": "int8", "float16": "float32"},
    **{"half": "float16", "plain_int16": "int16", "int16_weights": "int16"},
}
ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
# Around the widths of vector registers and tiles, where kernels have their seams.
SEAMS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 24, 31, 32, 33, 48, 63, 64, 65)

Outputs = Sequence["np.ndarray[Any, Any]"]


@dataclass(frozen=True)
class Case:
    """One model with its inputs. Outputs' shapes may be left open: LiteRT is asked for them."""

    graph: GraphBuilder
    outputs: Sequence[int]
    inputs: Sequence[np.ndarray[Any, Any]]
    defined: Callable[[Outputs], Outputs] = lambda outputs: outputs  # leaves out what the op leaves open


@dataclass(frozen=True)
class Generator:
    op: str
    kind: str
    make: Callable[[Draw, str], Case]
    tolerance: Tolerance
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", f"{self.op}-{self.kind}")


REGISTRY: dict[str, Generator] = {}


def load_generators() -> None:
    """Fills the registry from the modules beside this one that are no tests."""
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if not file.stem.startswith(("test_", "_", "harness", "replay")):
            importlib.import_module(f"{__package__}.{file.stem}")


def differential(
    op: str, *kinds: str, absolute: float = 0.0, relative: float = 0.0
) -> Callable[[Callable[[Draw, str], Case]], Callable[[Draw, str], Case]]:
    """Registers a generator for each of `kinds`; the tolerance is for float outputs."""

    def register(make: Callable[[Draw, str], Case]) -> Callable[[Draw, str], Case]:
        for kind in kinds:
            generator = Generator(op, kind, make, Tolerance(absolute, relative))
            REGISTRY[generator.id] = generator
        return make

    return register


class Draw:
    """Seeded choices; those with a name are printed when the case fails."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.params: dict[str, Any] = {}

    def note(self, name: str, value: Any) -> Any:
        self.params[name] = value
        return value

    def pick(self, name: str, options: Sequence[Any]) -> Any:
        return self.note(name, options[int(self.rng.integers(len(options)))])

    def integer(self, name: str, low: int, high: int) -> int:
        """Uniform in [low, high]."""
        return int(self.note(name, int(self.rng.integers(low, high + 1))))

    def chance(self, name: str, probability: float) -> bool:
        return bool(self.note(name, bool(self.rng.random() < probability)))

    def shape(self, name: str, low: int, high: int, limit: int = 400) -> tuple[int, ...]:
        """A shape of rank low to high with at most `limit` elements; a quarter of the axes are 1."""
        rank = int(self.rng.integers(low, high + 1))
        largest = max(2, int(limit ** (1 / max(rank, 1))) * 2)
        sizes = [int(self.rng.integers(1, largest + 1)) for _ in range(rank)]
        sizes = [1 if self.rng.random() < 0.25 else n for n in sizes]
        while np.prod(sizes) > limit:
            sizes[int(np.argmax(sizes))] //= 2
        return self.note(name, tuple(sizes))  # type: ignore[no-any-return]

    def scale(self, middle: float = 2.0**-5, octaves: float = 4.0) -> float:
        """Log-uniform around `middle`; three in ten are powers of two, where ties show."""
        exponent = np.log2(middle) + self.rng.uniform(-octaves, octaves)
        if self.rng.random() < 0.3:
            exponent = np.round(exponent)
        return float(np.float32(2.0**exponent))

    def quantization(
        self, name: str, kind: str, middle: float = 2.0**-5, octaves: float = 4.0
    ) -> dict[str, Any]:
        """scale and zero_point of a tensor; nothing for types that have none."""
        dtype = dtype_of(kind)
        if not quantized(kind):
            return {}
        low, high = INTEGERS[dtype]
        ends = (low, high, 0) if dtype == "int8" else (low, high, 128)
        if dtype == "int16":
            zero_point = 0
        elif self.rng.random() < 0.35:
            zero_point = ends[int(self.rng.integers(3))]
        else:
            zero_point = int(self.rng.integers(low, high + 1))
        return dict(self.note(name, {"scale": self.scale(middle, octaves), "zero_point": zero_point}))

    def values(self, shape: Sequence[int], kind: str) -> np.ndarray[Any, Any]:
        """Random contents; integers now and then at one end of their range or in a narrow band."""
        dtype = dtype_of(kind)
        if dtype == "bool":
            return np.asarray(self.rng.random(shape) < 0.5)
        if dtype == "string":
            words = [b"", b"a", b"edge", b"a longer one", "ä".encode(), b"\0\0"]
            return np.array(words, object)[self.rng.integers(len(words), size=shape)]
        if dtype == "complex64":
            return np.asarray(self.values(shape, "float32") + 1j * self.values(shape, "float32"), dtype)
        if dtype.startswith("float"):
            spread = 2.0 ** self.rng.uniform(-2, 3)
            return np.asarray(self.rng.normal(0, spread, shape), dtype)
        low, high = INTEGERS.get(dtype, (0 if dtype.startswith("u") else -1000, 1000))
        mode = self.rng.random()
        if mode < 0.1:
            return np.full(shape, (low, high)[int(self.rng.integers(2))], dtype)
        if mode < 0.2:
            low = int(self.rng.integers(low, high - 3))
            high = low + 3
        return self.rng.integers(low, high + 1, shape).astype(dtype)


def dtype_of(kind: str) -> str:
    """The activations' dtype of a kind."""
    return DTYPES.get(kind, kind)


def quantized(kind: str) -> bool:
    return dtype_of(kind) in INTEGERS and not kind.startswith("plain")


class Rejected(Exception):
    """LiteRT refuses the model: the generator made one that is not valid."""


def seed_of(generator: Generator, number: int) -> int:
    return zlib.crc32(f"{generator.id}/{number}".encode())


def interpreter_of(model: bytes, kernels: Any) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(model_content=model, experimental_op_resolver_type=kernels, num_threads=1)


def reference(model: bytes, inputs: Sequence[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    """The outputs of LiteRT's reference kernels, of its others for ops that those lack. Raises Rejected."""
    from ai_edge_litert.interpreter import OpResolverType

    try:
        interpreter = interpreter_of(model, OpResolverType.BUILTIN_REF)
    except ValueError as error:
        if "Didn't find op" not in str(error):
            raise Rejected(str(error)) from error
        interpreter = interpreter_of(model, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    try:
        interpreter.allocate_tensors()
        for detail, value in zip(interpreter.get_input_details(), inputs):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
    except (ValueError, RuntimeError) as error:
        raise Rejected(str(error)) from error
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def with_shapes(model: bytes, outputs: Sequence[int], results: Sequence[np.ndarray[Any, Any]]) -> bytes:
    """`model` with the shapes of its outputs filled in, as a converter writes them."""
    tree = tflite_file.read(model)
    for index, result in zip(outputs, results):
        tree.subgraphs[0].tensors[index].shape = np.asarray(result.shape, np.int32)
    return tflite_file.write(tree)


def run_cases(
    generator: Generator, numbers: Iterator[int] | Sequence[int], run: Callable[..., list[Any]] = ours
) -> None:
    """Runs cases by number; raises AssertionError with the first that differs, or if many are invalid."""
    rejected: list[str] = []
    count = 0
    for number in numbers:
        count += 1
        seed = seed_of(generator, number)
        draw = Draw(seed)
        case = generator.make(draw, generator.kind)
        draft = case.graph.build(case.outputs)
        try:
            wanted = reference(draft, case.inputs)
        except Rejected as error:
            rejected.append(f"case {number}: {describe(draw.params)}: {error}")
            continue
        model = with_shapes(draft, case.outputs, wanted)
        try:
            got = run(model, case.inputs, 1 + seed % 3)
            found = difference(case.defined(got), case.defined(wanted), generator.tolerance)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        assert not found, (
            f"{generator.id} case {number} (seed {seed}): {found}\n"
            f"  inputs: {', '.join(f'{v.dtype}{list(v.shape)}' for v in case.inputs)}\n"
            f"  {describe(draw.params)}\n"
            f"  again: EDGE_CASE={number} python -m pytest "
            f"'tests/differential/test_ops.py::test_op[{generator.id}]'"
        )
    assert len(rejected) <= 0.2 * count, (
        f"{generator.id}: LiteRT rejects {len(rejected)} of {count} cases, first: {rejected[0]}"
    )


def recorded(generator: Generator, numbers: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """Cases with the reference's outputs, as `replay.py` reads them."""
    for number in numbers:
        case = generator.make(Draw(seed_of(generator, number)), generator.kind)
        draft = case.graph.build(case.outputs)
        try:
            wanted = reference(draft, case.inputs)
        except Rejected:
            continue
        model = with_shapes(draft, case.outputs, wanted)
        tolerance = generator.tolerance.absolute, generator.tolerance.relative
        yield f"{generator.id} case {number}", model, list(case.inputs), wanted, tolerance


def cases_from_environment(default: int) -> Sequence[int]:
    """EDGE_CASE picks one case by number, EDGE_CASES says how many to run."""
    if one := os.environ.get("EDGE_CASE"):
        return [int(one)]
    return range(int(os.environ.get("EDGE_CASES", default)))


def describe(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in params.items())
