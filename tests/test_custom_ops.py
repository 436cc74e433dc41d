"""Functions of the user's own as custom ops."""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import GraphBuilder

import edge_sdk
from edge_sdk import BackendError, InputError, UnsupportedOpError
from edge_sdk.errors import InputTypeError


@pytest.fixture(autouse=True)
def registered() -> Iterator[list[str]]:
    names = ["Twice", "Grow"]
    yield names
    for name in names:
        with contextlib.suppress(InputError):
            edge_sdk.unregister_op(name)


def model(name: str = "Twice", options: bytes = b"\1\2\3", shape: tuple[int, ...] = (2, 3)) -> bytes:
    """RELU, the custom op with one input left out, NEG."""
    g = GraphBuilder()
    x = g.input(shape, "float32")
    a, b, y = (g.tensor(shape, "float32") for _ in range(3))
    g.op("RELU", [x], [a])
    g.op(name, [a, None], [b], custom_options=options)
    g.op("NEG", [b], [y])
    return g.build([y])


X = np.array([[1, -2, 3], [-4, 5, -6]], np.float32)


def twice(inputs: list[Any], options: bytes) -> Any:
    assert inputs[1] is None
    assert options == b"\1\2\3"
    return inputs[0] * np.float32(2)


def test_function_runs_between_ops_of_ours() -> None:
    edge_sdk.register_op("Twice", twice)
    np.testing.assert_array_equal(edge_sdk.load(model(), backend="native").run(X)[0], -2 * np.maximum(X, 0))


def test_interpreter_runs_it() -> None:
    edge_sdk.register_op("Twice", twice)
    interpreter = edge_sdk.Interpreter(model_content=model())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], X)
    interpreter.invoke()
    got = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_array_equal(got, -2 * np.maximum(X, 0))


def test_without_a_function_the_message_says_what_to_do() -> None:
    with pytest.raises(UnsupportedOpError, match=r"CUSTOM:Twice \(node 1: .*register_op"):
        edge_sdk.load(model(), backend="native")


def test_inference_gives_shape_and_type() -> None:
    g = GraphBuilder()
    x = g.input((2, 3), "float32")
    y = g.tensor((), "float32")
    g.op("Grow", [x], [y], custom_options=b"\5")

    def infer(inputs: list[Any], options: bytes) -> Any:
        ((shape, dtype),) = inputs
        assert (shape, dtype) == ((2, 3), np.float32)
        return [((*shape, options[0]), np.int16)]

    def grow(inputs: list[Any], options: bytes) -> Any:
        return [np.repeat(inputs[0][..., None], options[0], 2).astype(np.int16)]

    edge_sdk.register_op("Grow", grow, infer)
    (got,) = edge_sdk.load(g.build([y]), backend="native").run(X)
    assert (got.shape, got.dtype) == ((2, 3, 5), np.int16)
    np.testing.assert_array_equal(got[..., 4], X)


def test_what_it_raises_is_the_cause_and_the_session_goes_on() -> None:
    problems: list[BaseException | None] = [ValueError("too hot"), None]

    def fails_once(inputs: list[Any], options: bytes) -> Any:
        if problem := problems.pop(0):
            raise problem
        return twice(inputs, options)

    edge_sdk.register_op("Twice", fails_once)
    session = edge_sdk.load(model(), backend="native").session()
    with pytest.raises(BackendError, match=r"op 1 CUSTOM:Twice: .*ValueError: too hot") as caught:
        session.run(X)
    assert isinstance(caught.value.__cause__, ValueError)
    np.testing.assert_array_equal(session.run(X)[0], -2 * np.maximum(X, 0))


