"""docs/logic.md says of every function what the code does with it."""

from __future__ import annotations

import re
from pathlib import Path

from dialogkit.logic import functions, python_functions, sql_special

PAGE = Path(__file__).parents[2] / "docs" / "logic.md"


def told() -> dict[str, tuple[str, str]]:
    rows = re.findall(r"^\| `([\w:-]+)` \| ([\w ]+) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: (state, remark) for name, state, remark in rows}


def test_each_function_stands_in_the_page_with_its_state() -> None:
    compiled = {*functions.FUNCTIONS, *functions.DATES, *functions.STRUCTURAL}
    undecidable = python_functions.UNDECIDABLE
    states = {
        **dict.fromkeys(undecidable, "not decidable"),
        **dict.fromkeys(functions.PYTHON_ONLY, "in Python"),
        **dict.fromkeys(compiled, "compiled"),
    }
    assert {name: state for name, (state, _) in told().items() if name in states} == states


def test_what_is_not_compiled_says_why() -> None:
    reasons = {**python_functions.UNDECIDABLE, **functions.PYTHON_ONLY}
    assert {name: remark for name, (_, remark) in told().items() if name in reasons} == reasons


def test_python_computes_every_function_that_sql_says_or_leaves_to_it() -> None:
    in_sql = {*functions.FUNCTIONS, *functions.DATES, *functions.STRUCTURAL, *functions.PYTHON_ONLY}
    assert in_sql <= {*python_functions.FUNCTIONS, *python_functions.SPECIAL}
    assert set(sql_special.SPECIAL) <= functions.STRUCTURAL
