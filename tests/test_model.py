"""Loading and running a model through `edge_sdk.load`."""

from __future__ import annotations

import dataclasses
import multiprocessing
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
import small_models

import edge_sdk
from edge_sdk import boards
from edge_sdk.backends import native
from edge_sdk.errors import BoardError, InputError, ModelError
from edge_sdk.optimize import tflite_file
from edge_sdk.types import Array

X = np.array([[1, -2, 3, 0.5]], np.float32)


@pytest.fixture(params=["native", "litert"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "litert":
        pytest.importorskip("ai_edge_litert.interpreter")
    return str(request.param)


@pytest.fixture
def model(backend: str) -> edge_sdk.Model:
    return edge_sdk.load(small_models.affine_model(), backend=backend)


@pytest.fixture
def two(backend: str) -> edge_sdk.Model:
    return edge_sdk.load(small_models.two_input_model(), backend=backend)


# Importing


def imported_by(statement: str) -> set[str]:
    """The modules that a fresh Python has after a statement."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_models_and_nothing_more() -> None:
    modules = imported_by("import edge_sdk")
    assert "edge_sdk.backends.native" in modules  # or `load` would pay for it
    later = ("PIL", "paho", "edge_sdk.publish", "edge_sdk.sources", "edge_sdk.tasks", "edge_sdk.interpreter")
    assert not {m for m in modules if m.startswith(later)}


def test_running_a_model_loads_no_camera_broker_or_other_runtime() -> None:
    modules = imported_by("import edge_sdk; edge_sdk.load; edge_sdk.Interpreter")
    assert not {m for m in modules if m.startswith(("PIL", "paho", "ai_edge_litert", "edge_sdk.publish"))}


def test_every_public_name_is_there() -> None:
    for name in edge_sdk.__all__:
        assert getattr(edge_sdk, name) is not None
        assert name in dir(edge_sdk)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        edge_sdk.nonsense  # noqa: B018


# Loading


def test_a_model_tells_what_it_takes_and_gives(model: edge_sdk.Model, backend: str) -> None:
    assert model.backend == backend
    (spec,) = model.inputs
    assert (spec.name, spec.shape, spec.shape_signature, spec.dtype) == ("x", (1, 4), (-1, 4), np.float32)
    assert [s.name for s in model.outputs] == ["y"]


def test_quantization_is_told() -> None:
    (spec,) = edge_sdk.load(small_models.quantized_model()).inputs
    assert (spec.quantization.scales, spec.quantization.zero_points) == ((0.5,), (3,))


def test_a_model_is_named_after_its_file(tmp_path: Path, backend: str) -> None:
    file = tmp_path / "my.model.tflite"
    file.write_bytes(small_models.quantized_model())
    for path in (file, str(file)):
        assert edge_sdk.load(path, backend=backend).name == "my.model"
    assert edge_sdk.load(file.read_bytes(), backend=backend).name == "model"


def test_labels_and_metadata_come_from_the_file(tmp_path: Path) -> None:
    content = tflite_file.add_metadata(small_models.affine_model(), labels=["ant", "bee", "cat"])
    file = tmp_path / "labelled.tflite"
    file.write_bytes(content)
    for source in (content, file):
        assert edge_sdk.load(source).labels == ("ant", "bee", "cat")
    plain = edge_sdk.load(small_models.affine_model())
    assert plain.labels == ()
    assert plain.metadata.normalization is None


@pytest.mark.parametrize("source", [b"", b"nonsense" * 10, "/no/such/model.tflite", "/"])
def test_what_is_no_model_is_a_model_error(source: str | bytes, backend: str) -> None:
    with pytest.raises(ModelError):
        edge_sdk.load(source, backend=backend)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ModelError, match=r"/no/such/model\.tflite"):
        edge_sdk.load("/no/such/model.tflite")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"backend": "cuda"}, InputError, "'cuda'.*auto, native, litert"),
        ({"require": "always"}, InputError, "'always'.*warn, strict, allow"),
        ({"threads": 0}, InputError, "threads 0"),
        ({"threads": True}, InputError, "threads True"),
        ({"board": "raspberry"}, BoardError, "'raspberry'"),
    ],
)
def test_wrong_arguments(arguments: dict[str, str], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        edge_sdk.load(small_models.affine_model(), **arguments)


def test_a_board_says_how_much_of_the_cache_a_thread_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    board = dataclasses.replace(boards.load_board("generic-x86-64"), tile_kib=3)
    asked: list[int] = []
    real = native.NativeProgram
    monkeypatch.setattr(
        native,
        "NativeProgram",
        lambda *a, tile_bytes, **more: asked.append(tile_bytes) or real(*a, tile_bytes=tile_bytes, **more),
    )
    edge_sdk.load(small_models.affine_model(), board=board)
    edge_sdk.load(small_models.affine_model())
    assert asked == [3 * 1024, 0]


def test_threads_come_from_the_argument_the_board_or_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "available_threads", lambda: 3)
    asked = {}
    real = native.load
    monkeypatch.setattr(native, "load", lambda s, threads, *_: asked.update(n=threads) or real(s, 1))

    def threads(**arguments: object) -> int:
        edge_sdk.load(small_models.affine_model(), **arguments)
        return asked["n"]

    four_cores = boards.load_board("raspberry-pi-4")
    assert threads() == 3
    assert threads(threads=2) == 2
    assert threads(board=four_cores) == 3  # not more than the container has
    monkeypatch.setattr(native, "available_threads", lambda: 64)
    assert threads(board="raspberry-pi-4") == four_cores.threads == 4
    assert threads(board="generic-arm64") == 64


# Running


def test_results_are_right_and_in_order(model: edge_sdk.Model, two: edge_sdk.Model) -> None:
    (y,) = model.run(X)
    np.testing.assert_allclose(y, small_models.affine(X), rtol=1e-5)
    left, right = np.array([[1, 2]], np.float32), np.array([[3, 4]], np.float32)
    for inputs in ([left, right], (left, right), {"left": left, "right": right}, {"b": right, "a": left}):
        total, product = two.run(inputs)
        np.testing.assert_array_equal(total, [[4, 6]])
        np.testing.assert_array_equal(product, [[3, 8]])


def test_results_are_copies(model: edge_sdk.Model) -> None:
    first = model.run(X)[0]
    kept = first.copy()
    model.run(-X)
    np.testing.assert_array_equal(first, kept)


def test_python_numbers_are_taken_where_nothing_is_lost(backend: str) -> None:
    model = edge_sdk.load(small_models.affine_model(), backend=backend)
    np.testing.assert_array_equal(model.run([[[1, -2, 3, 0.5]]])[0], model.run(X)[0])
    quantized = edge_sdk.load(small_models.quantized_model(), backend=backend)
    np.testing.assert_array_equal(
        quantized.run([[[-128, 0, 3, 4, 5, 6, 7, 127]]]), [[[3, 3, 3, 4, 5, 6, 7, 127]]]
    )
    for lossy in ([128] + [0] * 7, [0.5] + [0] * 7, [float("nan")] + [0] * 7):
        with pytest.raises(InputError, match="do not fit into int8"):
            quantized.run([[lossy]])


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (X.astype(np.float64), r"'x': got float64 \(1, 4\), wanted float32 \(1, 4\)"),
        (X.astype(np.int8), r"got int8 \(1, 4\), wanted float32"),
        (X[0], r"got float32 \(4,\), wanted float32 \(1, 4\)"),
        (np.zeros((2, 4), np.float32), r"got float32 \(2, 4\), wanted float32 \(1, 4\).*session\(shapes="),
        ([X, X], r"got 2 arrays; wanted 1: 'x'"),
        ([], r"got 0 arrays; wanted 1"),
        ({"z": X}, r"no input is named 'z'; the inputs are x, features"),
        ({}, r"wanted each of 'x' once"),
        ({"x": X, "features": X}, r"got 'x', 'features'; wanted each of 'x' once"),
        ([["text"]], r"no array of numbers"),
        ([object()], r"no array of numbers"),
    ],
)
def test_wrong_inputs_name_what_came_and_what_is_wanted(
    model: edge_sdk.Model, inputs: object, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        model.run(inputs)
    with pytest.raises(ValueError, match=words):  # what users of TFLite catch
        model.session().run(inputs)


def test_floats_for_a_quantized_input_get_the_formula() -> None:
    with pytest.raises(InputError, match=r"round\(real / 0\.5\) \+ 3"):
        edge_sdk.load(small_models.quantized_model()).run(np.zeros((1, 8), np.float32))


def test_a_wrong_second_input_leaves_the_first_unwritten(two: edge_sdk.Model) -> None:
    session = two.session()
    session.run([np.full((1, 2), 5, np.float32)] * 2)
    with pytest.raises(InputError):
        session.run([np.zeros((1, 2), np.float32), np.zeros((1, 3), np.float32)])
    assert (session.input(0) == 5).all()


def test_many_threads_may_run_one_model(model: edge_sdk.Model) -> None:
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal((1, 4)).astype(np.float32) for _ in range(8)]
    expected = [model.run(x)[0] for x in inputs]
    wrong: list[int] = []
    start = threading.Barrier(len(inputs))

    def work(i: int) -> None:
        start.wait()
        for _ in range(200):
            if not np.array_equal(model.run(inputs[i])[0], expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# Sessions


def test_a_session_runs_on_what_stands_in_its_inputs(model: edge_sdk.Model) -> None:
    session = model.session()
    x, y = session.input(), session.output()
    for row in (X, -X):
        x[...] = row
        (copy,) = session.run()
        np.testing.assert_array_equal(y, copy)
        np.testing.assert_allclose(y, small_models.affine(row), rtol=1e-5)
    assert not np.shares_memory(copy, y)
    np.testing.assert_array_equal(x, -X)  # inputs keep their values
    session.invoke()
    np.testing.assert_array_equal(y, copy)


def test_views_outlive_their_session(model: edge_sdk.Model) -> None:
    session = model.session()
    session.run(X)
    view = session.output()
    expected = view.copy()
    del session
    np.testing.assert_array_equal(view, expected)


def test_sessions_share_no_memory(model: edge_sdk.Model) -> None:
    a, b = model.session(), model.session()
    a.input()[...] = 1
    b.input()[...] = 2
    assert (a.input() == 1).all()


def test_a_session_can_have_other_shapes(model: edge_sdk.Model) -> None:
    batch = np.random.default_rng(3).standard_normal((5, 4)).astype(np.float32)
    for name in ("x", "features"):
        session = model.session(shapes={name: (5, 4)})
        assert session.inputs[0].shape == (5, 4)
        assert session.outputs[0].shape == (5, 3)
        np.testing.assert_allclose(session.run(batch)[0], small_models.affine(batch), rtol=1e-5)
    with pytest.raises(InputError, match=r"no input is named 'z'; the inputs are x, features"):
        model.session(shapes={"z": (5, 4)})
    assert model.session().inputs[0].shape == (1, 4)


@pytest.mark.parametrize("i", [1, -1])
def test_an_input_that_is_not_there(model: edge_sdk.Model, i: int) -> None:
    with pytest.raises(InputError, match="the model has 1, counted from 0"):
        model.session().input(i)
    with pytest.raises(InputError, match="the model has 1"):
        model.session().output(i)


WIDE = np.random.default_rng(4).standard_normal((128, 256)).astype(np.float32)


def _child(session: edge_sdk.Session, model: edge_sdk.Model, expected: Array) -> None:
    np.testing.assert_array_equal(session.run(WIDE)[0], expected)
    np.testing.assert_array_equal(model.run(WIDE)[0], expected)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_sessions_and_models_run_in_a_forked_child(backend: str) -> None:
    model = edge_sdk.load(small_models.wide_model(), threads=2, backend=backend)
    session = model.session()
    expected = session.run(WIDE)[0]
    model.run(WIDE)
    child = multiprocessing.get_context("fork").Process(target=_child, args=(session, model, expected))
    child.start()
    child.join(60)
    child.kill()
    child.join()
    assert child.exitcode == 0
    _child(session, model, expected)  # and the parent goes on


def test_a_forked_child_that_runs_models_comes_to_its_end(tmp_path: Path, backend: str) -> None:
    # multiprocessing's children skip the interpreter's shutdown; those of os.fork() destroy all objects.
    file = tmp_path / "wide.tflite"
    file.write_bytes(small_models.wide_model())
    code = f"""
        import os, sys
        import numpy, edge_sdk
        model = edge_sdk.load({str(file)!r}, threads=2, backend={backend!r})
        x = numpy.ones((128, 256), numpy.float32)
        model.run(x)
        child = os.fork()
        model.run(x)
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)


# Placement


def test_placement_tells_where_every_op_runs(model: edge_sdk.Model, backend: str) -> None:
    placed = model.placement()
    assert [(p.op, p.node, p.device, p.backend) for p in placed] == [
        ("FULLY_CONNECTED", 0, "cpu", backend),
        ("SOFTMAX", 1, "cpu", backend),
    ]
    assert all(p.reason for p in placed)
    if backend == "native":
        assert all(p.kernel for p in placed)
