"""docs/ops.md: the ops of this build, from its registry and from what the differential tests cover.

ops_table.py [--write]. Types and exactness are those of the tests' generators, so nothing is claimed that no
test compares with LiteRT's reference kernels. Kernels are looked up by preparing some of the tests' cases.
"""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "ops.md"
BEGIN, END = "<!-- begin ops -->\n", "<!-- end ops -->\n"
CASES = 3  # of each generator, to see kernels
KINDS = {
    "int8_channel": "int8 per channel",
    "float16": "float16 weights",
    "half": "float16",
    "by_half": "float16 and back",
    "by_bfloat16": "bfloat16 and back",
    "int16_weights": "int16 with int16 weights",
    "plain_int16": "int16 without scales",
}

sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def families() -> dict[str, str]:
    """Kernel name -> "family (ISAs)", from the families' lists."""
    found = {}
    for listing in sorted((ROOT / "native" / "kernels").glob("*/kernels.inc")):
        family = listing.parent
        suffixes = {m[1] for f in family.glob("*.cc") if (m := re.match(r"(?:x86|arm)_([a-z0-9]+)", f.stem))}
        words = f"{family.name} ({', '.join(sorted(suffixes))})" if suffixes else family.name
        for name in re.findall(r"^\w+\(\s*(\w+)", listing.read_text(), re.MULTILINE):
            found[name] = words
    return found


def kernels_of(generators: list[object]) -> list[str]:
    """What steps of the op use in some of the tests' cases."""
    from differential import harness

    from edge_sdk import _native

    known, used = families(), set()
    for generator in generators:
        for number in range(CASES):
            case = generator.make(harness.Draw(harness.seed_of(generator, number)), generator.kind)
            draft = case.graph.build(case.outputs)
            try:
                model = harness.with_shapes(draft, case.outputs, harness.reference(draft, case.inputs))
                steps = _native.Plan(_native.ParsedModel.from_bytes(model)).steps()
            except Exception:  # one that the reference rejects, say, shows no kernel
                continue
            used |= {known[s["kernel"]] for s in steps if s["op"] == generator.op and s["kernel"] in known}
    return sorted(used)


def exactness(generators: list[object]) -> str:
    integer = [g for g in generators if not any(word in g.kind for word in ("float", "half", "hybrid"))]
    words = ["same bits"] if integer else []
    tolerances = {(g.tolerance.absolute, g.tolerance.relative) for g in generators if g not in integer}
    for absolute, relative in sorted(tolerances):
        parts = [f"{absolute:g}" * bool(absolute), f"{relative:g} of the value" * bool(relative)]
        exact = "hybrid too" if len(tolerances) > 1 else "floats too"
        words.append(" + ".join(filter(None, parts)) or exact * bool(integer) or "same bits")
    return "; ".join(dict.fromkeys(words))


def described() -> dict[str, tuple[str, str, list[object]]]:
    """Op -> types compared, exactness, generators."""
    from differential import test_ops
    from differential.harness import REGISTRY

    from edge_sdk import _native

    by_op = defaultdict(list)
    for generator in REGISTRY.values():
        by_op[generator.op].append(generator)
    found = {}
    for name in sorted(_native.op_names()):
        generators = by_op[name.removeprefix("CUSTOM:")]
        types = ", ".join(KINDS.get(g.kind, g.kind) for g in generators)
        beyond = "tests of its own" if name.removeprefix("CUSTOM:") in test_ops.NOT_IN_REFERENCE else ""
        found[name] = types or beyond, exactness(generators), generators
    return found


def table() -> str:
    rows = ["| op | types compared | exactness | kernels |", "|---|---|---|---|"]
    for name, (types, exact, generators) in described().items():
        rows.append(f"| {name} | {types} | {exact} | {', '.join(kernels_of(generators))} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    os.environ["EDGE_ISA"] = "scalar"  # every machine has these kernels, and so gives the same table
    text = PAGE.read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    fresh = f"{head}{BEGIN}{table()}{END}{tail}"
    if "--write" in sys.argv[1:]:
        PAGE.write_text(fresh)
    else:
        print(fresh)


if __name__ == "__main__":
    main()
