"""Running in LiteRT: fallback, external delegates, placement. delegate.c is built here."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import small_models
from builders import GraphBuilder

import edge_sdk
from edge_sdk import backends, boards
from edge_sdk.backends import delegates
from edge_sdk.errors import BackendError, DelegateError, FallbackWarning, InputError, UnsupportedOpError
from edge_sdk.types import Array

pytest.importorskip("ai_edge_litert.interpreter")

SOURCE = Path(__file__).with_name("delegate.c")
X = np.array([[1, 2, 3, 4]], np.float32)


def build(source: str, target: Path) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to build a delegate with")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", target, "-xc", "-"], input=source.encode(), check=True
    )
    return target


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build(SOURCE.read_text(), tmp_path_factory.mktemp("delegate") / "libtestdelegate.so"))


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


# Placement and fallback


def test_a_delegate_runs_its_ops_and_placement_says_which(library: str) -> None:
    content = small_models.chain_model("ADD", "LOGISTIC", "ADD")
    model = edge_sdk.load(content, delegates=[library], require="allow")
    np.testing.assert_allclose(model.run(X)[0], 2 * sigmoid(2 * X + 1000) + 1000)
    placed = model.placement()
    assert [(p.op, p.node, p.device) for p in placed] == [
        ("ADD", 0, "libtestdelegate.so"),
        ("LOGISTIC", 1, "cpu"),
        ("ADD", 2, "libtestdelegate.so"),
    ]
    assert {p.backend for p in placed} == {"litert"}
    assert "libtestdelegate.so does not take it" in placed[1].reason


def test_ops_that_a_delegate_leaves_to_the_cpu_are_reported(library: str) -> None:
    content = small_models.chain_model("ADD", "LOGISTIC", "ADD", "TANH")
    with pytest.warns(
        FallbackWarning, match=r"libtestdelegate.so leaves.*LOGISTIC \(node 1.*TANH \(node 3"
    ) as seen:
        edge_sdk.load(content, delegates=[library])
    assert seen[0].filename == __file__  # the caller's line, not ours
    with pytest.raises(UnsupportedOpError, match="require='warn'") as problem:
        edge_sdk.load(content, delegates=[library], require="strict")
    assert problem.value.ops == ("LOGISTIC", "TANH")


def test_a_wholly_delegated_model_passes_strict_without_a_warning(library: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = edge_sdk.load(small_models.chain_model("ADD"), delegates=library, require="strict")
    assert model.backend == "litert"


def test_placement_without_delegates_names_litert_s_kernels() -> None:
    model = edge_sdk.load(small_models.chain_model("ADD", "LOGISTIC"), backend="litert")
    assert [(p.op, p.device) for p in model.placement()] == [("ADD", "cpu"), ("LOGISTIC", "cpu")]
    assert all("LiteRT" in p.reason for p in model.placement())


def test_a_model_with_an_op_that_native_lacks_runs_in_litert_with_a_warning() -> None:
    content = small_models.missing_op_model()
    with pytest.warns(FallbackWarning, match=r"all of it runs in LiteRT.*NumericVerify \(node 0: ") as seen:
        model = edge_sdk.load(content)
    assert seen[0].filename == __file__
    assert model.backend == "litert"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert edge_sdk.load(content, require="allow").backend == "litert"
    for how in ({"require": "strict"}, {"backend": "native"}):
        with pytest.raises(UnsupportedOpError) as problem:
            edge_sdk.load(content, **how)
        assert "CUSTOM:NumericVerify" in problem.value.ops


def test_an_op_that_native_refuses_for_its_inputs_counts_as_missing() -> None:
    g = GraphBuilder()
    x, y = g.input((1, 4), "int8", scale=1.0), g.tensor((1,), "int8", scale=1e-30)
    # Scales as far apart as no training makes them.
    g.op("REDUCE_PROD", [x, g.constant(np.array([1], np.int32))], [y], keepDims=False)
    content = g.build(outputs=[y])
    with pytest.warns(FallbackWarning, match=r"REDUCE_PROD \(node 0: "):
        model = edge_sdk.load(content)
    np.testing.assert_array_equal(model.run([np.zeros((1, 4), np.int8)])[0], [0])
    with pytest.raises(UnsupportedOpError) as problem:
        edge_sdk.load(content, backend="native")
    assert problem.value.ops == ("REDUCE_PROD",)


def test_an_op_that_nothing_runs_is_named() -> None:
    content = small_models.chain_model("ADD", "NoSuchOp")
    for backend in ("litert", "native"):
        with pytest.raises(UnsupportedOpError, match=r"CUSTOM:NoSuchOp \(node 1") as problem:
            edge_sdk.load(content, backend=backend)
        assert problem.value.ops == ("CUSTOM:NoSuchOp",)


def test_a_model_compiled_for_the_edge_tpu_says_how_to_load_it() -> None:
    for backend in ("litert", "native"):
        with pytest.raises(UnsupportedOpError, match=r"delegates=\['edgetpu'\]"):
            edge_sdk.load(small_models.chain_model("edgetpu-custom-op"), backend=backend)


def test_without_litert_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    content = small_models.missing_op_model()
    for name in (
        "ai_edge_litert",
        "ai_edge_litert.interpreter",
        "tflite_runtime",
        "tflite_runtime.interpreter",
    ):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BackendError, match=r"pip install 'edge-sdk-runtime\[litert\]'"):
        edge_sdk.load(content, backend="litert")
    with pytest.raises(UnsupportedOpError, match=r"NumericVerify.*pip install 'edge-sdk-runtime\[litert\]'"):
        edge_sdk.load(content)
    # Programs written for TFLite catch ValueError here and go on without the accelerator.
    with pytest.raises(ValueError, match="pip install"):
        edge_sdk.load_delegate(library)


def test_native_and_delegates_contradict_each_other(library: str) -> None:
    with pytest.raises(InputError, match="litert"):
        edge_sdk.load(small_models.chain_model("ADD"), backend="native", delegates=[library])


# Loading delegates


def test_the_interpreter_takes_delegates_as_tflite_s_does(library: str) -> None:
    delegate = edge_sdk.load_delegate(library, {"number": 1})
    interpreter = edge_sdk.Interpreter(
        model_content=small_models.chain_model("ADD"), experimental_delegates=[delegate]
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, X)
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.get_tensor(1), 2 * X + 1000)


def test_delegates_loaded_by_litert_itself_are_accepted(library: str) -> None:
    from ai_edge_litert.interpreter import load_delegate

    model = edge_sdk.load(small_models.chain_model("ADD"), delegates=[load_delegate(library)])
    np.testing.assert_array_equal(model.run(X)[0], 2 * X + 1000)


def test_what_is_no_delegate_is_refused() -> None:
    with pytest.raises(TypeError, match="load_delegate"):
        edge_sdk.load(small_models.chain_model("ADD"), delegates=[3])


def test_names_and_options_come_from_the_board_profile(library: str, tmp_path: Path) -> None:
    text = (boards.folder("boards") / "coral-dev-board.toml").read_text()
    file = tmp_path / "mine.toml"
    file.write_text(
        text.replace("libedgetpu.so.1", library).replace('device = "pci"', 'refuse = "from the profile"')
    )
    profile = boards.read_profile(file)
    with pytest.raises(DelegateError, match="from the profile"):
        edge_sdk.load(small_models.chain_model("ADD"), delegates=["edgetpu"], board=profile)
    model = edge_sdk.load(small_models.chain_model("ADD"), delegates=[(library, {"n": 1})], board=profile)
    assert model.placement()[0].device == "libtestdelegate.so"


def test_a_name_that_the_board_does_not_know() -> None:
    with pytest.raises(DelegateError, match=r"raspberry-pi-4 knows no delegate 'hailo', only edgetpu"):
        edge_sdk.load(small_models.chain_model("ADD"), delegates="hailo", board="raspberry-pi-4")


def test_the_delegate_s_own_words_reach_the_user(library: str) -> None:
    with pytest.raises(DelegateError, match="no device at bus 3"):
        edge_sdk.load_delegate(library, {"refuse": "no device at bus 3"})
    with pytest.raises(ValueError, match="it gives no reason"):
        edge_sdk.load_delegate(library, {"silent": "1"})
    with pytest.raises(DelegateError, match=r"libtestdelegate.so refuses the model.*takes no model today"):
        edge_sdk.load(small_models.chain_model("ADD"), delegates=[(library, {"fail": "1"})])


@pytest.mark.filterwarnings("error")  # LiteRT's half-made delegates complain when they are collected
def test_the_loader_s_own_words_reach_the_user(tmp_path: Path) -> None:
    with pytest.raises(
        OSError, match=r"libnothing\.so: cannot open shared object file: No such file.*Install"
    ):
        edge_sdk.load_delegate("libnothing.so")
    (tmp_path / "text.so").write_text("this is no library at all, but long enough to hold a header" * 2)
    with pytest.raises(DelegateError, match=r"invalid ELF header.*no shared library"):
        edge_sdk.load_delegate(str(tmp_path / "text.so"))
    plain = build("int f(void) { return 1; }", tmp_path / "libplain.so")
    with pytest.raises(
        AttributeError, match=r"libplain\.so is no TFLite delegate: it lacks tflite_plugin_create"
    ):
        edge_sdk.load_delegate(plain)


def test_a_missing_dependency_is_told_from_a_missing_library() -> None:
    words = "libusb-1.0.so.0: cannot open shared object file: No such file or directory"
    assert "needs another library" in delegates._fix("/usr/lib/libedgetpu.so.1", words)
    assert "Install the accelerator's" in delegates._fix("libusb-1.0.so.0", words)


# Sessions


def test_views_of_a_session_stay_valid_across_runs() -> None:
    session = edge_sdk.load(small_models.affine_model(), backend="litert").session()
    x, y = session.input(), session.output()
    for row in ([[1, 2, 3, 4]], [[4, 3, 2, 1]]):
        x[...] = row
        session.run()
        np.testing.assert_allclose(y, small_models.affine(np.array(row, np.float32)), rtol=1e-5)


def test_reset_brings_resource_variables_back_to_their_start() -> None:
    session = edge_sdk.load(small_models.counter_model(), backend="litert").session()
    one = np.array([1], np.float32)
    assert [float(session.run(one)[0][0]) for _ in range(3)] == [11, 12, 13]
    session.reset()
    assert float(session.run(one)[0][0]) == 11


def test_several_threads_in_one_program_each_get_a_runner() -> None:
    program = backends.open_program(small_models.affine_model(), 1, "litert")
    runners = [program.runner({}) for _ in range(3)]
    for number, runner in enumerate(runners):
        runner.view(0)[...] = number
    assert [float(runner.view(0)[0, 0]) for runner in runners] == [0, 1, 2]
