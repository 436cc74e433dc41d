"""`edge_sdk.Interpreter` beside the interpreter of ai-edge-litert: same answers, same kinds of errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_models
from builders import GraphBuilder

import edge_sdk
from edge_sdk import interpreter as ours
from edge_sdk.errors import EdgeError, InputError

litert = pytest.importorskip("ai_edge_litert.interpreter")

PLAIN = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
MODELS = {
    "affine": small_models.affine_model(),
    "quantized": small_models.quantized_model(),
    "two_inputs": small_models.two_input_model(),
    "two_signatures": small_models.two_signature_model(),
    "unknown_op": small_models.chain_model("RELU", "NoSuchOp"),
}
Pair = tuple[Any, Any]


def pair(model: str | Path, allocate: bool = True) -> Pair:
    """Our interpreter and LiteRT's, of the same model."""
    named = {"model_content": MODELS[model]} if isinstance(model, str) else {"model_path": str(model)}
    both = (
        edge_sdk.Interpreter(**named),
        litert.Interpreter(**named, experimental_op_resolver_type=PLAIN),
    )
    if allocate:
        for interpreter in both:
            interpreter.allocate_tensors()
    return both


def assert_same(got: Any, wanted: Any, where: str = "") -> None:
    """Equal in value and in type, arrays and dictionaries too."""
    assert type(got) is type(wanted), where
    if isinstance(wanted, dict):
        assert list(got) == list(wanted), where
        for key in wanted:
            assert_same(got[key], wanted[key], f"{where}/{key}")
    elif isinstance(wanted, list):
        assert len(got) == len(wanted), where
        for i, (a, b) in enumerate(zip(got, wanted)):
            assert_same(a, b, f"{where}[{i}]")
    elif isinstance(wanted, np.ndarray):
        assert got.dtype == wanted.dtype, where
        np.testing.assert_array_equal(got, wanted, where)
    else:
        assert got == wanted, where


def assert_same_details(a: Any, b: Any) -> None:
    assert a.num_subgraphs() == b.num_subgraphs()
    assert_same(a.get_input_details(), b.get_input_details(), "input")
    assert_same(a.get_output_details(), b.get_output_details(), "output")
    assert_same(a.get_signature_list(), b.get_signature_list(), "signatures")
    for subgraph in range(b.num_subgraphs()):
        assert_same(a.get_tensor_details(subgraph), b.get_tensor_details(subgraph), f"tensors {subgraph}")
    for key in b.get_signature_list():
        mine, theirs = a.get_signature_runner(key), b.get_signature_runner(key)
        assert_same(mine.get_input_details(), theirs.get_input_details(), f"{key} input")
        assert_same(mine.get_output_details(), theirs.get_output_details(), f"{key} output")


# Details


@pytest.mark.filterwarnings("ignore::edge_sdk.FallbackWarning")
@pytest.mark.parametrize("model", MODELS)
def test_details_of_small_models_equal_litert_s(model: str) -> None:
    assert_same_details(*pair(model, allocate=False))


# A few of each source, so that the run is quick; the marker `full` takes them all.
@pytest.mark.filterwarnings("ignore::edge_sdk.FallbackWarning")
def test_details_of_real_models_equal_litert_s(stash: Path) -> None:
    folders = sorted(f for f in stash.glob("*/*") if f.is_dir())
    compared = sum(_compare_details(model) for f in folders for model in sorted(f.glob("*.tflite"))[:2])
    assert compared > 20


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::edge_sdk.FallbackWarning")
def test_details_of_all_models_equal_litert_s(stash: Path) -> None:
    assert sum(_compare_details(model) for model in sorted(stash.rglob("*.tflite"))) > 350


def _compare_details(model: Path) -> bool:
    """False for files that either side refuses; what we refuse is the reader's tests' affair."""
    try:
        both = pair(model, allocate=False)
    except ValueError:
        return False
    if any(d["sparsity_parameters"] for d in both[1].get_tensor_details()):
        return False  # the sparse encoding is not shown
    assert_same_details(*both)
    return True