def test_keyboard_interrupt_passes_through() -> None:
    def interrupted(inputs: list[Any], options: bytes) -> Any:
        raise KeyboardInterrupt

    edge_sdk.register_op("Twice", interrupted)
    with pytest.raises(KeyboardInterrupt):
        edge_sdk.load(model(), backend="native").run(X)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (X.astype(np.float64), r"float64\(2, 3\) as output 0, wanted float32\[2,3\]"),
        (X[0], r"float32\(3,\) as output 0"),
        ([X, X], "2 outputs, wanted 1"),
        ([], "0 outputs, wanted 1"),
        (None, "object"),
        (X.astype(">f4"), "wanted float32"),
        ("text", "wanted float32"),
    ],
)
def test_wrong_results_are_named(result: Any, words: str) -> None:
    edge_sdk.register_op("Twice", lambda inputs, options: result)
    with pytest.raises(BackendError, match=f"op 1 CUSTOM:Twice: .*{words}"):
        edge_sdk.load(model(), backend="native").run(X)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ([((2, -3), np.float32)], "impossible shape"),
        ([((1,) * 9, np.float32)], "impossible shape"),
        ([((2**40,), np.float32)], "impossible shape"),
        ([((2**30, 2**30), np.float32)], "2\\^31"),
        ([((2,), "U4")], "type <U4"),
        ([(2, 3)], "TypeError|not iterable"),
        ([2], "no list of"),
        ([], "0 shapes for 1 outputs"),
        (7, "TypeError"),
    ],
)
def test_wrong_inferences_are_named(result: Any, words: str) -> None:
    edge_sdk.register_op("Twice", twice, lambda inputs, options: result)
    with pytest.raises(edge_sdk.EdgeError, match=f"CUSTOM:Twice.*({words})"):
        edge_sdk.load(model(), backend="native").session()


def test_arguments_are_the_functions_own() -> None:
    """What it writes into them or keeps of them touches nobody."""
    kept: list[Any] = []

    def greedy(inputs: list[Any], options: bytes) -> Any:
        inputs[0][...] = 7
        kept.extend(inputs)
        return np.zeros((2, 3), np.float32)

    edge_sdk.register_op("Twice", greedy)
    edge_sdk.load(model(), backend="native").run(X)
    gc.collect()
    assert (kept[0] == 7).all()


def test_the_other_threads_go_on_while_a_model_runs() -> None:
    """The function waits for a thread that needs the GIL, and so do sessions for each other."""
    barrier = threading.Barrier(2, timeout=30)

    def meets(inputs: list[Any], options: bytes) -> Any:
        barrier.wait()
        return twice(inputs, options)

    edge_sdk.register_op("Twice", meets)
    loaded = edge_sdk.load(model(), backend="native", threads=2)
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(loaded.run(X)[0])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    np.testing.assert_array_equal(results[0], results[1])


def test_models_keep_their_function_and_let_go_of_it() -> None:
    class Function:
        def __call__(self, inputs: list[Any], options: bytes) -> Any:
            return twice(inputs, options)

    function = Function()
    alive = weakref.ref(function)
    edge_sdk.register_op("Twice", function)
    loaded = edge_sdk.load(model(), backend="native")
    edge_sdk.unregister_op("Twice")
    del function
    np.testing.assert_array_equal(loaded.run(X)[0], -2 * np.maximum(X, 0))
    del loaded
    gc.collect()
    assert alive() is None


def test_users_op_comes_before_one_of_ours(registered: list[str]) -> None:
    registered.append("TFLite_Detection_PostProcess")
    edge_sdk.register_op("TFLite_Detection_PostProcess", twice)
    loaded = edge_sdk.load(model("TFLite_Detection_PostProcess"), backend="native")
    np.testing.assert_array_equal(loaded.run(X)[0], -2 * np.maximum(X, 0))


def test_wrong_registrations() -> None:
    with pytest.raises(InputTypeError, match="no function"):
        edge_sdk.register_op("Twice", 3)  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match="no function"):
        edge_sdk.register_op("Twice", twice, 3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="name"):
        edge_sdk.register_op("", twice)
    with pytest.raises(InputError, match="'Nobody'"):
        edge_sdk.unregister_op("Nobody")


@pytest.mark.parametrize("file", ["custom_op", "test_custom_node_with_init_data"])
def test_files_with_custom_ops_of_others(file: str, stash: Path, registered: list[str]) -> None:
    """LiteRT's own test files; their ops have one output of the first input's shape."""
    name = {"custom_op": "CustomTestOp", "test_custom_node_with_init_data": "the_custom_code"}[file]
    registered.append(name)
    seen: list[bytes] = []

    def add(inputs: list[Any], options: bytes) -> Any:
        seen.append(options)
        return inputs[0] + inputs[1]

    edge_sdk.register_op(name, add, lambda inputs, options: inputs[:1])
    loaded = edge_sdk.load(stash / f"ops/google-ai-edge+LiteRT/{file}.tflite", backend="native")
    session = loaded.session()
    for view in map(session.input, range(len(session.inputs))):
        if view.flags.writeable:  # one file counts a constant among its inputs
            view[...] = 3
    assert session.run()[0].shape == session.inputs[0].shape
    assert seen == [{"custom_op": b"", "test_custom_node_with_init_data": b"ABC"}[file]]
