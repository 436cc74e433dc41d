"""What a user gets from pip: a package that runs anywhere, is small and drags in nothing it need not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge_sdk import _native, resources
from edge_sdk.version import __version__

NATIVE = Path(_native.__file__)


def run(*command: object, cwd: Path | None = None) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_import_loads_numpy_and_nothing_else_from_site_packages():
    show = """
import sys, numpy
before = set(sys.modules)
import edge_sdk
for name in sorted(set(sys.modules) - before):
    if "site-packages" in str(getattr(sys.modules[name], "__file__", "")):
        print(name.split(".")[0])
"""
    assert set(run(sys.executable, "-c", show).split()) <= {"numpy", "edge_sdk"}


def test_native_library_is_stripped_and_small():
    assert NATIVE.stat().st_size <= 3_500_000
    assert ".symtab" not in run("readelf", "--sections", "--wide", NATIVE)


def test_native_library_links_the_systems_libraries_alone():
    needed = re.findall(r"\(NEEDED\).*\[(.*)\.so", run("readelf", "--dynamic", NATIVE))
    assert set(needed) <= {
        "libstdc++",
        "libm",
        "libgcc_s",
        "libc",
        "libpthread",
        "ld-linux-x86-64",
        "ld-linux-aarch64",
    }


def test_native_library_exports_its_init_function_alone():
    symbols = run("nm", "--dynamic", "--defined-only", NATIVE)
    assert re.findall(r" T (\S+)", symbols) == ["PyInit__native"]


def test_versions_agree():
    assert _native.version() == __version__


@pytest.mark.parametrize(("name", "pattern"), [("boards", "*.toml"), ("models", "**/*.tflite")])
def test_data_files_are_found(name, pattern):
    assert list(resources.folder(name).glob(pattern))


USE = """
from pathlib import Path
import edge_sdk
from edge_sdk import _native, resources

home = Path(edge_sdk.__file__).parent
assert home == Path(_native.__file__).parent
for name in ("boards", "models", "examples/data"):
    print(name, sum(f.is_file() for f in resources.folder(name).rglob("*.t*")))
for file in sorted(resources.folder("models").rglob("*.tflite")):
    edge_sdk.load(file)
print(home)
"""


@pytest.fixture
def fresh_python(tmp_path: Path) -> Path:
    """A new virtual environment's interpreter."""
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    return tmp_path / "venv" / "bin" / "python"


@pytest.fixture
def sources(root: Path, tmp_path: Path) -> Path:
    """The checkout as a clone would have it."""
    run("git", "clone", "--quiet", root, tmp_path / "clone")
    return tmp_path / "clone"


@pytest.mark.full
def test_sdist_builds_a_wheel_that_runs_outside_of_the_checkout(sources, fresh_python, tmp_path):
    run(sys.executable, "-m", "build", "--sdist", "--outdir", tmp_path, cwd=sources)
    (sdist,) = tmp_path.glob("*.tar.gz")
    run(fresh_python, "-m", "pip", "install", sdist)
    home = Path(run(fresh_python, "-c", USE, cwd=tmp_path).splitlines()[-1])
    assert "site-packages" in home.parts
    assert {f.suffix for f in (home / "_data").rglob("*") if f.is_file()} >= {".toml", ".tflite", ".md"}
    assert "usage: edge-sdk" in run(fresh_python.parent / "edge-sdk", "--help", cwd=tmp_path)


@pytest.mark.full
def test_editable_install_runs_from_the_checkout(sources, fresh_python, tmp_path):
    run(fresh_python, "-m", "pip", "install", "--editable", sources)
    home = Path(run(fresh_python, "-c", USE, cwd=tmp_path).splitlines()[-1])
    assert home == sources / "edge_sdk"
    assert list(home.glob("_native*.so"))
