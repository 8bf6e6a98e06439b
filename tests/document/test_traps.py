"""The page of traps: every row says what we do and names a test that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "landing-traps.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not re.match(r"\|-|\| Trap ", line)
]


def test_every_row_has_a_trap_an_answer_and_a_test():
    assert len(ROWS) >= 25
    assert [row for row in ROWS if len(row) != 3 or not all(row)] == []
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("named", [row[-1] for row in ROWS])
def test_every_test_that_is_named_is_there(named):
    path, _, name = named.strip("`").partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert name.startswith("test_")


def test_every_test_of_traps_stands_on_the_page():
    tree = ast.parse((ROOT / "tests" / "flow" / "test_traps.py").read_text(encoding="utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
    assert {name for name in tests if f"test_traps.py::{name}`" not in PAGE} == set()