def test_details_follow_a_resize() -> None:
    for step in ("resize_tensor_input", "allocate_tensors"):
        a, b = pair("affine")
        for interpreter in (a, b):
            interpreter.resize_tensor_input(0, [5, 4])
            if step == "allocate_tensors":
                interpreter.allocate_tensors()
        assert_same(a.get_input_details(), b.get_input_details(), step)
        assert_same(a.get_output_details(), b.get_output_details(), step)


# Running


def test_results_equal_litert_s() -> None:
    value = np.random.default_rng(1).standard_normal((1, 4)).astype(np.float32)
    results = []
    for interpreter in pair("affine"):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], value)
        interpreter.invoke()
        results.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-5)
    np.testing.assert_allclose(results[0], small_models.affine(value), rtol=1e-5)


def test_a_resized_batch_runs() -> None:
    value = np.random.default_rng(2).standard_normal((6, 4)).astype(np.float32)
    a, _ = pair("affine")
    a.resize_tensor_input(0, [6, 4], strict=True)
    a.allocate_tensors()
    a.set_tensor(0, value)
    a.invoke()
    output = a.get_output_details()[0]["index"]
    np.testing.assert_allclose(a.get_tensor(output), small_models.affine(value), rtol=1e-5)


def test_get_tensor_returns_a_copy_and_tensor_a_view() -> None:
    a, _ = pair("quantized")
    copy, view = a.get_tensor(0), a.tensor(0)
    view()[...] = 7
    assert (a.get_tensor(0) == 7).all()
    copy[...] = 9
    assert (view() == 7).all()


def test_a_view_may_be_held_while_invoking_but_not_while_memory_moves() -> None:
    a, _ = pair("affine")
    view = a.tensor(0)()
    view[...] = [1, 2, 3, 4]
    a.invoke()
    np.testing.assert_array_equal(view, [[1, 2, 3, 4]])
    part = view[:, 1:]
    del view
    with pytest.raises(RuntimeError, match="reference to internal data"):
        a.resize_tensor_input(0, [2, 4])
    del part
    a.resize_tensor_input(0, [2, 4])
    a.allocate_tensors()
    assert a.tensor(0)().shape == (2, 4)


def test_constants_can_be_read_before_allocation() -> None:
    a, _ = pair("affine", allocate=False)
    weights = next(d["index"] for d in a.get_tensor_details() if d["name"] == "w")
    np.testing.assert_array_equal(a.get_tensor(weights), small_models.WEIGHTS)


def test_preserve_all_tensors_keeps_what_lies_between() -> None:
    value = np.array([[1, -2, 3, 4]], np.float32)
    a = ours.Interpreter(model_content=MODELS["affine"], experimental_preserve_all_tensors=True)
    a.allocate_tensors()
    a.set_tensor(0, value)
    a.invoke()
    hidden = next(d["index"] for d in a.get_tensor_details() if d["name"] == "hidden")
    expected = np.maximum(value @ small_models.WEIGHTS.T + small_models.BIAS, 0)
    np.testing.assert_allclose(a.get_tensor(hidden), expected)


def test_preserve_all_tensors_works_with_weights_stored_as_float16() -> None:
    g = GraphBuilder()
    x = g.input((1, 4), "float32")
    stored, weights = g.constant(small_models.WEIGHTS.astype(np.float16)), g.tensor((3, 4), "float32")
    y = g.tensor((1, 3), "float32")
    g.op("DEQUANTIZE", [stored], [weights])
    g.op("FULLY_CONNECTED", [x, weights, None], [y])
    a = ours.Interpreter(model_content=g.build(outputs=[y]), experimental_preserve_all_tensors=True)
    a.allocate_tensors()
    a.set_tensor(x, np.ones((1, 4), np.float32))
    a.invoke()
    np.testing.assert_array_equal(a.get_tensor(weights), small_models.WEIGHTS)
    np.testing.assert_array_equal(a.get_tensor(y), [[1, 2, 3]])


