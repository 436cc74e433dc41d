"""What the SDK knows about a board, and which board this is.

A profile is one file `boards/<name>.toml`; docs/adding-a-board.md explains its keys. `detect()` compares
the profiles with the device tree, DMI and /proc/cpuinfo of the machine.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from edge_sdk.errors import BoardError
from edge_sdk.resources import folder
from edge_sdk.types import DelegateSpec

T = TypeVar("T")
_REQUIRED: Any = object()


@dataclass(frozen=True)
class Cluster:
    """Cores of one kind that share a clock."""

    core: str  # e.g. "Cortex-A72"
    cpus: tuple[int, ...]  # the kernel's numbers
    ghz: float  # highest clock as shipped


@dataclass(frozen=True)
class ThermalSensor:
    name: str
    path: str  # holds 1/1000 degree Celsius


@dataclass(frozen=True)
class PowerSensor:
    """One supply rail. Paths may hold shell patterns, since the kernel numbers some folders as it likes."""

    rail: str
    unit: str  # "mW", "uJ" (a counter), or "mV,mA" (two files)
    paths: tuple[str, ...]  # one per unit


@dataclass(frozen=True)
class MatchRules:
    """How `detect` knows the board; the rules are tried in this order, over all profiles."""

    compatible: tuple[str, ...]  # strings of the device tree's root `compatible`
    model: tuple[str, ...]  # patterns for its `model`, and for "Model" in /proc/cpuinfo
    dmi: Mapping[str, str]  # file below /sys/class/dmi/id -> pattern
    cpuinfo: Mapping[str, str]  # field of /proc/cpuinfo -> pattern; for generic profiles


@dataclass(frozen=True)
class BoardProfile:
    name: str  # the file's stem
    title: str  # for people
    arch: str  # as `uname -m` gives it for 64-bit systems
    isa: str  # the best instruction set of ours that the board can have, as in EDGE_ISA
    threads: int | None  # threads of a session; None: as many CPUs as the process may use
    clusters: tuple[Cluster, ...]  # fastest first; () where boards differ
    pin: bool  # inference keeps to the first cluster, see `pin`
    l1d_kib: int | None  # per core
    l2_kib: int | None  # per core or cluster, as the core has it
    l3_kib: int | None  # shared
    tile_kib: (
        int | None
    )  # of the cache, for a thread's rows of a chain of ops; None: half its share of the L2
    memory_mib: int | None  # of the smallest variant
    budget_mib: int | None  # what models and their arenas may take of it
    delegates: tuple[DelegateSpec, ...]  # in the order of preference
    thermal: tuple[ThermalSensor, ...]  # the CPU's first
    power: tuple[PowerSensor, ...]  # the whole board's first, if it has one
    triple: str  # of the cross-compiler
    glibc: str  # of the oldest system that is supported on the board
    python: str  # the oldest Python likewise
    match: MatchRules

    @property
    def cores(self) -> int | None:
        return sum(len(c.cpus) for c in self.clusters) or None


class _Table:
    """A TOML table whose keys are taken one by one; what is left over, missing or mistyped is an error."""

    def __init__(self, data: Mapping[str, Any], file: Path, name: str = "") -> None:
        self._data = dict(data)
        self._file = file
        self._name = name

    def _error(self, key: str, what: str) -> BoardError:
        return BoardError(f"{self._file}: {self._name}{key} {what}; see docs/adding-a-board.md")

    def take(self, key: str, kind: type[T], default: T | None = _REQUIRED) -> T:
        if key not in self._data:
            if default is _REQUIRED:
                raise self._error(key, "is missing")
            return default  # type: ignore[return-value]
        value = self._data.pop(key)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:  # bool is no int here
            raise self._error(key, f"is {value!r}, wanted {kind.__name__}")
        return value

    def table(self, key: str) -> _Table:
        return _Table(self.take(key, dict, {}), self._file, f"{self._name}{key}.")

    def tables(self, key: str) -> list[_Table]:
        rows = self.take(key, list, [])
        if not all(isinstance(row, dict) for row in rows):
            raise self._error(key, "is no list of tables")
        return [_Table(row, self._file, f"{self._name}{key}[{i}].") for i, row in enumerate(rows)]

    def tuple_of(self, key: str, kind: type[T], default: list[T] = _REQUIRED) -> tuple[T, ...]:
        values = self.take(key, list, default)
        if any(type(v) is not kind for v in values):
            raise self._error(key, f"is {values!r}, wanted a list of {kind.__name__}")
        return tuple(values)

    def strings(self, key: str) -> dict[str, str]:
        values = self.take(key, dict, {})
        if any(type(v) is not str for v in values.values()):
            raise self._error(key, f"is {values!r}, wanted strings")
        return values

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self.take(key, str)
        if value not in choices:
            raise self._error(key, f"is {value!r}, wanted one of {', '.join(choices)}")
        return value

    def done(self) -> None:
        if self._data:
            raise self._error(next(iter(self._data)), "is no key of a board profile")


_ISAS = ("scalar", "sse41", "avx2", "avxvnni", "avx512vnni", "neon", "dotprod", "i8mm")


def read_profile(file: Path) -> BoardProfile:
    """Reads and checks one profile; `BoardError` names the file and the key."""
    tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        root = _Table(tomllib.loads(file.read_text(encoding="utf-8")), file)
    except (OSError, ValueError) as problem:
        raise BoardError(f"{file}: {problem}") from None
    cpu, memory, sensors = root.table("cpu"), root.table("memory"), root.table("sensors")
    build, match = root.table("build"), root.table("match")
    clusters = cpu.tables("clusters")
    delegates = root.tables("delegates")
    thermal, power = sensors.tables("thermal"), sensors.tables("power")
    profile = BoardProfile(
        name=file.stem,
        title=root.take("title", str),
        arch=root.choice("arch", ("aarch64", "x86_64")),
        isa=cpu.choice("isa", _ISAS),
        threads=cpu.take("threads", int, None),
        clusters=tuple(
            Cluster(c.take("core", str), c.tuple_of("cpus", int), c.take("ghz", float)) for c in clusters
        ),
        pin=cpu.take("pin", bool, False),
        l1d_kib=cpu.take("l1d_kib", int, None),
        l2_kib=cpu.take("l2_kib", int, None),
        l3_kib=cpu.take("l3_kib", int, None),
        tile_kib=cpu.take("tile_kib", int, None),
        memory_mib=memory.take("total_mib", int, None),
        budget_mib=memory.take("budget_mib", int, None),
        delegates=tuple(
            DelegateSpec(d.take("name", str), d.take("library", str), d.strings("options")) for d in delegates
        ),
        thermal=tuple(ThermalSensor(t.take("name", str), t.take("path", str)) for t in thermal),
        power=tuple(
            PowerSensor(
                p.take("rail", str), p.choice("unit", ("mW", "uJ", "mV,mA")), p.tuple_of("paths", str)
            )
            for p in power
        ),
        triple=build.take("triple", str),
        glibc=build.take("glibc", str),
        python=build.take("python", str),
        match=MatchRules(
            match.tuple_of("compatible", str, []),
            match.tuple_of("model", str, []),
            match.strings("dmi"),
            match.strings("cpuinfo"),
        ),
    )
    for table in (root, cpu, memory, sensors, build, match, *clusters, *delegates, *thermal, *power):
        table.done()
    _check(profile, file)
    return profile


def _check(profile: BoardProfile, file: Path) -> None:
    """What the types of the keys do not say."""
    rules = profile.match
    cpus = [cpu for cluster in profile.clusters for cpu in cluster.cpus]
    faults = {
        "cpu.threads": profile.threads is not None and profile.threads < 1,
        "cpu.tile_kib": profile.tile_kib is not None and profile.tile_kib < 1,
        "cpu.clusters": sorted(cpus) != list(range(len(cpus))),
        "cpu.pin": profile.pin and len(profile.clusters) < 2,
        "memory.budget_mib": (profile.budget_mib or 0) > (profile.memory_mib or 1 << 30),
        "sensors.power": any(len(p.paths) != len(p.unit.split(",")) for p in profile.power),
        "match": not (rules.compatible or rules.model or rules.dmi or rules.cpuinfo),
    }
    for key in (key for key, wrong in faults.items() if wrong):
        raise BoardError(f"{file}: {key} does not fit together; see docs/adding-a-board.md")
    for pattern in (*rules.model, *rules.dmi.values(), *rules.cpuinfo.values()):
        try:
            re.compile(pattern)
        except re.error as problem:
            raise BoardError(f"{file}: match: {pattern!r} is no regular expression: {problem}") from None


@cache
def _profiles() -> Mapping[str, BoardProfile]:
    return {file.stem: read_profile(file) for file in sorted(folder("boards").glob("*.toml"))}


def list_boards() -> tuple[str, ...]:
    """The names of all profiles."""
    return tuple(_profiles())


def load_board(name: str) -> BoardProfile:
    """The profile with that name."""
    if name not in _profiles():
        raise BoardError(f"no board is named {name!r}; there are {', '.join(_profiles())}")
    return _profiles()[name]


def pin(profile: BoardProfile) -> frozenset[int]:
    """Keeps this thread, and those that it starts from now on, to the profile's fastest CPUs if it says so.

    A run in parallel waits for its slowest thread, so one on a small core costs more than it brings. Returns
    the CPUs that the thread may use now: those that it might use before where the profile does not pin, or
    where none of its fastest are among them.
    """
    usable = frozenset(os.sched_getaffinity(0))
    chosen = usable.intersection(profile.clusters[0].cpus) if profile.pin else usable
    if chosen and chosen != usable:
        os.sched_setaffinity(0, chosen)
    return chosen or usable


def detect(root: str | os.PathLike[str] = "/") -> BoardProfile:
    """The profile of this machine, a generic one if the board is not known.

    `root`: where /proc and /sys are. Raises `BoardError` if not even a generic profile fits.
    """
    machine = _Machine(Path(root))
    profiles = _profiles().values()
    for compatible in machine.compatible:  # the most specific name comes first
        for profile in profiles:
            if compatible in profile.match.compatible:
                return profile
    for profile in profiles:
        if any(re.search(p, name) for p in profile.match.model for name in machine.models):
            return profile
    for profile in profiles:
        if _all_match(profile.match.dmi, machine.dmi):
            return profile
    for profile in profiles:
        if _all_match(profile.match.cpuinfo, machine.cpuinfo):
            return profile
    raise BoardError(
        f"no board profile fits this machine (compatible {', '.join(machine.compatible) or 'unknown'}): give "
        f"one of {', '.join(list_boards())}, or add one (docs/adding-a-board.md)"
    )


def _all_match(patterns: Mapping[str, str], found: Mapping[str, str]) -> bool:
    return bool(patterns) and all(re.search(p, found.get(key, "")) for key, p in patterns.items())


class _Machine:
    """What the kernel tells about the hardware; empty where it tells nothing."""

    def __init__(self, root: Path) -> None:
        # Containers often lack /sys/firmware, where the first path points to.
        trees = (root / "proc/device-tree", root / "sys/firmware/devicetree/base")
        tree = next((t for t in trees if (t / "compatible").is_file()), trees[0])
        self.compatible = [s for s in _text(tree / "compatible").split("\0") if s]
        self.cpuinfo: dict[str, str] = {}
        for line in _text(root / "proc/cpuinfo").splitlines():
            key, _, value = line.partition(":")
            self.cpuinfo.setdefault(key.strip(), value.strip())  # the first CPU's
        models = (_text(tree / "model").rstrip("\0"), self.cpuinfo.get("Model", ""))
        self.models = [m for m in models if m]
        names = ("sys_vendor", "product_name", "board_vendor", "board_name")
        self.dmi = {name: _text(root / "sys/class/dmi/id" / name).strip() for name in names}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
