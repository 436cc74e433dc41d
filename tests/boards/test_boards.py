"""Board profiles and `detect`, on device trees and cpuinfo as the boards' systems show them.

A new board needs `boards/<name>.toml` and `tests/boards/fixtures/<name>/<system>/` with files named as
below the root of that system; no line of this file changes.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import threading
from pathlib import Path

import pytest

from edge_sdk import boards
from edge_sdk.errors import BoardError

FIXTURES = Path(__file__).parent / "fixtures"
PROFILES = sorted((Path(__file__).parents[2] / "boards").glob("*.toml"))
SYSTEMS = sorted(FIXTURES.glob("*/*/"))

GOOD = """
title = "Test"
arch = "aarch64"
[match]
compatible = ["maker,test"]
[cpu]
isa = "neon"
threads = 2
clusters = [{ core = "Cortex-A53", cpus = [0, 1], ghz = 1 }]
[memory]
total_mib = 512
budget_mib = 128
[[delegates]]
name = "edgetpu"
library = "libedgetpu.so.1"
options = { device = "usb" }
[sensors]
power = [{ rail = "in", unit = "mV,mA", paths = ["/v", "/a"] }]
[build]
triple = "aarch64-linux-gnu"
glibc = "2.31"
python = "3.9"
"""


def profile_from(tmp_path: Path, text: str) -> boards.BoardProfile:
    file = tmp_path / "test.toml"
    file.write_text(text)
    return boards.read_profile(file)


@pytest.mark.parametrize("file", PROFILES, ids=lambda f: f.stem)
def test_every_profile_is_valid_and_has_a_recorded_system(file: Path) -> None:
    profile = boards.read_profile(file)
    assert profile.name == file.stem
    used = len(profile.clusters[0].cpus) if profile.pin else profile.cores
    assert profile.cores is None or profile.threads == used
    assert all(s.path.startswith("/") for s in profile.thermal)
    assert all(path.startswith("/") for s in profile.power for path in s.paths)
    assert profile.triple.startswith(profile.arch)
    assert list((FIXTURES / file.stem).iterdir()), f"record a system in tests/boards/fixtures/{file.stem}/"


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: f"{s.parent.name}/{s.name}")
def test_detects_the_board_of_each_recorded_system(system: Path) -> None:
    assert boards.detect(system).name == system.parent.name


def test_no_two_boards_claim_the_same_compatible_string() -> None:
    claimed = [c for name in boards.list_boards() for c in boards.load_board(name).match.compatible]
    assert len(claimed) == len(set(claimed))


def test_the_first_matching_compatible_string_decides(tmp_path: Path) -> None:
    tree = tmp_path / "proc/device-tree"
    tree.mkdir(parents=True)
    (tree / "compatible").write_bytes(b"other,carrier\0raspberrypi,4-compute-module\0raspberrypi,3-model-b\0")
    assert boards.detect(tmp_path).name == "raspberry-pi-4"


def test_dmi_names_a_board_without_device_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace(
        'compatible = ["maker,test"]', 'dmi = { board_name = "^N100DC", sys_vendor = "Default" }'
    )
    found = {"test": profile_from(tmp_path, text)}
    monkeypatch.setattr(boards, "_profiles", lambda: found)
    assert boards.detect(FIXTURES / "generic-x86-64/mini-pc").name == "test"


def test_an_unknown_machine_is_an_error_that_lists_the_boards(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="raspberry-pi-4"):
        boards.detect(tmp_path)


def test_unknown_board_name() -> None:
    with pytest.raises(BoardError, match=r"'rapsberry'.*raspberry-pi-4"):
        boards.load_board("rapsberry")


def test_a_profile_holds_what_its_file_says(tmp_path: Path) -> None:
    profile = profile_from(tmp_path, GOOD)
    assert profile.clusters == (boards.Cluster("Cortex-A53", (0, 1), 1.0),)
    assert profile.delegates[0].options == {"device": "usb"}
    assert profile.power == (boards.PowerSensor("in", "mV,mA", ("/v", "/a")),)
    assert profile.l3_kib is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        profile.threads = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("threads = 2", "thread = 2", r"cpu\.thread is no key"),
        ('title = "Test"', 'titel = "Test"', "title is missing"),
        ("ghz = 1", "ghz = 1, cores = 2", r"cpu\.clusters\[0\]\.cores is no key"),
        ("threads = 2", 'threads = "2"', r"cpu\.threads is '2', wanted int"),
        ("threads = 2", "threads = true", r"cpu\.threads is True, wanted int"),
        ("threads = 2", "threads = 0", r"cpu\.threads does not fit"),
        ("threads = 2", "tile_kib = 0", r"cpu\.tile_kib does not fit"),
        ('isa = "neon"', 'isa = "sve"', r"cpu\.isa is 'sve', wanted one of"),
        ("cpus = [0, 1]", "cpus = [0, 2]", r"cpu\.clusters does not fit"),
        ("threads = 2", "threads = 2\npin = true", r"cpu\.pin does not fit"),
        ("budget_mib = 128", "budget_mib = 1024", r"memory\.budget_mib does not fit"),
        ('"/v", "/a"', '"/v"', r"sensors\.power does not fit"),
        ('options = { device = "usb" }', "options = { device = 1 }", r"delegates\[0\]\.options"),
        ('compatible = ["maker,test"]', "", "match does not fit"),
        ('compatible = ["maker,test"]', 'model = ["("]', "no regular expression"),
        ("[memory]", "[memory", r"line 10"),
    ],
)
def test_a_faulty_profile_names_file_and_key(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(BoardError, match=rf"test\.toml: .*{words}"):
        profile_from(tmp_path, GOOD.replace(old, new, 1))


def affinity_after(profile: boards.BoardProfile) -> tuple[frozenset[int], set[int]]:
    """What `pin` says and what a thread started after it may use, found in a thread that ends."""
    found = []
    inner = threading.Thread(target=lambda: found.append(os.sched_getaffinity(0)))

    def run() -> None:
        found.append(boards.pin(profile))
        inner.start()
        inner.join()

    outer = threading.Thread(target=run)
    outer.start()
    outer.join()
    return found[0], found[1]


def test_pinning_keeps_new_threads_to_the_fastest_cluster(tmp_path: Path) -> None:
    usable = os.sched_getaffinity(0)
    fast, slow = max(usable), min(usable)
    two = boards.Cluster("Cortex-A76", (fast,), 2.4), boards.Cluster("Cortex-A55", (slow,), 1.8)
    profile = dataclasses.replace(profile_from(tmp_path, GOOD), clusters=two, pin=True)
    assert affinity_after(profile) == ({fast}, {fast})
    assert affinity_after(dataclasses.replace(profile, pin=False)) == (usable, usable)
    elsewhere = boards.Cluster("Cortex-A76", (max(usable) + 1,), 2.4)
    assert affinity_after(dataclasses.replace(profile, clusters=(elsewhere, two[1]))) == (usable, usable)
    assert os.sched_getaffinity(0) == usable


def test_profiles_are_found_beside_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # folder() decides between wheel and checkout; boards must ask it, and see what is there.
    shutil.copy(PROFILES[0], tmp_path / "mine.toml")
    monkeypatch.setattr(boards, "folder", lambda name: {"boards": tmp_path}[name])
    boards._profiles.cache_clear()
    try:
        assert boards.list_boards() == ("mine",)
    finally:
        boards._profiles.cache_clear()
