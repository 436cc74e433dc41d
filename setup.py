"""Builds the native module with CMake and copies the data files into the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent

# What an installed package carries in edge_sdk/_data; edge_sdk.resources finds it there or in the checkout.
DATA = (
    "boards/*.toml",
    "boards/reference/*.json",
    "models/**/*.tflite",
    "models/**/*.md",
    "examples/data/**/*.*",
)


class CMakeBuild(build_ext):
    def build_extension(self, ext: Extension) -> None:
        import pybind11

        out = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        # A checkout keeps its objects from one build to the next.
        in_checkout = (ROOT / ".git").exists()
        build = ROOT / "build" / f"python{suffix}" if in_checkout else Path(self.build_temp).resolve()
        include = [sysconfig.get_path("include"), sysconfig.get_path("platinclude"), pybind11.get_include()]
        configure = [
            "cmake", "-S", str(ROOT), "-B", str(build), "-G", "Ninja",
            # Named each time, since the one in the cache went away with pip's last build environment.
            f"-DCMAKE_MAKE_PROGRAM={shutil.which('ninja')}",
            f"-DCMAKE_BUILD_TYPE={'Debug' if self.debug else 'Release'}",
            "-DEDGE_PYTHON=ON",
            f"-DEDGE_PYTHON_INCLUDE={';'.join(dict.fromkeys(include))}",
            f"-DEDGE_PYTHON_SUFFIX={suffix}",
            f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={out}",
            *os.environ.get("EDGE_CMAKE_ARGS", "").split(),
        ]  # fmt: skip
        subprocess.run(configure, check=True)
        subprocess.run(["cmake", "--build", str(build), "--target", "_native"], check=True)


class BuildWithData(build_py):
    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        shutil.rmtree(Path(self.build_lib, "edge_sdk", "_data"), ignore_errors=True)  # an older build's
        for pattern in DATA:
            for source in sorted(ROOT.glob(pattern)):
                target = Path(self.build_lib, "edge_sdk", "_data", source.relative_to(ROOT))
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


setup(
    ext_modules=[Extension("edge_sdk._native", sources=[])],
    cmdclass={"build_ext": CMakeBuild, "build_py": BuildWithData},
)
