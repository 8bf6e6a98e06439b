"""docs/logic.md says of every function what the code does with it."""

from __future__ import annotations

import re
from pathlib import Path

from dialogkit.logic import python_functions
from dialogkit.logic.bind import bind
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.refusals import UNDECIDABLE, refused
from dialogkit.logic.sql_functions import DATES, FUNCTIONS, PYTHON_ONLY
from dialogkit.logic.sql_special import MAYBE_SETS, OVER_SETS, SPECIAL
from dialogkit.logic.tree import Function
from tests.builders import make_form

PAGE = Path(__file__).parents[2] / "docs" / "logic.md"
#: Functions of which binding makes something else: nodes, rows of lists, places of rows.
BOUND = {"current", "position", "indexed-repeat", "jr:choice-name", "pulldata", "instance"}
COMPILED = {*FUNCTIONS, *DATES, *SPECIAL, *OVER_SETS, *MAYBE_SETS}


def told() -> dict[str, tuple[str, str]]:
    rows = re.findall(r"^\| `([\w:-]+)` \| ([\w ]+) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: (state, remark) for name, state, remark in rows}


def test_each_function_stands_in_the_page_with_its_state() -> None:
    states = {
        **dict.fromkeys(UNDECIDABLE, "not decidable"),
        **dict.fromkeys(PYTHON_ONLY, "in Python"),
        **dict.fromkeys(COMPILED | BOUND, "compiled"),
    }
    assert {name: state for name, (state, _) in told().items()} == states


def test_what_is_not_compiled_says_why() -> None:
    reasons = {**UNDECIDABLE, **PYTHON_ONLY}
    assert {name: remark for name, (_, remark) in told().items() if name in reasons} == reasons


def test_python_computes_every_function_that_sql_says_or_leaves_to_it() -> None:
    in_python = {*python_functions.FUNCTIONS, *python_functions.SPECIAL}
    assert {*COMPILED, *PYTHON_ONLY} == in_python
    assert not in_python & (BOUND | UNDECIDABLE.keys())


def test_what_binding_reads_is_a_function_for_neither() -> None:
    form = make_form("f", "1", [("text", "a")])
    for name in BOUND:
        try:
            assert not isinstance(bind(f"{name}()", form, "a"), Function), name
        except NotDecidable as refusal:
            assert refusal.reason != refused(name)
