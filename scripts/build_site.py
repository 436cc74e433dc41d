"""Builds edge_sdk from a CMake preset into a folder for PYTHONPATH: build_site.py PRESET FOLDER.

Preset `asan` gives the package with sanitizers, `aarch64` the one for 64-bit ARM and the Python version
that runs this script: the headers of the latter serve, since both machines have the same sizes of C types.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pybind11

ROOT = Path(__file__).resolve().parent.parent


def header_shim(folder: Path) -> Path:
    """Debian's pyconfig.h includes one in a folder named after the machine: give it the host's."""
    headers = Path(sysconfig.get_path("include"))
    host = headers.parent / "x86_64-linux-gnu" / headers.name / "pyconfig.h"
    shim = folder / "aarch64-linux-gnu" / headers.name / "pyconfig.h"
    shim.parent.mkdir(parents=True, exist_ok=True)
    shim.write_text(f'#include "{host}"\n')
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset")
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()

    package = args.folder.resolve() / "edge_sdk"
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(ROOT / "edge_sdk", package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in ("boards", "models"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, package / "_data" / name)

    include = [sysconfig.get_path("include"), pybind11.get_include()]
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    if args.preset == "aarch64":
        include.append(str(header_shim(ROOT / "build" / "aarch64" / "python-include")))
        suffix = suffix.replace("x86_64", "aarch64")
    configure = [
        "cmake", "--preset", args.preset, "-DEDGE_PYTHON=ON",
        f"-DEDGE_PYTHON_INCLUDE={';'.join(include)}",
        f"-DEDGE_PYTHON_SUFFIX={suffix}",
        f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={package}",
    ]  # fmt: skip
    subprocess.run(configure, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "--preset", args.preset, "--target", "_native"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
