# `make` lists the commands. Each sets up what it needs: a virtual environment in .venv and, as root, Debian packages.
PYTHON ?= python3
JOBS ?= $(shell nproc)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)
export EDGE_ARMLAB ?= $(abspath $(wildcard ../shared/tools/armlab/armlab))

native_files = $(shell find native -name '*.cc' -o -name '*.h')
# The Python tests of what the native code computes; the others need no second ISA and no sanitizer.
numbers = tests/backends tests/bench tests/differential tests/native_models tests/robust tests/tasks $(wildcard tests/test_*.py)
isas = $(shell python -c 'from edge_sdk import _native; print(*_native.detected_isas())')

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

# The environment with one extra: the stamps are named after pyproject's extras and the lists of apt-packages.sh.
.venv/.%: pyproject.toml
	PYTHON=$(PYTHON) scripts/apt-packages.sh $*
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	python -m pip install -q 'setuptools>=77' cmake ninja pybind11
	python -m pip install -q --no-build-isolation -e '.[$*]'
	python -m pip install -q --no-deps aeon  # for the motion windows in it
	touch $@

build: .venv/.demo ## build the native module in place, as the checkout uses it
	python setup.py -q build_ext --inplace

demo: build ## models on pictures and motion windows, results through a broker; BROKER=mqtt://host uses yours
	edge-sdk demo $(if $(BROKER),--broker $(BROKER))

test: check .venv/.test build ## what CI runs: checks, native tests (sanitizers, one emulated ARM CPU), Python tests
	cmake --preset asan >/dev/null
	cmake --build --preset asan --target edge_tests --target edge_mutants
	build/asan/edge_tests
	python scripts/mutants.py --count 240 build/asan/edge_mutants
	scripts/test-arm.sh cortex-a53
	pytest -n $(JOBS)

test-all: check .venv/.test .venv/.train build test-sanitized test-arm fuzz ## everything: full samples, every ISA of this machine, every emulated CPU, training, a minute of fuzzing
	cmake --preset release >/dev/null
	cmake --build --preset release
	pytest -n $(JOBS)
	for isa in $(isas); do EDGE_ISA=$$isa build/release/edge_tests && EDGE_ISA=$$isa pytest -n $(JOBS) $(numbers) || exit 1; done
	$(if $(filter sse41,$(isas)),qemu-x86_64-static -cpu Nehalem build/release/edge_tests) # dies of what is beyond SSE4.1
	pytest -n $(JOBS) -m "full and not arm"

test-sanitized: .venv/.test ## native and model tests under AddressSanitizer and UndefinedBehaviorSanitizer
	python scripts/build_site.py asan build/asan-site
	cmake --build --preset asan
	build/asan/edge_tests
	LD_PRELOAD="$$(c++ -print-file-name=libasan.so) $$(c++ -print-file-name=libstdc++.so)" ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=build/asan-site \
	  pytest -n $(JOBS) -m "not full and not arm" $(numbers)

test-arm: arm-site ## native tests on every emulated ARM CPU, and the Python ones where EDGE_ARMLAB names the userland
	scripts/test-arm.sh cortex-a53 cortex-a72 cortex-a76 max cortex-a8
	EDGE_ISA=scalar scripts/test-arm.sh cortex-a8
	$(if $(EDGE_ARMLAB),$(EDGE_ARMLAB) setup)
	pytest -m arm

check: .venv/.check .venv/.test ## style, types, the direction of includes and imports, leaked SIMD, lengths
	ruff check .
	ruff format --check .
	mypy
	@clang-format --dry-run -Werror $(native_files)
	python scripts/check_includes.py
	python scripts/check_imports.py
	python scripts/check_lengths.py
	for preset in release aarch64 armv7; do cmake --preset $$preset >/dev/null && python scripts/check_weak_symbols.py build/$$preset || exit 1; done

format: .venv/.check ## put Python and C++ into the project's style
	ruff check --fix .
	ruff format .
	clang-format -i $(native_files)

bench: build .venv/.test ## time kernels and models, beside LiteRT and what else is installed; MODEL=file for one model
	cmake --preset release >/dev/null
	cmake --build --preset release
	build/release/edge_bench
	$(if $(MODEL),edge-sdk bench $(MODEL) --against all --ops --memory --busy,python scripts/bench_models.py)

bench-arm: arm-site ## instructions of one inference on emulated 64-bit ARM, beside LiteRT; needs EDGE_ARMLAB
	$(if $(EDGE_ARMLAB),$(EDGE_ARMLAB) setup)
	python scripts/bench_arm.py $(MODEL)

mca: .venv/.test ## cycles of the inner loops of the ARM kernels, by llvm-mca
	PYTHON=$(PYTHON) scripts/apt-packages.sh mca
	python scripts/mca.py

fuzz: .venv/.demo ## feed damaged files and options to the runtime for MINUTES (1) in all
	PYTHON=$(PYTHON) scripts/apt-packages.sh fuzz
	cmake --preset fuzz >/dev/null
	cmake --build --preset fuzz --target edge_fuzz
	scripts/fuzz.sh $(or $(MINUTES),1)

mutants: .venv/.test ## 10,000 byte and as many field mutants of twelve models, in the release build and under sanitizers
	for preset in release asan; do \
	  cmake --preset $$preset >/dev/null && cmake --build --preset $$preset --target edge_mutants && \
	  python scripts/mutants.py --count $(or $(COUNT),10000) build/$$preset/edge_mutants || exit 1; \
	done

soak: build .venv/.test ## load, run and unload twenty models for MINUTES (30): memory and handles stay flat
	python scripts/soak.py --minutes $(or $(MINUTES),30)

test-faults: .venv/.test build ## what publishing accepts outlives kills, outages, partitions, power cuts, full and damaged disks
	pytest tests/faults -m "full or not full"

soak-publish: build .venv/.test ## publish for MINUTES (20) to a broker that restarts every minute: nothing lost, memory flat
	python scripts/soak_publish.py --minutes $(or $(MINUTES),20)

bench-publish: build .venv/.test ## durable messages a second, bytes written, latency and CPU of publishing
	python scripts/bench_publish.py

arm-site: .venv/.test ## the package for 64-bit ARM and Python 3.11 in build/armlab-site
	python scripts/build_site.py aarch64 build/armlab-site

.PHONY: help build demo test test-all test-sanitized test-arm check format bench bench-arm mca fuzz mutants soak test-faults soak-publish bench-publish arm-site