def test_a_tensor_whose_memory_was_used_again_is_not_read_as_garbage() -> None:
    chain = small_models.chain_model(*["LOGISTIC", "TANH"] * 3)
    a = ours.Interpreter(model_content=chain)
    b = ours.Interpreter(model_content=chain, experimental_preserve_all_tensors=True)
    for interpreter in (a, b):
        interpreter.allocate_tensors()
        interpreter.set_tensor(0, np.array([[1, 2, 3, 4]], np.float32))
        interpreter.invoke()
    refused = 0
    for index in range(1, 7):
        try:
            value = a.get_tensor(index)
        except InputError:
            refused += 1
        else:
            np.testing.assert_array_equal(value, b.get_tensor(index))
    assert 0 < refused < 6  # the output at least is kept


@pytest.mark.parametrize("key", ["relu", "logistic"])
def test_signature_runner_equals_litert_s(key: str) -> None:
    value = np.array([-1, 0, 2], np.float32)
    results = [i.get_signature_runner(key)(x=value) for i in pair("two_signatures", allocate=False)]
    assert list(results[0]) == list(results[1]) == ["y"]
    np.testing.assert_allclose(results[0]["y"], results[1]["y"], rtol=1e-6)


def test_signature_runner_takes_inputs_by_name_and_resizes_them() -> None:
    a, b = pair("two_inputs", allocate=False)
    given = {"b": np.array([[1, 2]], np.float32), "a": np.array([[3, 4]], np.float32)}
    assert_same(a.get_signature_runner()(**given), b.get_signature_runner("both")(**given))
    features = np.ones((3, 4), np.float32)
    for interpreter in pair("affine", allocate=False):
        assert interpreter.get_signature_runner()(features=features)["scores"].shape == (3, 3)


def test_op_resolver_types_have_tflite_s_names() -> None:
    assert [t.name for t in ours.OpResolverType] == [t.name for t in litert.OpResolverType]
    for theirs in litert.OpResolverType:  # old code may still import them from there
        ours.Interpreter(model_content=MODELS["quantized"], experimental_op_resolver_type=theirs)


# Errors: each misuse raises in both, ours from our tree and of the builtin kind that LiteRT raises


def resize(index: Any, shape: Any, strict: bool = False) -> Callable[[Any], Any]:
    return lambda i: i.resize_tensor_input(index, shape, strict)


