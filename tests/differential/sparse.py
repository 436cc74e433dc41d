"""DENSIFY."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder

from .harness import Case, Draw, differential


@differential("DENSIFY", "float32", "float16", "int8")
def densify(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    block = d.pick("block", ((), (1, 4), (4, 1), (2, 3), (1, 16)))
    blocks = d.integer("down", 1, 9), d.integer("across", 1, 9)
    rows, cols = (n * m for n, m in zip(blocks, block or (1, 1)))
    kept = d.rng.random(blocks) < d.pick("density", (0.0, 0.1, 0.5, 1.0))
    kept[0, 0] = True  # a buffer without bytes is no constant
    mask = np.kron(kept, np.ones(block or (1, 1)))
    values = d.rng.integers(1, 100, (rows, cols)) * mask
    w = g.sparse(values.astype(kind), block, **({"scale": 0.1} if kind == "int8" else {}))
    y = g.tensor((rows, cols), kind, **({"scale": 0.1} if kind == "int8" else {}))
    g.op("DENSIFY", [w], [y])
    return Case(g, [y], [])
