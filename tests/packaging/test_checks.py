"""Each check of `make check` finds the defect that it is there for, and passes what has none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


@pytest.fixture
def check(root: Path):
    """check(script, *arguments) -> (exit code, what it said)."""

    def run(script: str, *arguments: object) -> tuple[int, str]:
        command = [sys.executable, str(root / "scripts" / script), *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    return run


NATIVE = {
    "base/status.h": "",
    "graph/graph.h": '#include "base/status.h"\n#include <vector>\n',
    "kernels/dot/dot.h": "",
    "kernels/dot/x86_avx2.cc": '#include "kernels/dot/dot.h"\n#include <immintrin.h>\n',
    "kernels/dot/x86_avx2.h": "",
    "kernels/pool/x86_avx2.cc": '#include "kernels/dot/x86_avx2.h"\n',
    "kernels/dot/test.cc": '#include "graph/graph.h"\n',
}


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("base/arena.cc", '#include "graph/graph.h"\n', "base/ may not include graph/"),
        ("kernels/dot/pack.h", '#include "graph/graph.h"\n', "kernels/ may not include graph/"),
        ("reader/reader.cc", '#  include "kernels/dot/dot.h"\n', "reader/ may not include kernels/"),
        ("graph/verify.cc", '#include "graph.h"\n', "graph.h is not a path from native/"),
        ("kernels/dot/arm_neon.cc", '#include "base/status.h"\n', "ISA files include their family's headers"),
    ],
)
def test_includes_pointing_downwards_are_found(tmp_path, check, file, text, said):
    native = write(tmp_path, NATIVE)
    assert check("check_includes.py", native) == (0, "")
    write(native, {file: text})
    code, output = check("check_includes.py", native)
    assert code == 1
    assert f"{native / file}: " in output
    assert said in output


PACKAGE = {
    "errors.py": "",
    "types.py": "import numpy\n",
    "model.py": "from edge_sdk import errors\nfrom edge_sdk.types import Frame\n",
    "backends/native.py": "from edge_sdk import _native\n",
    "tasks/classify.py": "from edge_sdk.tasks import geometry\nfrom ..types import Frame\n",
    "tasks/geometry.py": "",
    "cli.py": "import edge_sdk.model\n",
}


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("errors.py", "import edge_sdk.types\n", "errors may not import types"),
        ("types.py", "def f():\n    from edge_sdk.model import load\n", "types may not import model"),
        ("tasks/detect.py", "from ..model import load\n", "tasks may not import model"),
        ("tasks/detect.py", "from edge_sdk import cli\n", "tasks may not import cli"),
        ("model.py", "from edge_sdk import _native\n", "only backends/native.py imports _native"),
        ("novelty.py", "from edge_sdk import types\n", "novelty may not import types"),
    ],
)
def test_imports_pointing_downwards_are_found(tmp_path, check, file, text, said):
    package = write(tmp_path, PACKAGE)
    assert check("check_imports.py", package) == (0, "")
    write(package, {file: text})
    code, output = check("check_imports.py", package)
    assert code == 1
    assert f"{package / file}: {said}" in output


@pytest.mark.parametrize(("lines", "code", "said"), [(300, 0, ""), (301, 0, "301"), (801, 1, "801")])
def test_long_files_are_told_and_too_long_ones_fail(tmp_path, check, lines, code, said):
    write(tmp_path, {"edge_sdk/long.py": "#\n" * lines})
    found, output = check("check_lengths.py", tmp_path)
    assert found == code
    assert bool(output) == bool(said)
    assert said in output


@pytest.fixture
def tiny_build(root: Path, tmp_path: Path):
    """tiny_build(files) configures our CMake lists over these native files."""

    def configure(files: dict[str, str]) -> subprocess.CompletedProcess[str]:
        shutil.copy(root / "CMakeLists.txt", tmp_path)
        write(tmp_path, {"edge_sdk/version.py": '__version__ = "9.8.7"\n', "native/base/empty.cc": ""})
        shutil.copy(root / "native" / "CMakeLists.txt", tmp_path / "native")
        shutil.copytree(root / "native" / "cmake", tmp_path / "native" / "cmake")
        write(tmp_path / "native", files)
        command = ["cmake", "-S", tmp_path, "-B", tmp_path / "build", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return configure


def isa_file() -> str:
    machine = subprocess.check_output(["uname", "-m"], text=True).strip()
    return {"x86_64": "kernels/dot/x86_avx2.cc", "aarch64": "kernels/dot/arm_neon.cc"}[machine]


@pytest.mark.parametrize(
    ("helper", "weak"),
    [("static int twice(int x)", 0), ("inline int twice(int x)", 1), ("template <class T> T twice(T x)", 1)],
)
def test_functions_shared_with_isa_files_are_found(tmp_path, check, tiny_build, helper, weak):
    source = f"{helper} {{ return x + x; }}\nint kernel(int x) {{ return twice(x); }}\n"
    built = tiny_build({isa_file(): source})
    assert built.returncode == 0, built.stdout
    code, output = check("check_weak_symbols.py", tmp_path / "build")
    assert code == weak
    assert f"1 files with ISA flags, {weak} weak symbols" in output
    assert ("weak symbol" in output and "twice" in output) == bool(weak)


def test_an_isa_without_flags_is_named_by_cmake(tiny_build):
    built = tiny_build({"kernels/dot/x86_avx9000.cc": ""})
    assert built.returncode != 0
    assert "kernels/dot/x86_avx9000.cc: no flags for x86_avx9000" in " ".join(built.stdout.split())