def resize_and(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def act(interpreter: Any) -> Any:
        interpreter.resize_tensor_input(0, [2, 4])
        return call(interpreter)

    return act


GOOD = np.zeros((1, 4), np.float32)
UNALLOCATED: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda i: i.invoke(),
    "get_tensor": lambda i: i.get_tensor(0),
    "set_tensor": lambda i: i.set_tensor(0, GOOD),
    "tensor": lambda i: i.tensor(0)(),
    "reset_all_variables": lambda i: i.reset_all_variables(),
}
ALLOCATED: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda i: i.invoke(),
    "allocate twice": lambda i: i.allocate_tensors(),
    "set good": lambda i: i.set_tensor(0, GOOD),
    "set good, index of numpy": lambda i: i.set_tensor(np.int64(0), GOOD),
    "set not contiguous": lambda i: i.set_tensor(0, np.zeros((1, 8), np.float32)[:, ::2]),
    "set dtype": lambda i: i.set_tensor(0, GOOD.astype(np.int8)),
    "set float64": lambda i: i.set_tensor(0, GOOD.astype(np.float64)),
    "set list": lambda i: i.set_tensor(0, [[0.0, 0.0, 0.0, 0.0]]),
    "set rank": lambda i: i.set_tensor(0, np.zeros(4, np.float32)),
    "set shape": lambda i: i.set_tensor(0, np.zeros((2, 4), np.float32)),
    "set number": lambda i: i.set_tensor(0, 1),
    "set object": lambda i: i.set_tensor(0, object()),
    "set strings": lambda i: i.set_tensor(0, np.array([["a", "b", "c", "d"]])),
    "set too high": lambda i: i.set_tensor(99, GOOD),
    "set negative": lambda i: i.set_tensor(-1, GOOD),
    "set by name": lambda i: i.set_tensor("x", GOOD),
    "set by float": lambda i: i.set_tensor(0.0, GOOD),
    "get too high": lambda i: i.get_tensor(99),
    "get negative": lambda i: i.get_tensor(-1),
    "get by name": lambda i: i.get_tensor("x"),
    "get constant": lambda i: i.get_tensor(1),
    "get of no subgraph": lambda i: i.get_tensor(0, 5),
    "view too high": lambda i: i.tensor(99)(),
    "view negative": lambda i: i.tensor(-1)(),
    "details of no subgraph": lambda i: i.get_tensor_details(1),
    "details negative": lambda i: i.get_tensor_details(-1),
    "resize": resize(0, [2, 4]),
    "resize tuple": resize(0, (2, 4)),
    "resize same": resize(0, [1, 4]),
    "resize floats": resize(0, [2.5, 4]),
    "resize rank": resize(0, [4]),
    "resize to 2-d": resize(0, [[2, 4]]),
    "resize to number": resize(0, 3),
    "resize negative": resize(0, [-2, 4]),
    "resize strict": resize(0, [2, 4], strict=True),
    "resize strict, closed axis": resize(0, [1, 5], strict=True),
    "resize strict, rank": resize(0, [1, 1, 4], strict=True),
    "resize constant": resize(1, [2, 4]),
    "resize too high": resize(99, [2, 4]),
    "resize negative index": resize(-1, [2, 4]),
    "resize by name": resize("x", [2, 4]),
    "resize, invoke": resize_and(lambda i: i.invoke()),
    "resize, get input": resize_and(lambda i: i.get_tensor(0)),
    "resize, get output": resize_and(lambda i: i.get_tensor(4)),
    "resize, set input": resize_and(lambda i: i.set_tensor(0, np.zeros((2, 4), np.float32))),
    "resize back, invoke": resize_and(lambda i: (i.resize_tensor_input(0, [1, 4]), i.invoke())),
    "resize same, invoke": lambda i: (i.resize_tensor_input(0, [1, 4]), i.invoke()),
    "signature": lambda i: i.get_signature_runner("serve"),
    "signature unknown": lambda i: i.get_signature_runner("nope"),
    "signature empty": lambda i: i.get_signature_runner(""),
    "signature without input": lambda i: i.get_signature_runner()(),
    "signature with wrong name": lambda i: i.get_signature_runner()(x=GOOD),
    "signature with two": lambda i: i.get_signature_runner()(features=GOOD, x=GOOD),
    "signature dtype": lambda i: i.get_signature_runner()(features=GOOD.astype(np.int8)),
    "signature positional": lambda i: i.get_signature_runner()(GOOD),
}


def outcome(call: Callable[[], Any]) -> BaseException | None:
    try:
        call()
    except Exception as problem:
        return problem
    return None


def assert_same_kind(mine: BaseException | None, theirs: BaseException | None) -> None:
    if theirs is None:
        assert mine is None, f"LiteRT accepts it, we raise {mine!r}"
        return
    kind = type(theirs)
    assert isinstance(mine, kind), f"LiteRT raises {theirs!r}, we {mine!r}"
    if kind is not TypeError:  # Python itself raises some of them
        assert isinstance(mine, EdgeError)
        assert len(str(mine)) > 10


@pytest.mark.parametrize("misuse", UNALLOCATED)
def test_errors_before_allocation(misuse: str) -> None:
    a, b = pair("affine", allocate=False)
    assert_same_kind(outcome(lambda: UNALLOCATED[misuse](a)), outcome(lambda: UNALLOCATED[misuse](b)))


