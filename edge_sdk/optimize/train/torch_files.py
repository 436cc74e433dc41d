"""PyTorch models as float `.tflite`: a .py file with `model()`, or a .pt2 file of torch.export."""

from __future__ import annotations

import contextlib
import inspect
import os
import runpy
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch

from edge_sdk.errors import EdgeError, InputError
from edge_sdk.optimize.train.export import convert, load_converter, quiet

_EXAMPLE = "def model(input_shape=(1, 3, 32, 32))"
_LONGEST = 300  # characters of what somebody else's code says


def from_torch(path: str) -> bytes:
    """See `edge_sdk.optimize.train.from_torch`."""
    load_converter()  # before the user's code, which may import it too, with all that it prints
    return _from_program(path) if path.lower().endswith(".pt2") else _from_code(path)


def function_of(path: str, name: str, parameters: str) -> Callable[..., Any]:
    """The function of that name in a user's .py file, which may import what lies beside it."""
    with users_code(path):
        sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
        try:
            found = runpy.run_path(path).get(name)
        finally:
            del sys.path[0]
    if not callable(found):
        raise InputError(f"{path} has no function {name}({parameters})")
    function: Callable[..., Any] = found
    return function


def _from_code(path: str) -> bytes:
    make = function_of(path, "model", "input_shape=(1, 3, 32, 32)")
    shapes = _shapes(path, make)
    with users_code(path):
        network = make()
    if not isinstance(network, torch.nn.Module):
        raise InputError(f"{path}: model() gives {type(network).__name__}, not a torch.nn.Module")
    inputs = tuple(torch.zeros(shape) for shape in shapes)
    try:
        with torch.no_grad():
            network.eval()(*inputs)
    except Exception as error:
        taken = ", ".join(str(list(shape)) for shape in shapes)
        order = "; networks of torch mostly take [1, channels, height, width]"
        hint = order if any(len(shape) == 4 and shape[1] > shape[3] for shape in shapes) else ""
        raise InputError(f"{path}: the network fails on {taken}: {_said(error)}{hint}") from error
    return convert(network, inputs)


def _shapes(path: str, make: Callable[..., Any]) -> list[tuple[int, ...]]:
    """The default of the parameter `input_shape`: one shape, or a list of them."""
    parameter = inspect.signature(make).parameters.get("input_shape")
    given: Any = inspect.Parameter.empty if parameter is None else parameter.default
    if given is inspect.Parameter.empty:
        raise InputError(
            f"{path}: model() does not say what shape its input has, in the order of axes that the network "
            f"takes: {_EXAMPLE}"
        )
    several = isinstance(given, list) and all(isinstance(each, (tuple, list)) for each in given)
    wanted = given if several else [given]
    shapes = [tuple(each) if isinstance(each, (tuple, list)) else () for each in wanted]
    if not shapes or not all(s and all(isinstance(n, int) and n > 0 for n in s) for s in shapes):
        raise InputError(f"{path}: {given!r} is no input shape: {_EXAMPLE}, or a list of such shapes")
    return shapes


def _from_program(path: str) -> bytes:
    try:
        with quiet():  # torch logs a trace of what it then raises
            program = torch.export.load(path)
        arguments, named = program.example_inputs
        network = program.module()
    except Exception as error:  # of the archive, of pickle, of another version's schema
        raise InputError(
            f"{path} is no program that torch.export.save has written: {_said(error)}"
        ) from error
    if named:
        raise InputError(
            f"{path}: inputs by keyword ({', '.join(named)}) are not taken: export with positional ones"
        )
    return convert(network, _of_one_sample(program, arguments))


def _of_one_sample(program: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The example inputs, of one sample where the program leaves their number open."""
    wanted = set(program.graph_signature.user_inputs)
    nodes = [n for n in program.graph.nodes if n.op == "placeholder" and n.name in wanted]
    free = [any(not isinstance(size, int) for size in node.meta["val"].shape[:1]) for node in nodes]
    return tuple(x[:1] if each else x for x, each in zip(inputs, free))


@contextlib.contextmanager
def users_code(where: str) -> Iterator[None]:
    """Runs the user's code: what it prints is no result of ours, what it raises is told in a line."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except EdgeError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"{where}: {_said(error)}") from error


def _said(error: BaseException) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
