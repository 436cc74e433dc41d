"""Pages that are written by scripts say what the code says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_the_page_of_ops_is_that_of_this_build(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ai_edge_litert", reason="the differential tests need it")
    monkeypatch.setattr(sys, "path", [str(ROOT / "scripts"), *sys.path])
    import ops_table

    page = (ROOT / "docs" / "ops.md").read_text()
    rows = page.split(ops_table.BEGIN)[1].split(ops_table.END)[0].splitlines()[2:]
    written = {cells[1]: (cells[2], cells[3]) for cells in ([c.strip() for c in r.split("|")] for r in rows)}
    wanted = {name: (types, exact) for name, (types, exact, _) in ops_table.described().items()}
    assert written == wanted, "python scripts/ops_table.py --write"