@pytest.mark.parametrize("misuse", ALLOCATED)
def test_errors_after_allocation(misuse: str) -> None:
    a, b = pair("affine")
    assert_same_kind(outcome(lambda: ALLOCATED[misuse](a)), outcome(lambda: ALLOCATED[misuse](b)))


def test_an_interpreter_works_on_after_a_shape_that_no_op_takes() -> None:
    both = pair("two_inputs")
    for interpreter in both:
        interpreter.resize_tensor_input(0, [1, 3])  # to be added to two numbers
    a, b = both
    assert_same_kind(outcome(a.allocate_tensors), outcome(b.allocate_tensors))
    assert_same_kind(outcome(a.invoke), outcome(b.invoke))
    for interpreter in both:
        interpreter.resize_tensor_input(0, [1, 2])
        interpreter.allocate_tensors()
        interpreter.invoke()


CONSTRUCTION: dict[str, dict[str, Any]] = {
    "nothing": {},
    "both": {"model_path": "x.tflite", "model_content": b"x"},
    "missing file": {"model_path": "/no/such/file.tflite"},
    "folder": {"model_path": "/"},
    "garbage": {"model_content": b"garbage garbage garbage garbage"},
    "empty": {"model_content": b""},
    "cut short": {"model_content": MODELS["affine"][:200]},
    "text": {"model_content": "text"},
    "no threads": {"model_content": MODELS["affine"], "num_threads": 0},
    "negative threads": {"model_content": MODELS["affine"], "num_threads": -1},
    "float threads": {"model_content": MODELS["affine"], "num_threads": 1.0},
    "resolver": {"model_content": MODELS["affine"], "experimental_op_resolver_type": "fast"},
    "argument": {"model_content": MODELS["affine"], "threads": 2},
    "path object": {"model_path": Path("/no/such/file.tflite")},
}


@pytest.mark.parametrize("case", CONSTRUCTION)
def test_errors_of_construction(case: str) -> None:
    mine = outcome(lambda: ours.Interpreter(**CONSTRUCTION[case]))
    assert mine is not None
    assert_same_kind(mine, outcome(lambda: litert.Interpreter(**CONSTRUCTION[case])))


def test_signature_key_may_be_left_out_only_if_there_is_one() -> None:
    a, b = pair("two_signatures", allocate=False)
    theirs = outcome(b.get_signature_runner)
    assert_same_kind(outcome(a.get_signature_runner), theirs)
    assert theirs is not None


@pytest.mark.filterwarnings("ignore::edge_sdk.FallbackWarning")
def test_an_unknown_op_raises_when_allocating_and_leaves_the_model_to_look_at() -> None:
    a, b = pair("unknown_op", allocate=False)
    mine = outcome(a.allocate_tensors)
    assert_same_kind(mine, outcome(b.allocate_tensors))
    assert isinstance(mine, edge_sdk.UnsupportedOpError)
    assert mine.ops == ("CUSTOM:NoSuchOp",)
    assert_same_kind(outcome(a.invoke), outcome(b.invoke))


def test_a_failure_while_running_is_a_runtime_error() -> None:
    g = GraphBuilder()
    table, row = g.constant(np.eye(3, dtype=np.float32)), g.input((1,), "int32")
    y = g.tensor((1, 3), "float32")
    g.op("GATHER", [table, row], [y])
    MODELS["gather"] = g.build(outputs=[y])
    a, b = pair("gather")
    for interpreter in (a, b):
        interpreter.set_tensor(row, np.array([7], np.int32))
    theirs = outcome(b.invoke)
    assert theirs is not None
    assert_same_kind(outcome(a.invoke), theirs)


def test_a_constant_cannot_be_written() -> None:
    a, _ = pair("affine")  # LiteRT would write into the file's read-only mapping and die
    with pytest.raises(ValueError, match="constant"):
        a.set_tensor(1, np.zeros_like(small_models.WEIGHTS))
